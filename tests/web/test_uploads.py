"""Uploads over HTTP, into a folder: resumable, bounded, and checked after they arrived."""

from __future__ import annotations

import dataclasses
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.support.uvicorn_server import serving_app
from tests.support.waiting import PATIENCE, eventually
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, a_tenant, bearer

from cutback.domain import uploads as domain
from cutback.domain.uploads import check_upload_key, part_size_of
from cutback.lifecycle import uploads
from cutback.lifecycle.housekeeping import housekeep
from cutback.web.api import guard
from cutback.web.api.routes.uploads import PARTS_AT_ONCE

KEY = "north-point/north-point.2026-06-21T05-30-00Z.mp4"
PART = 20_000
THREADS_OF_REQUESTS = 40
"""How many the framework has for all requests together."""


@pytest.fixture(scope="session")
def movie(pytestconfig: pytest.Config) -> bytes:
    folder = Path(pytestconfig.cache.mkdir("media"))
    return cached_media(MediaSpec(frames=90), folder).read_bytes()


@pytest.fixture
def web(make_web: Callable[..., WebHarness], monkeypatch: pytest.MonkeyPatch) -> WebHarness:
    monkeypatch.setattr(domain, "SMALLEST_PART", PART)
    monkeypatch.setattr(domain, "MOST_PARTS", 10**9)
    monkeypatch.setattr(uploads, "part_size_of", lambda _: PART)
    return make_web()


def begin(web: WebHarness, size: int, key: str = KEY, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    response = web.client.post("/v1/uploads", json={"key": key, "size": size, **fields}, headers=headers)
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/v1/uploads/{response.json()['id']}"
    return response.json()


def pieces(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, offset in enumerate(range(0, len(content), PART), 1):
        yield number, content[offset : offset + PART]


def send(web: WebHarness, upload: dict[str, Any], content: bytes, *, skip: tuple[int, ...] = ()) -> None:
    signed = web.client.post(
        f"/v1/uploads/{upload['id']}/parts", json={"numbers": list(range(1, upload["parts"] + 1))}
    ).json()["items"]
    for each, (number, piece) in zip(signed, pieces(content), strict=True):
        assert (each["number"], each["size"], each["method"]) == (number, len(piece), "PUT")
        if number not in skip:
            assert web.client.put(each["url"], content=piece).status_code == 200


def complete(web: WebHarness, upload: dict[str, Any]) -> httpx.Response:
    response: httpx.Response = web.client.post(f"/v1/uploads/{upload['id']}/complete")
    return response


def stored(web: WebHarness) -> list[str]:
    folder = web.settings.data / "recordings"
    names = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name != "sea.mp4")


def test_a_recording_is_uploaded_in_parts_and_can_then_be_requested_by_camera(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie), content_type="video/mp4")
    assert (upload["key"], upload["parts"], upload["direct"]) == (KEY, -(-len(movie) // PART), False)
    send(web, upload, movie)
    done = complete(web, upload)
    assert (done.status_code, done.json()["state"], done.json()["catalogued"]) == (200, "done", True)
    assert stored(web) == [KEY]
    assert (web.settings.data / "recordings" / KEY).read_bytes() == movie
    recording = web.services.catalogue.get_recording(KEY)
    assert recording is not None
    assert recording.camera == "north-point"
    assert complete(web, upload).json() == done.json(), "completing again has no further effect"


def test_an_upload_goes_on_where_it_broke_off(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie))
    send(web, upload, movie, skip=(2, upload["parts"]))
    problem = assert_problem(complete(web, upload), 409, "upload_incomplete")
    assert f"2, {upload['parts']}" in problem["detail"]
    here = {each["number"]: each["size"] for each in web.get(f"/v1/uploads/{upload['id']}/parts").json()["items"]}
    for number, piece in pieces(movie):
        if number not in here:
            web.client.put(f"/v1/uploads/{upload['id']}/parts/{number}", content=piece)
    assert set(here) == set(range(1, upload["parts"])) - {2}
    assert complete(web, upload).json()["state"] == "done"
    assert (web.settings.data / "recordings" / KEY).read_bytes() == movie


def test_a_part_that_is_sent_again_takes_the_place_of_the_first(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie))
    first = dict(pieces(movie))[1]
    assert web.client.put(f"/v1/uploads/{upload['id']}/parts/1", content=bytes(len(first))).status_code == 200
    send(web, upload, movie)
    assert complete(web, upload).json()["state"] == "done"


