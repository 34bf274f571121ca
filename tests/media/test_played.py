"""A clip as it is played: the pictures that formats get which encode all of them are those of the clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from tests.media.cuts import ask, cut_ranges
from tests.media.outputs import bench
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented
from tests.support.picture import read_counter

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edit_values.time import Reverse, Speed
from cutback.cutting.job import CutGap, CutRange
from cutback.cutting.outputs.played import PlayedClip

Recordings = Callable[[str], ReferenceRecording]

ONE = ask((0, Fraction("1.4"), Fraction("2.3")))
TWO: tuple[CutRange | CutGap, ...] = (
    *ask((0, Fraction("1.4"), Fraction("1.6"))),
    CutGap(Fraction("0.2"), "freeze"),
    *ask((0, Fraction(3), Fraction("3.3"))),
)
TWICE = Speed(Fraction(2), (), None)


@pytest.mark.parametrize(
    ("ranges", "edits"),
    [(ONE, ()), (TWO, ()), (ONE, (TWICE,)), (ONE, (Reverse(),))],
    ids=["one range", "two ranges and a gap", "twice as fast", "backwards"],
)
def test_the_same_pictures_are_played_at_the_same_times_as_in_the_clip(
    ranges: Sequence[CutRange | CutGap], edits: Sequence[Edit], recording: Recordings
) -> None:
    path = recording("pyramid").path
    clip = decode_presented(cut_ranges([path], ranges, edits=edits).data)
    with bench([path], ranges, edits=edits) as made_with:
        played = PlayedClip(made_with)
        pictures = list(played.pictures())
        middle = list(played.pictures(4, 9))
    assert [frame.counter for frame in clip.frames] == [read_counter(each.still.picture.frame) for each in pictures]
    assert all(
        abs(frame.time - each.start) < Fraction(1, 1000) for frame, each in zip(clip.frames, pictures, strict=True)
    )
    assert all(before.end == after.start for before, after in pairwise(pictures))
    assert pictures[-1].end == played.duration
    assert [each.start for each in pictures[4:9]] == [each.start for each in middle]
    assert [read_counter(each.still.picture.frame) for each in pictures[4:9]] == [
        read_counter(each.still.picture.frame) for each in middle
    ]


def test_a_turned_picture_is_shown_upright(recording: Recordings) -> None:
    path = recording("pyramid").path
    with bench([path], ONE, edits=[Rotate(90, None)]) as made_with:
        first = next(PlayedClip(made_with).pictures())
    frame = first.still.picture.frame
    assert (first.still.width, first.still.height) == (frame.height, frame.width)
    shown = first.still.shown(first.still.width)
    assert (shown.width, shown.height) == (frame.height, frame.width)


def test_the_sound_that_is_played_has_the_length_of_the_clip(recording: Recordings) -> None:
    with bench([recording("pyramid").path], TWO) as made_with:
        played = PlayedClip(made_with)
        sound = played.sound()
        assert sound is not None
        samples = sum(block.samples for block in sound.blocks())
        facts = played.facts(size=1, frames=len(played.times))
    assert samples == round(played.duration * sound.rate)
    assert facts.duration == played.duration
    assert [(span.source, span.start) for span in facts.spans] == [(0, Fraction("1.4")), (0, Fraction(3))]
