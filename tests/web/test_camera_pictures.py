"""Pictures and sound of a span of a camera over the REST API, with real media in the real sandbox."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import av
import numpy as np
import pytest
from PIL import Image
from tests.support.media import cached_media
from tests.support.picture import read_counter
from tests.support.spec import MediaSpec
from tests.web.harness import assert_problem
from tests.web.media_harness import KEY, MediaHarness

from cutback.catalogue.register import register
from cutback.sandbox.cutter import ChildCutter

SPEC = MediaSpec(width=480, height=272, frames=120, gop=30)
BEGINS = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
SECOND = "north-point.2026-06-21T05-30-04Z.mp4"
"""It follows `KEY` without a gap."""
THIRD = "north-point.2026-06-21T05-30-20Z.mp4"
SPAN = "from=2026-06-21T05:30:00Z&to=2026-06-21T05:30:30Z"
CAMERA = "/v1/cameras/north-point"


@pytest.fixture(scope="module")
def recordings(pytestconfig: pytest.Config) -> list[Path]:
    folder = Path(pytestconfig.cache.mkdir("media"))
    return [cached_media(dataclasses.replace(SPEC, first_counter=number * 120), folder) for number in range(3)]


def harness(folder: Path, recordings: list[Path]) -> MediaHarness:
    made = MediaHarness(folder, recordings[0])
    for key, path in zip((SECOND, THIRD), recordings[1:], strict=True):
        (folder / "recordings" / key).write_bytes(path.read_bytes())
        register(made.services, key)
    return made


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory, recordings: list[Path]) -> Iterator[MediaHarness]:
    made = harness(tmp_path_factory.mktemp("cameras") / "data", recordings)
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path, recordings: list[Path]) -> Iterator[MediaHarness]:
    """For tests that change the recordings."""
    made = harness(tmp_path / "data", recordings)
    yield made
    made.close()


def counter_at(sheet: Image.Image, x: int, y: int, width: int, height: int) -> int:
    tile = sheet.crop((x, y, x + width, y + height)).resize((SPEC.width, SPEC.height), Image.Resampling.BICUBIC)
    shown = av.VideoFrame.from_ndarray(np.asarray(tile.convert("RGB")), "rgb24").reformat(format="yuv420p")
    return read_counter(shown)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_thumbnails_of_a_camera_show_the_frames_and_moments_that_they_say(media: MediaHarness) -> None:
    found = media.get(f"{CAMERA}/thumbnails?{SPAN}").json()
    address = urlsplit(found["sheet"])
    sheet = Image.open(io.BytesIO(media.get(f"{address.path}?{address.query}").content))
    keys = [KEY, SECOND, THIRD]
    items = found["items"]
    assert [each["recording"] for each in items] == [KEY] * 4 + [SECOND] * 4 + [THIRD] * 4
    for each in items:
        number = keys.index(each["recording"])
        shown = counter_at(sheet, each["x"], each["y"], found["width"], found["height"])
        assert shown == number * 120 + each["frame"]
        since = (4 * number if number < 2 else 20) + each["frame"] / 30
        assert moment(each["at"]) == BEGINS + timedelta(seconds=since)
    edges = [((moment(each[name]) - BEGINS).total_seconds()) for each in items for name in ("begins", "ends")]
    assert edges[:16] == [time for second in range(8) for time in (second, second + 1)], "footage without a gap"
    assert edges[16:] == [time for second in range(20, 24) for time in (second, second + 1)]


CUE = re.compile(r"(\S+Z)\n([\d:.]+) --> ([\d:.]+)\n(sprites\.jpg\?\S+)#xywh=(\d+),(\d+),(\d+),(\d+)\n")


def test_the_vtt_of_a_camera_counts_from_the_beginning_of_the_span(media: MediaHarness) -> None:
    late = "from=2026-06-21T05:30:02Z&to=2026-06-21T05:30:22Z"
    answer = media.get(f"{CAMERA}/sprites.vtt?{late}&count=10")
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    cues = CUE.findall(answer.text + "\n")
    times = [(begin, end) for _, begin, end, *_ in cues]
    assert times == [
        ("00:00:00.000", "00:00:02.000"),
        ("00:00:02.000", "00:00:04.000"),
        ("00:00:04.000", "00:00:06.000"),
        ("00:00:18.000", "00:00:20.000"),
    ]
    sheet = Image.open(io.BytesIO(media.get(f"{CAMERA}/{cues[0][3]}").content))
    shown = [counter_at(sheet, *map(int, cue[4:])) for cue in cues]
    assert shown == [60, 120, 180, 240]


def test_they_are_made_once_for_each_version_of_the_recordings(
    own: MediaHarness, monkeypatch: pytest.MonkeyPatch, recordings: list[Path]
) -> None:
    first = own.get(f"{CAMERA}/sprites.vtt?{SPAN}")
    with monkeypatch.context() as without:
        without.setattr(ChildCutter, "slot_sprites", None)
        own.services.cache.close()
        assert own.get(f"{CAMERA}/sprites.vtt?{SPAN}").text == first.text
        unchanged = own.get(f"{CAMERA}/sprites.vtt?{SPAN}", headers={"If-None-Match": first.headers["etag"]})
        assert unchanged.status_code == 304
    folder = own.services.settings.data / "recordings"
    (folder / THIRD).write_bytes(recordings[0].read_bytes() + b"\0\0\0\x08free")
    register(own.services, THIRD)
    sheet = Image.open(io.BytesIO(own.get(f"{CAMERA}/sprites.jpg?{SPAN}").content))
    assert counter_at(sheet, 8 % 10 * 160, 0, 160, 92) == 0


def test_a_recording_that_cannot_be_read_has_no_thumbnails(own: MediaHarness) -> None:
    (own.services.settings.data / "recordings" / SECOND).write_bytes(b"no video" * 100)
    (own.services.settings.data / "recordings" / THIRD).unlink()
    found = own.get(f"{CAMERA}/thumbnails?{SPAN}").json()
    assert {each["recording"] for each in found["items"]} == {KEY}


def test_a_span_without_footage_has_no_pictures(media: MediaHarness) -> None:
    empty = "from=2026-06-21T06:30:00Z&to=2026-06-21T07:30:00Z"
    found = media.get(f"{CAMERA}/thumbnails?{empty}").json()
    assert (found["sheet"], found["items"]) == (None, [])
    assert_problem(media.get(f"{CAMERA}/sprites.jpg?{empty}"), 404, "footage_missing")
    assert_problem(media.get(f"{CAMERA}/waveform.json?{empty}"), 404, "footage_missing")


def test_the_waveform_of_a_camera_is_that_of_its_recordings(media: MediaHarness) -> None:
    found = media.get(f"{CAMERA}/waveform.json?{SPAN}").json()
    assert Fraction(*found["fine"]["seconds"]) == Fraction(1, 100)
    peaks = found["fine"]["peaks"]
    assert len(peaks) == 2 * 3000
    for key, begin in ((KEY, 0), (SECOND, 4), (THIRD, 20)):
        heard = media.get(f"/v1/recordings/{key}/waveform.json").json()["fine"]["peaks"][: 2 * 399]
        assert peaks[200 * begin : 200 * begin + 2 * 399] == heard
        assert max(heard) > 100
    assert not any(peaks[200 * 9 : 200 * 20])
    assert max(found["coarse"]["peaks"]) == max(peaks)
    picture = media.get(f"{CAMERA}/waveform.svg?{SPAN}")
    assert picture.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("name", ["thumbnails", "sprites.vtt", "sprites.jpg", "waveform.json", "waveform.svg"])
def test_wrong_spans_and_cameras_are_refused(media: MediaHarness, name: str) -> None:
    assert_problem(media.get(f"/v1/cameras/elsewhere/{name}?{SPAN}"), 404, "camera_unknown")
    backwards = "from=2026-06-21T05:30:30Z&to=2026-06-21T05:30:00Z"
    assert_problem(media.get(f"{CAMERA}/{name}?{backwards}"), 422, "invalid_request")
    assert_problem(
        media.get(f"{CAMERA}/{name}?from=2026-06-21T05:30:00Z&to=2026-06-24T05:30:00Z"), 422, "invalid_request"
    )
