"""A real browser plays the clips completely, and shows the right pictures at both ends."""

from __future__ import annotations

import base64
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.media.check_clip import ExpectedRange, expected_range
from tests.media.cuts import CutResult, cut_in_process, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.browser import PLAY
from tests.support.media import read_luma_counter

from cutback.cutting.job import CutGap, CutRange, Fill, Precision
from cutback.domain.times import Instant

pytestmark = pytest.mark.slow

Recordings = Callable[[str], ReferenceRecording]


CLIPS: dict[str, list[tuple[str, str, str]]] = {
    "copied between encoded edges": [("pyramid", "1.1", "4.7")],
    "from keyframe to keyframe": [("pyramid", "1.6", "4.8")],
    "encoded whole": [("one-gop", "2.2", "3.4")],
    "open GOP": [("open-gop", "1.5", "4.4")],
    "fragmented": [("fragmented", "1.1", "3.2")],
    "no B-frames": [("no-b-frames", "1.3", "3.1")],
    "29.97 without end": [("29.97", "5.0", "100")],
    "variable frame rate": [("vfr", "1.5", "4.5")],
    "no sound": [("no-sound", "1.1", "2.2")],
    "sound that begins late": [("sound-late", "0", "1.4")],
    "picture that begins late": [("picture-late", "0", "1.4")],
    "one frame": [("pyramid", "2.0", "2.03")],
    "joined": [("pyramid", "1.1", "2.3"), ("pyramid", "4.05", "5.9")],
    "joined of two kinds": [("pyramid", "1.1", "2.3"), ("29.97", "2.2", "3.5")],
    "of a TS": [("ts", "1.1", "3.1")],
    "of an MKV": [("mkv", "1.1", "3.1")],
    "mp3": [("mp3", "1.1", "2.6")],
    "opus": [("opus", "1.1", "2.6")],
    "5.1": [("5.1", "1.1", "2.6")],
    "sound in PCM": [("mov", "1.1", "2.6")],
    "open GOP in CAVLC": [("open-gop-cavlc", "1.5", "4.4")],
    "10 bits": [("10-bit", "1.1", "2.6")],
    "baseline": [("baseline", "1.1", "2.6")],
    "slices": [("slices", "1.1", "2.6")],
    "parameter sets that change, in a TS": [("ts-changing", "2.6", "4.2")],
    "parameter sets that change, in the samples": [("avc3-changing", "2.6", "4.2")],
    "parameter sets that change, by sample entries": [("two-entries", "2.6", "4.2")],
    "negative composition offsets": [("negative-cts", "1.1", "3.2")],
    "an edit list": [("edit-list", "1.1", "3.2")],
    "a clock that wraps": [("ts-wrap", "2.1", "4.2")],
    "a clock that jumps": [("ts-back", "2.1", "5.2")],
    "a rate that changes": [("rate-changes", "1.8", "4.1")],
    "120 a second": [("120", "0.8", "2.1")],
    "rotated": [("rotated", "1.1", "3.2")],
    "pixels that are not square": [("anamorphic", "1.1", "3.2")],
    "interlaced": [("interlaced", "1.1", "2.6")],
    "field pictures": [("field-pictures", "0.5", "2.6")],
    "4:4:4": [("4:4:4", "1.1", "2.6")],
    "AV1, encoded as H.264": [("av1", "1.3", "2.6")],
    "VP9, encoded as H.264": [("vp9", "1.3", "2.6")],
    "MPEG-4, encoded as H.264": [("mpeg4", "1.3", "2.6")],
    "MJPEG, encoded as H.264": [("mjpeg", "1.3", "2.6")],
}
COPIES: dict[str, tuple[str, Precision]] = {
    f"{name}, {precision}": (name, precision)
    for name in ("pyramid", "open-gop", "open-gop-cavlc", "10-bit", "av1", "vp9", "fragmented", "ts", "vfr", "rotated")
    for precision in ("keyframe", "instant")
}


@pytest.mark.parametrize("kind", CLIPS)
def test_chromium_plays_a_clip_to_its_end(
    kind: str, recording: Recordings, page: Any, address: str, files: dict[str, bytes]
) -> None:
    names = list(dict.fromkeys(name for name, _, _ in CLIPS[kind]))
    ranges: list[tuple[int, Instant, Instant]] = [
        (names.index(name), Fraction(start), Fraction(end)) for name, start, end in CLIPS[kind]
    ]
    clip = cut_in_process([recording(name).path for name in names], *ranges)
    parts = [part for n, start, end in ranges if (part := expected_range(recording(names[n]), start, end))]
    play(clip, parts, page, address, files)


