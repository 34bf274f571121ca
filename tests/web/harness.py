"""The harness for tests of the REST API: the app over real services in a folder, with a cutter that only pretends."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import httpx
from tests.path.harness import PathHarness

from cutback.web.api.app import create_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it asks for httpx2
    warnings.simplefilter("ignore", UserWarning)
    from starlette.testclient import TestClient


class WebHarness(PathHarness):
    """A `PathHarness` with the API on top: `client` sends requests to it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.app = create_app(self.services)
        self.client = TestClient(self.app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)

    def get(self, path: str, **options: Any) -> httpx.Response:
        response: httpx.Response = self.client.get(path, **options)
        return response

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
