"""The Python client against real servers: it survives lost connections and restarts without gap or repeat."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.path.shell import frames_in
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.support.uvicorn_server import serving_app
from tests.support.waiting import PATIENCE, eventually
from tests.web.api_process import api_process
from tests.web.harness import WebHarness
from tests.web.test_keys import a_key

from cutback import client as client_module
from cutback.client import ApiError, ApiUnreachableError, Client, RemoteClip
from cutback.domain.api_keys import Scope

REQUEST = {"source": {"recording": "sea.mp4", "start": 1, "end": 3}, "title": "Left"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_pause", lambda failures: 0.01)


@pytest.fixture
def url(web: WebHarness) -> Iterator[str]:
    with serving_app(web.app) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as made:
        yield made


def test_a_clip_is_requested_awaited_and_downloaded(web: WebHarness, client: Client, tmp_path: Path) -> None:
    clip = client.submit(REQUEST, idempotency_key="first")
    assert (clip.id, clip.state, clip.title, clip.is_final) == ("first", "queued", "Left", False)
    worker = threading.Thread(target=web.work)
    worker.start()
    done = client.wait("first", timeout=60)
    worker.join()
    assert (done.state, done.is_final) == ("ready", True)
    path = client.download(done, tmp_path / "clip.mp4")
    assert done.data["result"]["size"] == path.stat().st_size
    assert list(tmp_path.glob("*.part")) == []
    with pytest.raises(FileExistsError):
        client.download(done, path)
    assert client.download(done, path, overwrite=True) == path


def test_refusals_have_the_reason_of_the_server(client: Client) -> None:
    with pytest.raises(ApiError) as caught:
        client.get("none")
    assert (caught.value.status, caught.value.reason) == (404, "clip_not_found")
    with pytest.raises(ApiError) as caught:
        client.submit({})
    assert (caught.value.status, caught.value.reason, caught.value.retryable) == (422, "invalid_request", False)


def test_waiting_ends_in_time(client: Client) -> None:
    client.submit(REQUEST, idempotency_key="first")
    with pytest.raises(TimeoutError):
        client.wait("first", timeout=0.3)


def test_a_key_is_sent(web: WebHarness, url: str) -> None:
    key = a_key(web, Scope.READ)
    with Client(url) as without, pytest.raises(ApiError) as caught:
        without.get("first")
    assert caught.value.status == 401
    with Client(url, key=key) as made:
        assert list(made.clips()) == []


def test_lists_go_on_over_pages(client: Client) -> None:
    for number in range(7):
        client.submit(REQUEST, idempotency_key=f"clip-{number}")
    assert [clip.id for clip in client.clips(limit=3)] == [f"clip-{number}" for number in range(6, -1, -1)]
    assert [clip.id for clip in client.clips(state="ready")] == []


def test_events_come_once_and_in_order_though_the_node_restarts(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(rate_limit=0)
    port = _free_port()
    seen: list[int] = []
    with Client(f"http://127.0.0.1:{port}") as client:
        reader = threading.Thread(target=lambda: seen.extend(_positions(client, 30)))
        reader.start()
        for turn in range(3):
            with serving_app(_app_of(web, turn), port=port):
                for number in range(10):
                    web.submit(id=f"clip-{turn}-{number}")
                eventually(partial(_has_events, web, 10 * (turn + 1)))
        with serving_app(_app_of(web, 3), port=port):
            reader.join(60)
    assert seen == list(range(1, 31))


def test_a_download_that_breaks_off_is_resumed(tmp_path: Path) -> None:
    content, asked = bytes(range(256)) * 400, []

    class Breaking(httpx.SyncByteStream):
        def __init__(self, content: bytes) -> None:
            self.content = content

        def __iter__(self) -> Iterator[bytes]:
            yield self.content[:30_000]
            if len(self.content) > 30_000:
                raise httpx.ReadError("broken")

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("range"))
        start = int((asked[-1] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        assert not start or request.headers["if-range"] == '"v1"'
        rest = content[start:]
        headers = {"etag": '"v1"', "content-length": str(len(rest))}
        return httpx.Response(206 if start else 200, headers=headers, stream=Breaking(rest))

    clip = RemoteClip.of({"id": "a", "state": "ready", "media": {"clip": "http://server/v1/media/a"}})
    with Client("http://server", transport=httpx.MockTransport(answer)) as client:
        client.download(clip, tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").read_bytes() == content
    assert asked == [None, "bytes=30000-", "bytes=60000-", "bytes=90000-"]


def test_requests_that_may_be_repeated_are_and_others_are_not() -> None:
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.method)
        if len(calls) < 3:
            return httpx.Response(503, json={"reason": "records_unavailable", "retryable": True, "detail": "later"})
        return httpx.Response(200, json={"id": "a", "state": "ready"})

    with Client("http://server", transport=httpx.MockTransport(answer)) as client:
        assert client.get("a").state == "ready"
        calls.clear()
        with pytest.raises(ApiError, match="later"):
            client.cancel("a")
        assert calls == ["POST"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_balancer_that_finds_no_node_is_asked_again(tmp_path: Path, status: int) -> None:
    """Its answers are pages for people, without a reason."""
    asked: list[str] = []
    event = {"type": "clip.ready", "data": {"id": "a", "state": "ready"}}
    stream = f"id: 1\nevent: clip.ready\ndata: {json.dumps(event)}\n\n"
    answers = {
        "/v1/clips": httpx.Response(202, json={"id": "a", "state": "queued"}),
        "/v1/events": httpx.Response(200, text=stream),
        "/v1/media/a": httpx.Response(200, content=b"media"),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        failed = httpx.Response(status, text="<html>Bad Gateway</html>")
        return answers[request.url.path] if asked.count(request.url.path) > 2 else failed

    clip = RemoteClip.of({"id": "a", "state": "ready", "media": {"clip": "http://server/v1/media/a"}})
    with Client("http://server", transport=httpx.MockTransport(answer)) as client:
        assert client.submit(REQUEST).state == "queued"
        assert next(client.events(after=0)).position == 1
        assert client.download(clip, tmp_path / "clip.mp4").read_bytes() == b"media"


def test_a_download_that_the_server_keeps_refusing_says_what_the_server_said(tmp_path: Path) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(503, json={"reason": "storage_unavailable", "retryable": True, "detail": "The store is."})

    clip = RemoteClip.of({"id": "a", "state": "ready", "media": {"clip": "http://server/v1/media/a"}})
    with (
        Client("http://server", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(ApiError, match="The store is") as caught,
    ):
        client.download(clip, tmp_path / "clip.mp4")
    assert (caught.value.status, caught.value.reason) == (503, "storage_unavailable")
    assert len(asked) > 3


def test_what_was_never_sent_is_repeated_whatever_it_is() -> None:
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.method)
        if len(calls) < 3:
            raise httpx.ConnectError("refused")
        raise httpx.ReadError("the answer is lost")

    with Client("http://server", transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(ApiUnreachableError):
            client.cancel("a")
        assert calls == ["POST"] * 3


def test_a_server_that_is_not_there_is_reported() -> None:
    with Client(f"http://127.0.0.1:{_free_port()}") as client, pytest.raises(ApiUnreachableError):
        client.get("a")


def test_importing_the_client_loads_neither_models_nor_media() -> None:
    code = "import sys; from cutback import Client; print({'pydantic', 'av', 'fastapi'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.slow
def test_the_example_of_the_docs_runs_against_a_real_server(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/python.md").read_text(encoding="utf-8")
    found = re.search(r"^<!-- test: client -->\n```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert len(found[1].splitlines()) <= 20
    recordings = tmp_path / "cutback-data" / "recordings"
    recordings.mkdir(parents=True)
    shutil.copy(cached_media(MediaSpec(frames=300), Path(pytestconfig.cache.mkdir("media"))), recordings / "sea.mp4")
    with api_process(tmp_path) as server:
        server.shell.start("worker")
        example = found[1].replace("http://127.0.0.1:8080", server.url)
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=tmp_path, env=server.shell.environment, capture_output=True,
            text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "clip.ready" in done.stdout
    assert frames_in(tmp_path / "left.mp4") == 98


def _positions(client: Client, count: int) -> Iterator[int]:
    for event in client.events(after=0):
        yield event.position
        if event.position >= count:
            return


def _app_of(web: WebHarness, turn: int) -> Any:
    from cutback.web.api.app import create_app

    return web.app if not turn else create_app(web.services)


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _has_events(web: WebHarness, count: int) -> bool:
    return web.services.records.last_position() >= count
