"""Plans, frame maps and single frames over the REST API, with real media in the real sandbox."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from tests.support.decode import decode_presented
from tests.support.media import cached_media
from tests.support.picture import read_counter
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, eventually
from tests.web.harness import WebHarness, assert_problem
from tests.web.media_harness import KEY, MediaHarness

from cutback.domain.errors import OverloadedError
from cutback.sandbox.cutter import ChildCutter
from cutback.web.api.sandbox_slots import MOST_AT_ONCE, SLOTS, SandboxSlots

pytestmark = pytest.mark.usefixtures("forked_cutters")

SPEC = MediaSpec(frames=300, gop=60)
HDR = MediaSpec(
    frames=15,
    gop=15,
    codec="libx265",
    tag="hvc1",
    pix_fmt="yuv420p10le",
    codec_options={"x265-params": "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none"},
    audio=None,
)
ADDRESS = f"/v1/recordings/{KEY}/frames"


@pytest.fixture(scope="module")
def recording(pytestconfig: pytest.Config) -> Path:
    return cached_media(SPEC, Path(pytestconfig.cache.mkdir("media")))


@pytest.fixture
def media(tmp_path: Path, recording: Path) -> Iterator[MediaHarness]:
    made = MediaHarness(tmp_path / "data", recording)
    yield made
    made.close()


def plan(web: WebHarness, source: Any, **fields: Any) -> Any:
    return web.client.post("/v1/plans", json={"source": source, **fields})


# --- plans -----------------------------------------------------------------------------------------


def test_a_plan_tells_what_the_clip_then_is(media: MediaHarness) -> None:
    source = {"recording": "sea.mp4", "start": "3.05", "end": "6.51"}
    planned = plan(media, source).json()
    assert planned["expected"]["seconds"] is None
    assert media.objects() == []
    assert media.get("/v1/clips").json()["items"] == []

    media.submit(source=source)
    media.work()
    result = media.get("/v1/clips/wave").json()["result"]
    [span] = planned["spans"]
    assert planned["clip_duration"] == result["duration"]
    assert (planned["frames"]["copy"], planned["frames"]["encode"]) == (
        result["frames_copied"], result["frames_encoded"],
    )  # fmt: skip
    assert (span["start"], span["end"], span["recording"]) == (
        result["spans"][0]["start"], result["spans"][0]["end"], "sea.mp4",
    )  # fmt: skip
    assert {each["action"] for each in span["segments"]} >= {"copy", "encode"}
    assert all(each["reason"] for each in span["segments"])
    assert span["last_frame"] - span["first_frame"] + 1 == span["frames"] == result["frames"]
    assert 0.5 < planned["expected"]["size"] / result["size"] < 2
    again = plan(media, source).json()
    assert again["expected"]["seconds"] == result["seconds"]


def test_a_plan_of_a_camera_has_its_moments_and_several_spans(media: MediaHarness) -> None:
    begins = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
    span = {"camera": "north-point", "from": (begins + timedelta(seconds=1)).isoformat(), "to": "+2s"}
    planned = plan(media, [span, {"recording": "sea.mp4", "start": 5, "end": 6}]).json()
    first, second = planned["spans"]
    assert (first["recording"], first["camera"]) == (KEY, "north-point")
    assert first["begins"] == "2026-06-21T05:30:01.000000Z"
    assert second["recording"] == "sea.mp4"
    assert Fraction(planned["clip_duration"]) == Fraction(first["duration"]) + Fraction(second["duration"])


@pytest.mark.slow
def test_a_plan_announces_that_hdr_becomes_sdr(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    made = MediaHarness(tmp_path / "data", cached_media(HDR, Path(pytestconfig.cache.mkdir("media"))))
    planned = plan(made, {"recording": "sea.mp4", "start": 0, "end": "0.2"}, edits=[{"edit": "sdr"}]).json()
    assert planned["notes"] == ["sdr: HDR is converted to SDR (BT.709, 8 bits)"]
    made.close()


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ({"recording": "none.mp4", "start": 1, "end": 2}, 404, "recording_not_found"),
        ({"recording": "sea.mp4", "start": 100, "end": 200}, 422, "range_outside_recording"),
        ({"recording": "sea.mp4", "start": 2, "end": 1}, 422, "invalid_request"),
        ({"camera": "south", "from": "2026-06-21T05:30:00Z", "to": "+2s"}, 404, "footage_missing"),
    ],
)
def test_a_plan_that_cannot_be_made_says_what_the_clip_would_fail_with(
    media: MediaHarness, source: Any, status: int, reason: str
) -> None:
    assert_problem(plan(media, source), status, reason)


# --- frames ----------------------------------------------------------------------------------------


def test_the_frame_map_says_when_each_frame_is_shown(media: MediaHarness, recording: Path) -> None:
    response = media.get(ADDRESS)
    found = response.json()
    shown = decode_presented(recording).frames
    times = [Fraction(found["start"])]
    for ticks, count in found["durations"]:
        for _ in range(count):
            times.append(times[-1] + Fraction(ticks, found["time_scale"]))
    assert found["frames"] == len(shown) == SPEC.frames
    assert times[:-1] == [frame.time for frame in shown]
    assert found["keyframes"] == [0, 60, 120, 180, 240]
    assert len(found["durations"]) < 5
    assert response.headers["etag"] == '"' + found["version"].strip('"') + '"'
    assert media.get(ADDRESS, headers={"If-None-Match": response.headers["etag"]}).status_code == 304


def counter_of(picture: bytes) -> int:
    with av.open(io.BytesIO(picture), mode="r") as container:
        return read_counter(next(container.decode(video=0)))


@pytest.mark.parametrize("number", [0, 61, 299])
def test_a_frame_is_exactly_that_frame(media: MediaHarness, number: int) -> None:
    response = media.get(f"{ADDRESS}/{number}.jpg?width=1500")
    assert (response.status_code, response.headers["content-type"]) == (200, "image/jpeg")
    assert counter_of(response.content) == number


def test_a_frame_of_a_named_version_may_be_kept_for_ever(media: MediaHarness) -> None:
    version = media.get(ADDRESS).json()["version"]
    named = media.client.get(f"{ADDRESS}/5.jpg", params={"version": version})
    assert named.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert media.get(f"{ADDRESS}/5.jpg").headers["cache-control"] == "private, no-cache"
    assert_problem(media.get(f"{ADDRESS}/5.jpg?version=other"), 409, "source_changed")


def test_frames_come_from_the_cache_the_second_time(media: MediaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    first = media.get(f"{ADDRESS}/5.jpg").content, media.get(ADDRESS).json()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(ChildCutter, "render", fail)
    monkeypatch.setattr(ChildCutter, "frame_map", fail)
    assert (media.get(f"{ADDRESS}/5.jpg").content, media.get(ADDRESS).json()) == first
    recording = media.settings.data / "recordings" / KEY
    recording.write_bytes(recording.read_bytes() + b"\0" * 8)
    assert media.get(f"{ADDRESS}/5.jpg").status_code == 500, "a new version is not taken from the cache"


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("300.jpg", 422, "range_outside_recording"),
        ("-1.jpg", 422, "invalid_request"),
        ("9999999999999.jpg", 422, "invalid_request"),
        ("x.jpg", 422, "invalid_request"),
        ("1.jpg?width=20", 422, "invalid_request"),
    ],
)
def test_a_frame_that_does_not_exist_is_refused(media: MediaHarness, path: str, status: int, reason: str) -> None:
    assert_problem(media.get(f"{ADDRESS}/{path}"), status, reason)


def test_only_recordings_of_the_catalogue_have_frames(media: MediaHarness) -> None:
    for key in ("sea.mp4", "none.mp4", "../cutback.sqlite", "%2e%2e/cutback.sqlite"):
        assert_problem(media.get_exactly(f"/v1/recordings/{key}/frames"), 404, "recording_not_found")
        assert_problem(media.get_exactly(f"/v1/recordings/{key}/frames/1.jpg"), 404, "recording_not_found")


def test_more_work_than_the_sandbox_has_slots_is_refused(media: MediaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutback.web.api.sandbox_slots._PATIENCE", 0.01)
    slots = media.app.state.sandbox_slots
    held: list[Callable[..., Any]] = []
    for _ in range(SLOTS):
        slot = slots.one()
        slot.__enter__()
        held.append(slot.__exit__)
    assert_problem(media.get(f"{ADDRESS}/1.jpg"), 503, "overloaded")
    for leave in held:
        leave(None, None, None)
    assert media.get(f"{ADDRESS}/1.jpg").status_code == 200


def test_a_crowd_that_asks_for_the_same_frame_map_has_it_made_once_for_each_slot(
    media: MediaHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd, made = 8, []
    real = ChildCutter.frame_map
    slots = media.app.state.sandbox_slots
    waiting = threading.Semaphore(0)
    one = slots.one

    def wait_for_the_others(self: ChildCutter, *args: Any, **options: Any) -> Any:
        made.append(self)
        for _ in range(crowd if len(made) == 1 else 0):
            assert waiting.acquire(timeout=PATIENCE)
        return real(self, *args, **options)

    def count() -> Any:
        waiting.release()
        return one()

    monkeypatch.setattr(slots, "one", count)
    monkeypatch.setattr(ChildCutter, "frame_map", wait_for_the_others)
    with ThreadPoolExecutor(crowd) as threads:
        answers = list(threads.map(lambda _: media.get(ADDRESS), range(crowd)))
    assert {each.status_code for each in answers} == {200}
    assert len({each.content for each in answers}) == 1
    assert len(made) <= SLOTS


def test_only_so_many_requests_wait_for_the_sandbox_that_others_still_have_threads() -> None:
    slots = SandboxSlots()
    leave = threading.Event()

    def hold() -> None:
        with suppress(OverloadedError), slots.one():
            leave.wait(PATIENCE)

    waiting = [threading.Thread(target=hold, daemon=True) for _ in range(MOST_AT_ONCE)]
    for thread in waiting:
        thread.start()
    eventually(lambda: slots.full, "the others")
    began = time.monotonic()
    with pytest.raises(OverloadedError), slots.one():
        pass
    assert time.monotonic() - began < 5
    leave.set()
    for thread in waiting:
        thread.join(PATIENCE)
    with slots.one():
        pass