def test_a_recording_without_a_known_place_is_kept_but_not_catalogued(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie), key="session.mp4")
    send(web, upload, movie)
    assert complete(web, upload).json()["catalogued"] is False
    assert stored(web) == ["session.mp4"]


@pytest.mark.parametrize(
    ("fields", "untold"),
    [
        ({}, []),
        ({"key": "session.mp4"}, ["camera", "start"]),
        ({"key": "session.mp4", "camera": "reef"}, ["start"]),
        ({"key": "session.mp4", "camera": "reef", "start": "2026-06-21T05:30:00Z"}, []),
    ],
)
def test_an_upload_says_at_once_what_is_not_known_of_its_place(
    web: WebHarness, fields: dict[str, Any], untold: list[str]
) -> None:
    assert begin(web, 1000, **fields)["untold"] == untold


def test_camera_and_start_may_be_said(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie), key="session.mp4", camera="reef", start="2026-06-21T05:30:00Z")
    send(web, upload, movie)
    assert complete(web, upload).json()["catalogued"] is True
    recording = web.services.catalogue.get_recording("session.mp4")
    assert recording is not None
    assert (recording.camera, recording.start.isoformat()) == ("reef", "2026-06-21T05:30:00+00:00")


@pytest.mark.parametrize("content", [b"not a video at all " * 3000, b"<html><script>alert(1)</script>" * 2000])
def test_what_is_no_recording_is_refused_and_removed(web: WebHarness, content: bytes) -> None:
    upload = begin(web, len(content))
    send(web, upload, content)
    for _ in range(2):
        assert_problem(complete(web, upload), 422, "upload_refused")
    assert stored(web) == []
    assert web.services.catalogue.get_recording(KEY) is None
    shown = web.get(f"/v1/uploads/{upload['id']}").json()
    assert (shown["state"], bool(shown["failure"])) == ("refused", True)


def test_another_type_than_announced_is_refused(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie), key="session.webm", content_type="video/webm")
    send(web, upload, movie)
    assert "video/webm" in assert_problem(complete(web, upload), 422, "upload_refused")["detail"]
    assert stored(web) == []


@pytest.mark.parametrize("change", [-1, 1, -100])
def test_a_part_of_another_size_than_announced_is_refused(web: WebHarness, movie: bytes, change: int) -> None:
    upload = begin(web, len(movie))
    piece = bytes(PART + change)
    path = f"/v1/uploads/{upload['id']}/parts/1"
    assert web.client.put(path, content=piece).status_code in {413, 422}
    assert web.client.put(path, content=iter([piece])).status_code in {413, 422}, "without Content-Length"
    assert web.get(f"{path.removesuffix('/1')}").json()["items"] == []
    assert stored(web) == []


def test_an_endless_part_is_cut_off(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie))
    sent = [0]

    def endless() -> Iterator[bytes]:
        while sent[0] < 50_000_000:
            sent[0] += 65536
            yield bytes(65536)

    with serving_app(web.app) as url:
        try:
            response = httpx.put(f"{url}/v1/uploads/{upload['id']}/parts/1", content=endless())
            assert response.status_code == 413
        except httpx.TransportError:
            pass  # the server need not read the rest
    assert sent[0] < 50_000_000
    assert stored(web) == []


def test_slow_parts_do_not_stop_other_requests(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie))
    head = f"PUT /v1/uploads/{upload['id']}/parts/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {PART}\r\n\r\n"
    with serving_app(web.app) as url, ExitStack() as slow:
        address = urlsplit(url)
        for _ in range(THREADS_OF_REQUESTS + 5):
            connection = slow.enter_context(socket.create_connection((address.hostname, address.port)))
            connection.sendall(head.encode() + movie[:1])
        eventually(lambda: web.app.state.part_threads.borrowed_tokens == PARTS_AT_ONCE, "the parts")
        assert httpx.get(f"{url}/v1/clips", timeout=PATIENCE).status_code == 200


