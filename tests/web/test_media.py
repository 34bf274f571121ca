"""Files of clips over the REST API: ranges, caching, names, and keys that try to mean something else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
from tests.web.harness import WebHarness, assert_problem

from cutback.cutting.job import Poster
from cutback.domain.clips.clip import Clip, ClipResult, CutSpan
from cutback.domain.errors import SettingsError
from cutback.settings.settings import load_settings
from cutback.storage.store import Store

CLIP = "/v1/media/wave/1/clip.mp4"


@pytest.fixture
def data(web: WebHarness) -> bytes:
    """The bytes of a finished clip."""
    web.submit()
    web.work()
    return (web.settings.data / "clips/wave/1/clip.mp4").read_bytes()


def ranged(web: WebHarness, value: str, **headers: str) -> httpx.Response:
    return web.get(CLIP, headers={"Range": value, **headers})


def test_the_links_of_a_clip_work(web: WebHarness) -> None:
    web.cutter.posters = (Poster(fits=640, width=640, height=360, offset=0, size=500),)
    web.submit()
    web.work()
    media = web.get("/v1/clips/wave").json()["media"]
    assert len(web.get(media["clip"]).content) == 20_000
    [poster] = media["posters"]
    assert (poster["width"], poster["height"]) == (640, 360)
    sent = web.get(poster["url"])
    assert (sent.status_code, sent.headers["content-type"], len(sent.content)) == (200, "image/jpeg", 500)


def test_a_file_is_sent_whole_and_may_be_kept_for_ever(web: WebHarness, data: bytes) -> None:
    sent = web.get(CLIP)
    assert (sent.status_code, sent.content, sent.headers["content-type"]) == (200, data, "video/mp4")
    assert (sent.headers["content-length"], sent.headers["accept-ranges"]) == (str(len(data)), "bytes")
    assert sent.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert sent.headers["x-content-type-options"] == "nosniff"


def test_a_head_has_the_headers_of_a_get_and_no_body(web: WebHarness, data: bytes) -> None:
    head, get = web.client.head(CLIP), web.get(CLIP)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)
    assert web.client.head(CLIP, headers={"Range": "bytes=0-9"}).headers["content-length"] == "10"
    assert len(data) == 20_000


@pytest.mark.parametrize(
    ("value", "start", "end"), [("bytes=0-99", 0, 100), ("bytes=19990-", 19990, 20000), ("bytes=-10", 19990, 20000)]
)
def test_a_range_is_sent(web: WebHarness, data: bytes, value: str, start: int, end: int) -> None:
    sent = ranged(web, value)
    assert (sent.status_code, sent.content) == (206, data[start:end])
    assert sent.headers["content-range"] == f"bytes {start}-{end - 1}/20000"
    assert sent.headers["content-length"] == str(end - start)


def parts_of(sent: httpx.Response) -> list[Message]:
    kind = sent.headers["content-type"]
    assert kind.startswith("multipart/byteranges; boundary=")
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + sent.content)
    parts = message.get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


def test_several_ranges_are_sent_as_parts(web: WebHarness, data: bytes) -> None:
    sent = ranged(web, "bytes=1000-1009,0-9,-10")
    parts = parts_of(sent)
    assert sent.status_code == 206
    assert sent.headers["content-length"] == str(len(sent.content))
    assert [part["Content-Range"] for part in parts] == [
        "bytes 0-9/20000", "bytes 1000-1009/20000", "bytes 19990-19999/20000",
    ]  # fmt: skip
    assert {part["Content-Type"] for part in parts} == {"video/mp4"}
    for part, (start, end) in zip(parts, [(0, 10), (1000, 1010), (19990, 20000)], strict=True):
        assert b"\r\n\r\n" + data[start:end] + b"\r\n" in sent.content, part["Content-Range"]


def test_ranges_that_overlap_or_are_too_many_cost_no_more_than_the_file(web: WebHarness, data: bytes) -> None:
    assert ranged(web, "bytes=0-999,500-1499").content == data[:1500]
    bomb = ranged(web, "bytes=" + ",".join(["0-"] * 100))
    assert (bomb.status_code, bomb.content) == (200, data)
    assert ranged(web, "bytes=" + ",".join(["0-"] * 10)).content == data


def test_a_range_outside_of_the_file_is_refused_with_its_size(web: WebHarness, data: bytes) -> None:
    sent = ranged(web, f"bytes={len(data)}-")
    assert_problem(sent, 416, "range_not_satisfiable")
    assert sent.headers["content-range"] == "bytes */20000"


def test_a_range_of_another_version_is_the_whole_file(web: WebHarness, data: bytes) -> None:
    first = web.get(CLIP)
    for same in (first.headers["etag"], first.headers["last-modified"]):
        assert ranged(web, "bytes=0-9", **{"If-Range": same}).status_code == 206
    for other in ('"other"', "W/" + first.headers["etag"], "Sun, 21 Jun 2020 10:00:00 GMT"):
        sent = ranged(web, "bytes=0-9", **{"If-Range": other})
        assert (sent.status_code, sent.content) == (200, data)


@pytest.mark.usefixtures("data")
def test_a_file_that_the_client_has_is_not_sent_again(web: WebHarness) -> None:
    etag = web.get(CLIP).headers["etag"]
    sent = web.get(CLIP, headers={"If-None-Match": f'"x", {etag}', "Range": "bytes=0-9"})
    assert (sent.status_code, sent.content, sent.headers["etag"]) == (304, b"", etag)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    "key",
    [
        "wave/1/clip.mp4/", "wave/1/../1/clip.mp4", "wave/1/%2e%2e/1/clip.mp4", "wave%2f1%2fclip%2emp4%00",
        "wave/1/clip.mp4%0d%0aX:%20y", "wave%252f1%252fclip.mp4", "%252e%252e/%252e%252e/cutback.sqlite",
        "../cutback.sqlite", "..%2f..%2fcutback.sqlite", "..%5ccutback.sqlite", "wave/1/clip.mp%EF%BC%94",
        "w%C3%A0ve/1/clip.mp4", "wave/1/clip%E2%80%8B.mp4", "wave/01/clip.mp4", "wave/2/clip.mp4", "wave/1/other.mp4",
        "wave//1/clip.mp4", "/wave/1/clip.mp4", "WAVE/1/clip.mp4", "wave/1/clip.mp4.", "wave", "", "%ff%fe", "C:/x.mp4",
    ],
)  # fmt: skip
def test_a_key_that_is_not_exactly_that_of_a_file_is_not_found(web: WebHarness, key: str) -> None:
    sent = web.get_exactly(f"/v1/media/{key}")
    assert_problem(sent, 404, "not_found")
    assert "X" not in sent.headers


def test_the_exact_path_of_a_file_is_found(web: WebHarness, data: bytes) -> None:
    assert web.get_exactly(CLIP).content == data


def test_the_files_of_a_clip_that_is_gone_are_gone(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(delete_grace=0)
    web.submit()
    assert_problem(web.get(CLIP), 404, "not_found")
    web.work()
    assert web.get(CLIP).status_code == 200
    web.client.delete("/v1/clips/wave")
    assert_problem(web.get(CLIP), 404, "not_found")


@pytest.mark.usefixtures("data")
def test_a_file_that_is_missing_from_the_store_is_not_found(web: WebHarness) -> None:
    (web.settings.data / "clips/wave/1/clip.mp4").unlink()
    assert_problem(web.get(CLIP), 404, "not_found")


def finished(web: WebHarness, *, camera: str | None = None, **fields: Any) -> Clip:
    """A ready clip whose file no cutter made."""
    clip = web.submit(**fields)
    claimed = clip.claimed(worker="w", now=web.now(), lease=web.settings.lease_time)
    begins = datetime(2026, 6, 21, 5, 30, 7, tzinfo=UTC)
    span = CutSpan(recording="r", etag="e", start=Fraction(1), end=Fraction(2), camera=camera, begins=camera and begins)
    result = ClipResult(key=f"{clip.id}/1/clip.mp4", size=4, etag="e", duration=Fraction(1), spans=(span,))
    ready = claimed.finished(result, attempt=1, now=web.now(), sweep_at=None)
    assert web.services.records.commit(claimed)
    assert web.services.records.commit(ready)
    return ready


def disposition(web: WebHarness, query: str = "") -> str:
    path = web.settings.data / "clips/wave/1/clip.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"clip")
    return str(web.get(CLIP + query).headers["content-disposition"])


def test_a_clip_of_a_camera_is_named_by_camera_and_its_local_time(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(time_zone="UTC,north-*=Europe/Lisbon")
    finished(web, camera="north-point")
    assert disposition(web) == 'inline; filename="north-point 2026-06-21 06-30-07.mp4"'


def test_a_name_beyond_ascii_is_given_twice(web: WebHarness) -> None:
    finished(web, title='Ö "; filename=x.exe\\..//波')
    value = disposition(web, "?download=true")
    plain, _, extended = value.partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="_ _ filename_x.exe .. _.mp4"'
    assert unquote(extended) == "Ö ; filename=x.exe .. 波.mp4"
    assert "\n" not in value


def test_a_name_has_no_marks_that_turn_it_around(web: WebHarness) -> None:
    finished(web, title="wave\u202e4pm.exe\u2069")
    assert disposition(web) == 'inline; filename="wave4pm.exe.mp4"'


def test_nginx_is_told_which_file_to_send(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(media_delivery="accel", media_accel_prefix="/_clips/")
    web.submit()
    web.work()
    sent = web.get(CLIP)
    assert (sent.status_code, sent.content) == (200, b"")
    assert sent.headers["x-accel-redirect"] == "/_clips/wave/1/clip.mp4"
    assert sent.headers["content-disposition"] == 'inline; filename="wave.mp4"'
    assert "immutable" in sent.headers["cache-control"]
    assert_problem(web.get("/v1/media/wave/1/other.mp4"), 404, "not_found")


def test_a_client_is_sent_to_the_store(web: WebHarness) -> None:
    finished(web)
    keys = {"access_key_id": "AKID", "secret_access_key": "secret", "region": "eu-west-1"}
    store = Store.open("s3://bucket/clips", options=keys)
    settings = web.settings.model_copy(update={"media_delivery": "redirect"})
    web.serve(dataclasses.replace(web.services, clips=store, settings=settings))
    sent = web.get(CLIP, follow_redirects=False)
    url = urlsplit(sent.headers["location"])
    assert (sent.status_code, sent.headers["cache-control"]) == (307, "no-store")
    assert url.path.endswith("/clips/wave/1/clip.mp4")
    assert parse_qs(url.query)["X-Amz-Expires"] == ["900"]
    assert "secret" not in sent.headers["location"]


@pytest.mark.parametrize(("delivery", "store"), [("redirect", ""), ("accel", "s3://bucket")])
def test_a_way_of_delivery_that_the_store_does_not_have_is_refused(
    monkeypatch: pytest.MonkeyPatch, delivery: str, store: str
) -> None:
    monkeypatch.setenv("CUTBACK_MEDIA_DELIVERY", delivery)
    monkeypatch.setenv("CUTBACK_CLIP_STORE", store)
    with pytest.raises(SettingsError, match="CUTBACK_MEDIA_DELIVERY"):
        load_settings()
