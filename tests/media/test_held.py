"""A picture that is held for seconds is part of a clip that begins or ends meanwhile, for the requested time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import pytest
from tests.media.check_clip import check_clip, expected_range
from tests.media.cuts import cut_in_process
from tests.media.recordings import ReferenceRecording
from tests.support.sampling import each_once, slow_except

from cutback.cutting.job import Precision

Recordings = Callable[[str], ReferenceRecording]

NAMES = ["held", "held-fragmented", "held-ts", "held-mkv"]
RANGES = {
    "within a held picture": ("3", "5"),
    "from a held picture on": ("3", "6.52"),
    "into a held picture": ("1.2", "5"),
    "from one held picture to another": ("4.5", "8.25"),
    "from a frame to the end of a held picture": ("1.96", "6"),
    "over all of them": ("0.5", "10.5"),
}


@pytest.mark.parametrize("case", slow_except(product(NAMES, RANGES), *each_once(NAMES, [*RANGES])), ids=str)
def test_a_clip_begins_and_ends_when_asked_though_a_picture_is_held(
    case: tuple[str, str], recording: Recordings
) -> None:
    name, asked = case
    reference = recording(name)
    start, end = map(Fraction, RANGES[asked])
    part = expected_range(reference, start, end)
    assert part is not None
    clip = cut_in_process([reference.path], (0, start, end))
    shown = check_clip(clip, [part])
    assert abs(clip.facts.duration - (end - start)) <= Fraction(1, 25), "a frame at most"
    assert shown.times[0] == 0


@pytest.mark.parametrize("precision", ["exact", "instant"])
def test_held_pictures_may_be_copied_and_cut_by_the_edit_list(precision: Precision, recording: Recordings) -> None:
    reference = recording("held")
    part = expected_range(reference, Fraction("7.5"), Fraction("9.5"))
    assert part is not None
    clip = cut_in_process([reference.path], (0, Fraction("7.5"), Fraction("9.5")), precision=precision)
    check_clip(clip, [part], like="copy" if precision == "instant" else "exact")


def test_ranges_that_begin_and_end_while_pictures_are_held_are_joined(recording: Recordings) -> None:
    reference = recording("held")
    ranges = [("3", "4"), ("8", "9.2"), ("1.52", "2.5"), ("6.52", "8.5")]
    parts = [expected_range(reference, Fraction(a), Fraction(b)) for a, b in ranges]
    clip = cut_in_process([reference.path], *((0, Fraction(a), Fraction(b)) for a, b in ranges))
    check_clip(clip, [part for part in parts if part is not None])
    assert clip.facts.duration == Fraction("5.16")


def test_ordinary_frames_are_taken_whole_as_ever(recording: Recordings) -> None:
    reference = recording("pyramid")
    clip = cut_in_process([reference.path], (0, Fraction("1.11"), Fraction("2.09")))
    [span] = clip.facts.spans
    assert (span.start, span.end) == (reference.times[34], reference.times[63])