@pytest.mark.parametrize("kind", COPIES)
def test_chromium_plays_a_clip_that_only_copies(
    kind: str, recording: Recordings, page: Any, address: str, files: dict[str, bytes]
) -> None:
    name, precision = COPIES[kind]
    reference = recording(name)
    clip = cut_in_process([reference.path], (0, Fraction("1.1"), Fraction("2.6")), precision=precision)
    assert clip.facts.frames_encoded == 0
    (span,) = clip.facts.spans
    part = expected_range(reference, span.start, span.end)
    assert part is not None
    play(clip, [part], page, address, files)


def play(clip: CutResult, parts: list[ExpectedRange], page: Any, address: str, files: dict[str, bytes]) -> None:
    """Play a clip to its end; the first and the last frame of each part must be seen on a canvas."""
    at = _middles(parts)
    url = f"/{len(files)}.mp4"
    files[url] = clip.data
    result = page.evaluate(PLAY, {"url": address + url, "times": [float(time) for _, time in at]})
    assert result["ended"]
    assert result["corrupted"] == 0
    # Chromium adds what an edit list hides behind the last frame, though it does not show it.
    most = 0.05 if clip.facts.frames_encoded else 0.15
    assert -0.05 <= result["duration"] - float(clip.facts.duration) <= most
    assert abs(result["position"] - result["duration"]) <= 0.05
    shape = parts[0].reference.shape
    own = (clip.facts.width, clip.facts.height)
    # Not all versions of Chromium stretch pixels that are not square.
    sizes = [own, (round(own[0] * shape.aspect), own[1])]
    turned = shape.rotation % 180 != 0
    assert (result["width"], result["height"]) in [size[::-1] if turned else size for size in sizes]
    turns = -shape.rotation // 90  # FFmpeg counts counter-clockwise
    seen = [_number(picture, result["width"], result["height"], turns) for picture in result["pictures"]]
    assert seen == [number for number, _ in at]


@pytest.mark.parametrize("name", ["pyramid", "29.97"])
@pytest.mark.parametrize("fill", ["freeze", "black"])
def test_chromium_plays_a_clip_with_a_filled_gap_to_its_end(
    name: str, fill: Fill, recording: Recordings, page: Any, address: str, files: dict[str, bytes]
) -> None:
    reference = recording(name)
    ends = [(Fraction("1.1"), Fraction("2.3")), (Fraction("3.5"), Fraction("4.9"))]
    before, behind = (CutRange(0, *pair) for pair in ends)
    clip = cut_ranges([reference.path], [before, CutGap(Fraction("2.7"), fill), behind])
    parts = [part for start, end in ends if (part := expected_range(reference, start, end))]
    gap = parts[0].duration
    at = [(number, time if time < gap else time + Fraction("2.7")) for number, time in _middles(parts)]
    if fill == "freeze":
        at += [(at[1][0], gap + part) for part in (Fraction("0.5"), Fraction("2.5"))]
    url = f"/{len(files)}.mp4"
    files[url] = clip.data
    result = page.evaluate(PLAY, {"url": address + url, "times": [float(time) for _, time in at]})
    assert (result["ended"], result["corrupted"]) == (True, 0)
    assert abs(result["position"] - float(clip.facts.duration)) <= 0.05
    turns = -reference.shape.rotation // 90
    seen = [_number(picture, result["width"], result["height"], turns) for picture in result["pictures"]]
    assert seen == [number for number, _ in at]


def _middles(parts: list[ExpectedRange]) -> list[tuple[int, Fraction]]:
    """The numbers of the first and the last frame of each part, and a time while each is shown."""
    wanted = []
    base = Fraction(0)
    for part in parts:
        for n in dict.fromkeys((part.first, part.stop - 1)):
            times = part.reference.times
            end = times[n + 1] if n + 1 < len(times) else part.reference.video_end
            wanted.append((part.reference.counters[n], base + (times[n] + end) / 2 - part.start))
        base += part.duration
    return wanted


def _number(picture: str, width: int, height: int, turns: int) -> int:
    rows = np.frombuffer(base64.b64decode(picture), np.uint8).reshape(height, width)
    return read_luma_counter(np.rot90(rows, turns))


HEVC = 'video/mp4; codecs="hvc1.1.6.L60.B0"'


@pytest.mark.parametrize("name", ["hevc", "hevc-open", "hevc-10"])
def test_chromium_plays_hevc_where_it_has_a_decoder(
    name: str, recording: Recordings, page: Any, address: str, files: dict[str, bytes]
) -> None:
    reference = recording(name)
    part = expected_range(reference, Fraction("1.1"), Fraction("2.6"))
    assert part is not None
    clip = cut_in_process([reference.path], (0, Fraction("1.1"), Fraction("2.6")))
    if not page.evaluate("(type) => document.createElement('video').canPlayType(type)", HEVC):
        pytest.skip("THIS CHROMIUM HAS NO DECODER FOR HEVC: such clips were decoded by FFmpeg alone")
    play(clip, [part], page, address, files)
