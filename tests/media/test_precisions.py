"""`keyframe` and `instant`: no picture is encoded, and the reported times are those that are shown."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from tests.media.check_clip import ExpectedRange, check_clip, expected_range
from tests.media.cuts import cut_in_process
from tests.media.recordings import ReferenceRecording
from tests.support.sampling import slow_except

Recordings = Callable[[str], ReferenceRecording]

COPIED = [
    *("pyramid", "no-b-frames", "open-gop", "open-gop-cavlc", "10-bit", "slices", "baseline", "field-pictures"),
    *("hevc", "hevc-open", "hevc-10", "hevc-hdr10", "av1", "vp9", "mpeg4", "mjpeg"),
    *("fragmented", "fragmented-delayed", "negative-cts", "mkv", "ts", "ts-wrap", "ts-back"),
    *("edit-list", "picture-late", "rotated", "anamorphic", "vfr", "rate-changes", "29.97", "120"),
    *("no-sound", "mp3", "opus", "ac3"),
]
RANGES = slow_except([("1.1", "2.3"), ("0", "0.5"), ("2.6", "100")], ("1.1", "2.3"))


@pytest.mark.parametrize("name", slow_except(COPIED, *COPIED[::2]))
@pytest.mark.parametrize("wanted", RANGES, ids=str)
def test_keyframe_precision_snaps_outwards_and_copies(
    name: str, wanted: tuple[str, str], recording: Recordings
) -> None:
    reference, (start, end) = recording(name), wanted
    asked = expected_range(reference, Fraction(start), Fraction(end))
    assert asked is not None
    clip = cut_in_process([reference.path], (0, Fraction(start), Fraction(end)), precision="keyframe")
    assert clip.facts.frames_encoded == 0
    (span,) = clip.facts.spans
    assert span.start <= asked.start + Fraction(1, 1000)
    assert span.end >= asked.end - Fraction(1, 1000)
    first = max((n for n in reference.keyframes if n <= asked.first), default=0)
    if first:
        assert abs(span.start - reference.times[first]) <= Fraction(1, 1000)
    else:
        assert span.start <= reference.times[0]
    # The span it tells is the one it shows, cut at whole frames.
    stop = next(
        (n for n, time in enumerate(reference.times) if time >= span.end - Fraction(1, 1000)), len(reference.times)
    )
    later = [n for n in reference.keyframes if n >= asked.stop]
    assert stop <= (later[0] if later else len(reference.times))
    check_clip(clip, [ExpectedRange(reference, first, stop, span.start, span.end, asked.clamped)], like="copy")


@pytest.mark.parametrize("name", slow_except(COPIED, *COPIED[1::2]))
@pytest.mark.parametrize("wanted", RANGES, ids=str)
def test_instant_presents_exactly_the_requested_frames_without_encoding(
    name: str, wanted: tuple[str, str], recording: Recordings
) -> None:
    reference, (start, end) = recording(name), wanted
    part = expected_range(reference, Fraction(start), Fraction(end))
    assert part is not None
    clip = cut_in_process([reference.path], (0, Fraction(start), Fraction(end)), precision="instant")
    check_clip(clip, [part], like="copy")


def test_instant_of_several_ranges_is_exact_by_encoding(recording: Recordings) -> None:
    reference = recording("pyramid")
    ranges = [(0, Fraction("1.1"), Fraction("2.3")), (0, Fraction("4.05"), Fraction("5.1"))]
    parts = [part for _, start, end in ranges if (part := expected_range(reference, start, end))]
    clip = cut_in_process([reference.path], *ranges, precision="instant")
    check_clip(clip, parts)
    assert clip.facts.frames_encoded > 0