def drip(url: str, path: str, content: bytes, *, pause: float) -> bytes:
    """Send a part in steps of 100 bytes; return what the server says as soon as it says something."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
        head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode())
        for offset in range(0, len(content), 100):
            connection.sendall(content[offset : offset + 100])
            if select.select([connection], [], [], pause)[0]:
                break
        return connection.recv(100)


@pytest.mark.parametrize(("rate", "status"), [(100_000, b"408"), (0, b"200")])
def test_a_part_that_comes_too_slowly_does_not_hold_its_place(
    web: WebHarness, movie: bytes, monkeypatch: pytest.MonkeyPatch, rate: int, status: bytes
) -> None:
    monkeypatch.setattr(guard, "SLOW_START_SECONDS", 0.2)
    web.serve(dataclasses.replace(web.services, settings=web.settings.model_copy(update={"upload_rate": rate})))
    upload = begin(web, PART + 5000)
    with serving_app(web.app) as url:
        answer = drip(url, f"/v1/uploads/{upload['id']}/parts/2", movie[:5000], pause=0.02)
    assert answer.split()[1] == status


@pytest.mark.parametrize(
    "key",
    [
        "../sea.mp4",
        "a/../../sea.mp4",
        "/etc/sea.mp4",
        "a//sea.mp4",
        "a\\sea.mp4",
        "a/%2e%2e/sea.mp4",
        "a/%252e%252e/sea.mp4",
        "a%2fsea.mp4",
        "a/%00sea.mp4",
        "a/sea\x00.mp4",
        "a/sea\r\nX: 1.mp4",
        "caf\u0065\u0301.mp4",
        "a/\u202esea.mp4",
        ".hidden.mp4",
        "a/.cutback/sea.mp4",
        "a /sea.mp4",
        "sea.txt",
        "sea.mp4.cutback-part",
        "sea",
        "",
        "a" * 1100 + ".mp4",
    ],
)
def test_keys_with_tricks_are_refused(web: WebHarness, key: str) -> None:
    assert_problem(web.client.post("/v1/uploads", json={"key": key, "size": 10}), 422, "invalid_request")


@pytest.mark.parametrize("key", ["sea.mp4", "north/caf\u00e9 100%.MP4", "a.b/c-d_e+1.ts", "\u6ce2.mkv"])
def test_ordinary_keys_are_accepted(key: str) -> None:
    assert check_upload_key(key) == key


@pytest.mark.parametrize(
    "fields", [{"size": 0}, {"size": -1}, {"size": 2**60}, {"size": "10"}, {"content_type": "text/html"}, {"x": 1}]
)
def test_wrong_announcements_are_refused(web: WebHarness, fields: dict[str, Any]) -> None:
    response = web.client.post("/v1/uploads", json={"key": KEY, "size": 10, **fields})
    assert_problem(response, 422, "invalid_request")


def test_a_key_that_is_taken_is_refused_at_once_and_again_at_the_end(web: WebHarness, movie: bytes) -> None:
    assert_problem(web.client.post("/v1/uploads", json={"key": "sea.mp4", "size": 10}), 409, "object_exists")
    one, other = begin(web, len(movie)), begin(web, len(movie))
    send(web, one, movie)
    send(web, other, movie)
    assert complete(web, one).status_code == 200
    assert_problem(complete(web, other), 409, "object_exists")
    assert (web.settings.data / "recordings" / KEY).read_bytes() == movie


def test_a_key_that_runs_through_a_file_or_names_a_folder_is_refused(web: WebHarness, movie: bytes) -> None:
    through = {"key": "sea.mp4/left/wave.mp4", "size": 10}
    problem = assert_problem(web.client.post("/v1/uploads", json=through), 409, "object_exists")
    assert "sea.mp4, so nothing can be stored below it as sea.mp4/left/wave.mp4." in problem["detail"]

    below, above = begin(web, len(movie), key="day.mp4/wave.mp4"), begin(web, len(movie), key="day.mp4")
    send(web, below, movie)
    send(web, above, movie)
    assert complete(web, below).status_code == 200
    problem = assert_problem(complete(web, above), 409, "object_exists")
    assert "day.mp4 is a folder" in problem["detail"]
    refused = web.client.post("/v1/uploads", json={"key": "day.mp4", "size": 10})
    assert_problem(refused, 409, "object_exists")

    above, below = begin(web, len(movie), key="eve.mp4"), begin(web, len(movie), key="eve.mp4/wave.mp4")
    send(web, below, movie)
    send(web, above, movie)
    assert complete(web, above).status_code == 200
    assert_problem(complete(web, below), 409, "object_exists")


def test_a_file_that_comes_in_the_way_at_the_last_moment_is_named(
    web: WebHarness, movie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begin(web, len(movie), key="eve.mp4/wave.mp4")
    send(web, upload, movie)
    store = type(web.services.part_store)
    complete_parts = store.complete

    def late(*arguments: Any) -> None:
        (web.settings.data / "recordings" / "eve.mp4").write_bytes(b"first")
        complete_parts(*arguments)

    monkeypatch.setattr(store, "complete", late)
    problem = assert_problem(complete(web, upload), 409, "object_exists")
    assert "eve.mp4, so nothing can be stored below it" in problem["detail"]


def test_an_aborted_upload_leaves_nothing(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie))
    send(web, upload, movie)
    assert web.client.delete(f"/v1/uploads/{upload['id']}").status_code == 204
    assert_problem(web.get(f"/v1/uploads/{upload['id']}"), 404, "not_found")
    assert_problem(complete(web, upload), 404, "not_found")
    assert stored(web) == []


def test_abandoned_uploads_are_removed_by_housekeeping(web: WebHarness, movie: bytes) -> None:
    begin(web, len(movie), key="empty.mp4")
    send(web, begin(web, len(movie)), movie)
    done = begin(web, len(movie), key="done.mp4")
    send(web, done, movie)
    complete(web, done)
    housekeep(web.services)
    assert len(web.get("/v1/uploads").json()["items"]) == 3
    web.pass_time(86401)
    housekeep(web.services)
    assert web.get("/v1/uploads").json()["items"] == []
    assert stored(web) == ["done.mp4"]


def test_an_upload_whose_completion_died_can_be_completed_again(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie))
    send(web, upload, movie)

    class Died(BaseException):
        pass

    def die(stage: str) -> None:
        if stage == "uploaded":
            raise Died

    web.at_stage = die
    with pytest.raises(Died):
        uploads.complete_upload(web.services, upload["id"], tenant=None)
    web.at_stage = lambda _: None
    assert_problem(complete(web, upload), 409, "wrong_state")
    web.pass_time(16 * 60)
    assert complete(web, upload).json()["state"] == "done"


def test_only_one_of_several_calls_completes_an_upload(web: WebHarness, movie: bytes) -> None:
    upload = begin(web, len(movie))
    send(web, upload, movie)
    statuses: list[int] = []
    barrier = threading.Barrier(4)

    def run() -> None:
        barrier.wait()
        statuses.append(complete(web, upload).status_code)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert complete(web, upload).json()["state"] == "done"


def test_tenants_upload_below_their_prefixes_and_see_their_own_uploads(web: WebHarness, movie: bytes) -> None:
    pipe, reef = (bearer(a_key(web, tenant=a_tenant(web, name))) for name in ("pipe", "reef"))
    upload = begin(web, len(movie), key="pipe/session.mp4", headers=pipe)
    for key in ("reef/session.mp4", "session.mp4", "pipe-other/session.mp4", "pipe/../reef/session.mp4"):
        response = web.client.post("/v1/uploads", json={"key": key, "size": 10}, headers=pipe)
        assert_problem(response, 422, "invalid_request")
    address = f"/v1/uploads/{upload['id']}"
    for method, path, body in (
        ("GET", address, None),
        ("GET", f"{address}/parts", None),
        ("POST", f"{address}/parts", {"numbers": [1]}),
        ("PUT", f"{address}/parts/1", None),
        ("POST", f"{address}/complete", None),
        ("DELETE", address, None),
    ):
        assert_problem(web.client.request(method, path, json=body, headers=reef), 404, "not_found")
    assert web.get("/v1/uploads", headers=reef).json()["items"] == []
    assert [each["id"] for each in web.get("/v1/uploads", headers=pipe).json()["items"]] == [upload["id"]]


@pytest.mark.parametrize("said", [{"camera": "reef-1"}, {"key": "pipe/reef-1.2026-06-21T05-30-00Z.mp4"}])
def test_a_tenant_cannot_put_footage_into_the_camera_of_another(web: WebHarness, said: dict[str, str]) -> None:
    pipe = bearer(a_key(web, tenant=a_tenant(web, "pipe")))
    fields = {"key": "pipe/session.mp4", "size": 10, "start": "2026-06-21T05:30:00Z", **said}
    assert_problem(web.client.post("/v1/uploads", json=fields, headers=pipe), 422, "invalid_request")


@pytest.mark.parametrize(("size", "part"), [(1, 16 << 20), (80 << 30, 17 << 20), (5 << 40, 1049 << 20)])
def test_parts_are_whole_mebibytes_and_not_too_many(size: int, part: int) -> None:
    assert part_size_of(size) == part
    assert -(-size // part) <= 5000
