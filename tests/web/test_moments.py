"""Moments, activity and pictures of moments over the REST API, with real media in the real sandbox."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import av
import pytest
from tests.support.media import cached_media
from tests.support.picture import read_counter
from tests.support.spec import MediaSpec
from tests.web.harness import assert_problem
from tests.web.media_harness import KEY, MediaHarness

from cutback.sandbox.cutter import ChildCutter

SPEC = MediaSpec(frames=300, gop=60)
CAMERA = "north-point"
BEGINS = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
SPAN = {"camera": CAMERA, "from": BEGINS.isoformat(), "to": (BEGINS + timedelta(hours=1)).isoformat()}


@pytest.fixture(scope="module")
def recording(pytestconfig: pytest.Config) -> Path:
    return cached_media(SPEC, Path(pytestconfig.cache.mkdir("media")))


@pytest.fixture
def media(tmp_path: Path, recording: Path) -> Iterator[MediaHarness]:
    made = MediaHarness(tmp_path / "data", recording)
    yield made
    made.close()


def test_the_activity_of_a_recording_is_made_once_for_each_version(
    media: MediaHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/v1/recordings/{KEY}/activity.json"
    response = media.get(address)
    found = response.json()
    assert (found["step"], len(found["values"]), found["kinds"]) == (1, 10, [[0, "h264 320x180"]])
    assert all(value > 0 for value in found["values"])
    assert media.get(address, headers={"If-None-Match": response.headers["etag"]}).status_code == 304

    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(ChildCutter, "activities", fail)
    media.services.cache.close()
    assert media.get(address).json() == found
    span = media.client.get("/v1/activity", params=SPAN).json()
    assert span == {"camera": CAMERA, "items": [{"begins": "2026-06-21T05:30:00.000000Z", **found}], "notes": []}


def test_moments_of_a_span(media: MediaHarness) -> None:
    values = [400] * 600
    for second in range(200, 210):
        values[second] = 900
    found = {"step": 1, "values": values, "kinds": [[0, "h264"]]}
    media.services.prober.activities = lambda *_, **__: iter([(0, found)])  # type: ignore[method-assign]
    answer = media.client.get("/v1/moments", params=SPAN).json()
    [moment] = answer["items"]
    assert answer["camera"] == CAMERA
    peak = datetime.fromisoformat(moment["peak"])
    assert timedelta(seconds=200) <= peak - BEGINS < timedelta(seconds=210)
    assert 0.5 <= moment["strength"] <= 1
    assert datetime.fromisoformat(moment["begins"]) <= peak < datetime.fromisoformat(moment["ends"])
    assert "/v1/moments/poster.jpg?camera=north-point&at=2026-06-21T05" in moment["poster"]
    assert media.client.get("/v1/moments", params={**SPAN, "least": 1}).json()["items"] == []


@pytest.mark.parametrize(("seconds", "frame"), [(0, 0), (2.04, 61), (9.999, 299)])
def test_the_picture_of_a_moment_is_the_frame_that_was_shown_then(
    media: MediaHarness, seconds: float, frame: int
) -> None:
    at = (BEGINS + timedelta(seconds=seconds)).isoformat()
    response = media.client.get("/v1/moments/poster.jpg", params={"camera": CAMERA, "at": at})
    assert response.headers["content-type"] == "image/jpeg"
    with av.open(io.BytesIO(response.content), mode="r") as container:
        assert read_counter(next(container.decode(video=0))) == frame
    again = media.client.get(
        "/v1/moments/poster.jpg",
        params={"camera": CAMERA, "at": at},
        headers={"If-None-Match": response.headers["etag"]},
    )
    assert again.status_code == 304


@pytest.mark.parametrize(("seconds", "frame"), [(0, 0), (1.99, 0), (2.04, 60), (9.5, 240), (10, 240)])
def test_the_latest_keyframe_is_shown_for_a_moment_and_for_the_end(
    media: MediaHarness, seconds: float, frame: int
) -> None:
    at = (BEGINS + timedelta(seconds=seconds)).isoformat()
    query = {"camera": CAMERA, "at": at}
    response = media.client.get("/v1/moments/keyframe.jpg", params=query)
    with av.open(io.BytesIO(response.content), mode="r") as container:
        assert read_counter(next(container.decode(video=0))) == frame
    known = {"If-None-Match": response.headers["etag"]}
    assert media.client.get("/v1/moments/keyframe.jpg", params=query, headers=known).status_code == 304


def test_what_is_slow_has_slots_of_its_own_and_what_is_kept_needs_none(
    media: MediaHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutback.web.api.sandbox_slots._PATIENCE", 0.01)
    slots = media.app.state.sandbox_slots
    recording, at = f"/v1/recordings/{KEY}", BEGINS.isoformat()
    quick = [f"{recording}/frames", f"{recording}/frames/3.jpg", f"{recording}/preview.mp4?at=3&seconds=1"]
    quick += [f"/v1/moments/{name}.jpg?{urlencode({'camera': CAMERA, 'at': at})}" for name in ("poster", "keyframe")]
    slow = [f"{recording}/{name}" for name in ("activity.json", "sprites.vtt", "sprites.jpg")]
    slow += [f"/v1/{name}?{urlencode(SPAN)}" for name in ("activity", "moments")]
    with slots.slow():
        assert_problem(media.get(slow[0]), 503, "overloaded")
        assert {media.get(each).status_code for each in quick} == {200}
    with slots.one(), slots.one():
        assert_problem(media.get(f"{recording}/frames/4.jpg"), 503, "overloaded")
        assert {media.get(each).status_code for each in slow} == {200}
        with slots.slow():
            assert {media.get(each).status_code for each in (*quick, *slow)} == {200}


@pytest.mark.parametrize("route", ["/v1/moments", "/v1/activity"])
def test_wrong_spans_are_refused(media: MediaHarness, route: str) -> None:
    assert_problem(media.client.get(route, params={**SPAN, "camera": "south"}), 404, "camera_unknown")
    assert_problem(media.client.get(route, params={**SPAN, "to": SPAN["from"]}), 422, "invalid_request")
    late = (BEGINS + timedelta(days=3)).isoformat()
    assert_problem(media.client.get(route, params={**SPAN, "to": late}), 422, "invalid_request")
    assert_problem(media.client.get(route, params={**SPAN, "other": 1}), 422, "invalid_request")


def test_a_moment_without_footage_has_no_picture(media: MediaHarness) -> None:
    query = {"camera": CAMERA, "at": (BEGINS + timedelta(hours=1)).isoformat()}
    assert_problem(media.client.get("/v1/moments/poster.jpg", params=query), 404, "footage_missing")
