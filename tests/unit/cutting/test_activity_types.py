"""Activity of pictures of several types: each type has the same say, whatever its sizes."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from dataclasses import replace

import pytest
from tests.unit.cutting.gop_structures import FOREVER, Picture, make_track

from cutback.cutting.activity import activity_of
from cutback.cutting.index import Track

SECONDS, BUSY = 8, 4
"""Something happens in one of the seconds."""
P, B, KEYFRAME = 2_000, 280, 18_000
"""Bytes."""


def track(pattern: str, grown: Collection[str] = (), factor: int = 2) -> Track:
    """A recording whose seconds are as a pattern says, such as IBPBP, in the order in which they are shown.

    The `grown` types are larger in the busy second.
    """
    shown = pattern * SECONDS
    order: list[int] = []  # a B picture is decoded after the next one that is none
    waiting: list[int] = []
    for place, kind in enumerate(shown):
        if kind == "B":
            waiting.append(place)
        else:
            order += [place, *waiting]
            waiting = []
    order += waiting
    pictures = [Picture(frozenset(), place, keyframe=shown[place] == "I") for place in order]
    ticks = 90_000 // len(pattern)
    made = make_track(pictures, list(range(0, ticks * len(shown), ticks)), ticks, (0, FOREVER))
    sizes = {"I": KEYFRAME, "P": P, "B": B}
    busy = range(BUSY * len(pattern), (BUSY + 1) * len(pattern))
    each = (sizes[shown[place]] * (factor if shown[place] in grown and place in busy else 1) for place in order)
    return replace(made, sizes=array("I", each))


def rise(pattern: str, grown: Collection[str]) -> float:
    """Return how many times as high the activity of the busy second is as that of the others."""
    values = activity_of(track(pattern, grown))
    still = [value for second, value in enumerate(values) if second != BUSY]
    assert len(values) == SECONDS
    assert max(still) - min(still) <= 1
    return values[BUSY] / still[0]


@pytest.mark.parametrize("pattern", ["I" + "BP" * 15, "I" + "BBP" * 10, "I" + "BBBP" * 8])
def test_both_types_of_predicted_pictures_have_the_same_say(pattern: str) -> None:
    """In bytes, the small pictures would hardly count: all of them are an eighth of the others, or a quarter."""
    assert rise(pattern, "B") == pytest.approx(2**0.5, rel=0.01)
    assert rise(pattern, "P") == pytest.approx(2**0.5, rel=0.01)
    assert rise(pattern, "PB") == pytest.approx(2, rel=0.01)


def test_one_type_alone_counts_by_its_bytes() -> None:
    values = activity_of(track("I" + "P" * 29))
    assert values == [round(1000 * 29 * P / KEYFRAME)] * SECONDS
    assert rise("I" + "P" * 29, "P") == pytest.approx(2, rel=0.01)


def test_a_single_picture_of_a_type_says_nothing() -> None:
    assert rise("I" + "P" * 14 + "BP" + "P" * 13, "B") == 1
