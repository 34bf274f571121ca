"""Gaps in the footage are filled exactly, at the frame rate and silently, and nothing around them changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from tests.media.check_clip import LEAST_PSNR, check_layout, expected_range
from tests.media.cuts import CutResult, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings, psnr
from tests.support.sampling import each_once, slow_except

from cutback.cutting.job import CutGap, CutRange, Fill, Precision
from cutback.domain.errors import RangeOutsideRecordingError

Recordings = Callable[[str], ReferenceRecording]

FRAME = Fraction(1, 30)


def cut_with_gaps(
    reference: ReferenceRecording, *ranges: tuple[str, str] | CutGap, precision: Precision = "exact"
) -> tuple[CutResult, Presented]:
    """A clip of pieces of one recording, with gaps, and what it shows."""
    asked = [
        piece if isinstance(piece, CutGap) else CutRange(0, Fraction(piece[0]), Fraction(piece[1])) for piece in ranges
    ]
    clip = cut_ranges([reference.path], asked, precision=precision)
    assert decode_warnings(clip.data) == []
    check_layout(clip.data)
    return clip, decode_presented(clip.data, luma=True)


def numbers(reference: ReferenceRecording, start: str, end: str) -> Sequence[int]:
    """The frames of a range."""
    part = expected_range(reference, Fraction(start), Fraction(end))
    assert part is not None
    return reference.counters[part.first : part.stop]


def silent(shown: Presented, begin: float, end: float) -> bool:
    """Whether it is silent from `begin` to `end`, except for the encoder's artefacts at the ends."""
    assert shown.audio_start is not None
    low, high = (round((at - float(shown.audio_start)) * shown.sample_rate) for at in (begin + 0.03, end - 0.03))
    return bool(np.abs(shown.audio[max(0, low) : high]).max() < 0.01)


COPIED = ["pyramid", "no-b-frames", "hevc", "open-gop", "baseline", "slices", "29.97"]
FILLS: list[Fill] = ["freeze", "black"]


@pytest.mark.parametrize("case", slow_except(product(COPIED, FILLS), *each_once(COPIED, FILLS)), ids=str)
def test_a_gap_is_filled_at_the_frame_rate_and_what_is_around_it_stays(
    case: tuple[str, Fill], recording: Recordings
) -> None:
    name, fill = case
    reference = recording(name)
    before, behind = numbers(reference, "1.1", "2.3"), numbers(reference, "3.5", "4.9")
    clip, shown = cut_with_gaps(reference, ("1.1", "2.3"), CutGap(Fraction("2.7"), fill), ("3.5", "4.9"))
    filled = round(Fraction("2.7") / (reference.times[1] - reference.times[0]))
    counters = [frame.counter for frame in shown.frames]
    assert counters[: len(before)] == list(before)
    assert counters[len(before) + filled :] == list(behind)
    assert counters[len(before) : len(before) + filled] == [before[-1] if fill == "freeze" else None] * filled
    begin = (
        reference.times[reference.counters.index(before[-1]) + 1] - reference.times[reference.counters.index(before[0])]
    )
    step = reference.times[1] - reference.times[0]
    for place, time in enumerate(shown.times[len(before) : len(before) + filled]):
        assert abs(time - begin - place * step) <= Fraction(1, 1000)
    assert abs(shown.times[len(before) + filled] - begin - Fraction("2.7")) <= Fraction(1, 1000)
    assert silent(shown, float(begin), float(begin) + 2.7)
    assert [(span.start >= 1, span.end < 5) for span in clip.facts.spans] == [(True, True)] * 2
    assert clip.facts.duration == sum(span.end - span.start for span in clip.facts.spans) + Fraction("2.7")
    assert clip.facts.frames == len(shown.frames) == clip.facts.frames_copied + clip.facts.frames_encoded
    assert not clip.facts.remade
    if reference.recipe.copies:
        assert clip.facts.frames_copied > 0, "what is around a gap is still copied"


def test_a_held_picture_is_the_one_before_and_black_is_black(recording: Recordings) -> None:
    reference = recording("pyramid")
    last = reference.shown.frames[reference.counters.index(numbers(reference, "1.1", "2.3")[-1])]
    assert last.luma is not None
    _, frozen = cut_with_gaps(reference, ("1.1", "2.3"), CutGap(Fraction(1), "freeze"), ("3.5", "4.9"))
    _, black = cut_with_gaps(reference, ("1.1", "2.3"), CutGap(Fraction(1), "black"), ("3.5", "4.9"))
    for place in range(36, 66):
        frozen_luma, black_luma = frozen.frames[place].luma, black.frames[place].luma
        assert frozen_luma is not None
        assert black_luma is not None
        assert psnr(frozen_luma, last.luma) >= LEAST_PSNR
        assert black_luma.max() <= 20


