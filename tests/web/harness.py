"""The harness for tests of the REST API: the app over real services in a folder, with a cutter that only pretends."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from tests.path.harness import PathHarness

from cutback.services import Services
from cutback.web.api.app import create_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it asks for httpx2
    warnings.simplefilter("ignore", UserWarning)
    from starlette.testclient import TestClient


ADDRESS = "http://127.0.0.1:8080"


class WebHarness(PathHarness):
    """A `PathHarness` with the API on top: `client` sends requests to it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.serve(self.services)

    def serve(self, services: Services) -> None:
        """Put the API on top of these services."""
        self.app = create_app(services)
        self.client = TestClient(self.app, base_url=ADDRESS, raise_server_exceptions=False)

    def client_at(self, address: str) -> TestClient:
        """A client of the API whose connections come from this address."""
        return TestClient(self.app, base_url=ADDRESS, client=(address, 50000), raise_server_exceptions=False)

    def get(self, path: str, **options: Any) -> httpx.Response:
        response: httpx.Response = self.client.get(path, **options)
        return response

    def get_exactly(self, path: str) -> httpx.Response:
        """GET a path as a server passes it on: decoded once, and not normalized as a client would."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": unquote(path), "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"host", urlsplit(ADDRESS).netloc.encode())],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080),
        }  # fmt: skip

        unread = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not unread:
                await asyncio.Event().wait()  # the client stays
            return unread.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = next(message for message in sent if message["type"] == "http.response.start")
        body = b"".join(message.get("body", b"") for message in sent)
        return httpx.Response(start["status"], headers=start["headers"], content=body)

    def close(self) -> None:
        self.client.close()
        self.services.close()


def assert_problem(response: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """Check that a response is this problem, completely described; return it."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["reason"]) == (status, reason)
    assert problem["type"].endswith(f"/docs/failures#{reason}")
    assert problem["title"]
    assert problem["detail"]
    assert problem["remedy"]
    assert isinstance(problem["retryable"], bool)
    return problem