@pytest.mark.parametrize("fill", ["freeze", "black"])
def test_gaps_at_the_ends_freeze_the_nearest_picture(fill: Fill, recording: Recordings) -> None:
    reference = recording("pyramid")
    inside = numbers(reference, "1.1", "2.3")
    gap = CutGap(Fraction("0.5"), fill)
    clip, shown = cut_with_gaps(reference, gap, ("1.1", "2.3"), gap)
    counters = [frame.counter for frame in shown.frames]
    first, last = (inside[0], inside[-1]) if fill == "freeze" else (None, None)
    assert counters == [first] * 15 + list(inside) + [last] * 15
    assert clip.facts.duration == Fraction("2.2")
    assert shown.times[0] == 0


def test_a_gap_shorter_than_half_a_frame_takes_its_time_and_no_frame(recording: Recordings) -> None:
    reference = recording("pyramid")
    before, behind = numbers(reference, "1.1", "2.3"), numbers(reference, "3.5", "4.9")
    clip, shown = cut_with_gaps(reference, ("1.1", "2.3"), CutGap(Fraction("0.012"), "freeze"), ("3.5", "4.9"))
    assert [frame.counter for frame in shown.frames] == [*before, *behind]
    assert abs(shown.times[len(before)] - Fraction("1.212")) <= Fraction(1, 1000)
    assert clip.facts.duration == len([*before, *behind]) * FRAME + Fraction("0.012")


@pytest.mark.slow
def test_a_long_gap_costs_the_encoding_of_two_seconds(recording: Recordings) -> None:
    reference = recording("pyramid")
    clip, shown = cut_with_gaps(reference, ("1.1", "2.3"), CutGap(Fraction(600), "black"), ("3.5", "4.9"))
    assert len(shown.frames) == 36 + 18_000 + 42
    assert clip.facts.size < 3_000_000


@pytest.mark.parametrize("name", slow_except(["opus-vp9", "interlaced", "4:4:4", "vfr", "ts"], "interlaced", "vfr"))
def test_gaps_in_recordings_that_are_encoded_whole(name: str, recording: Recordings) -> None:
    reference = recording(name)
    before, behind = numbers(reference, "1.1", "1.9"), numbers(reference, "2.5", "3.1")
    clip, shown = cut_with_gaps(reference, ("1.1", "1.9"), CutGap(Fraction(1), "black"), ("2.5", "3.1"))
    counters = [frame.counter for frame in shown.frames]
    assert counters[: len(before)] == list(before)
    assert counters[-len(behind) :] == list(behind)
    assert set(counters[len(before) : -len(behind)]) == {None}
    assert not clip.facts.remade


def test_around_a_gap_keyframe_precision_still_copies(recording: Recordings) -> None:
    reference = recording("pyramid")
    clip, shown = cut_with_gaps(
        reference, ("1.7", "2.3"), CutGap(Fraction(1), "freeze"), ("3.5", "4.7"), precision="keyframe"
    )
    first, second = clip.facts.spans
    assert (first.start, first.end) == (reference.times[48], reference.times[96])
    assert second.start == reference.times[96]
    assert clip.facts.frames_encoded == 30
    assert {frame.counter for frame in shown.frames[48:78]} == {reference.counters[95]}


def test_gaps_in_sound_alone_are_silent(recording: Recordings) -> None:
    reference = recording("sound-alone")
    clip, shown = cut_with_gaps(reference, ("1.1", "2.1"), CutGap(Fraction(1), "black"), ("3", "4"))
    assert clip.facts.duration == 3
    assert silent(shown, 1, 2)
    assert not silent(shown, 2, 3)


def test_there_must_be_more_than_gaps(recording: Recordings) -> None:
    with pytest.raises(RangeOutsideRecordingError):
        cut_with_gaps(recording("pyramid"), CutGap(Fraction(1), "black"))


def test_a_range_between_seams_too_short_for_a_frame_still_takes_its_time(recording: Recordings) -> None:
    reference = recording("pyramid")
    before, behind = numbers(reference, "1.1", "2.3"), numbers(reference, "4", "4.9")
    crumb = CutRange(0, Fraction("3.502"), Fraction("3.521"), seam_before=True, seam_after=True, optional=True)
    first = CutRange(0, Fraction("1.1"), Fraction("2.3"), seam_after=True)
    last = CutRange(0, Fraction(4), Fraction("4.9"), seam_before=True)
    clip = cut_ranges([reference.path], [first, crumb, last])
    shown = decode_presented(clip.data)
    assert shown.counters == [*before, *behind]
    assert abs(shown.times[len(before)] - Fraction("1.219")) <= Fraction(1, 1000)
    assert clip.facts.duration == Fraction("2.119")
