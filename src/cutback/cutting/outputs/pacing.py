"""Chooses the frames of an animation, which has fewer of them than its clip, and when each is shown. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from cutback.domain.times import FRAME_TOLERANCE


class Paced(NamedTuple):
    """A frame of an animation."""

    frame: int
    """Its number among those of the clip."""
    at: Fraction
    """Seconds."""


def paced(times: Sequence[Fraction], end: Fraction, most: Fraction) -> list[Paced]:
    """Choose at most `most` frames per second of a clip that ends at `end`; `times` are when its frames begin.

    If the clip has no more than that, all stay, at their own times. Otherwise each is the frame that is shown at a
    multiple of the period; what is shown for several periods is one longer frame.
    """
    if not times:
        return []
    steps = [after - before for before, after in pairwise(times)]
    if min(steps, default=1 / most) >= 1 / most - FRAME_TOLERANCE:
        return [Paced(number, max(at, Fraction(0))) for number, at in enumerate(times)]
    chosen: list[Paced] = []
    for number in range(max(1, ceil((end - FRAME_TOLERANCE) * most))):
        at = number / most
        frame = max(0, bisect_right(times, at + FRAME_TOLERANCE) - 1)
        if not chosen or chosen[-1].frame != frame:
            chosen.append(Paced(frame, at))
    return chosen


def in_ticks(frames: Sequence[Paced], end: Fraction, per_second: int) -> tuple[list[int], list[int]]:
    """Return when frames begin and how long each is shown, in ticks. Rounding never adds up: each is rounded alone.

    The first one begins at 0. One that would be shown for no tick gets one from its successor.
    """
    begins = [round(frame.at * per_second) for frame in frames]
    begins[:1] = [0]
    for number in range(1, len(begins)):
        begins[number] = max(begins[number], begins[number - 1] + 1)
    last = max(round(end * per_second), begins[-1] + 1) if begins else 0
    return begins, [after - before for before, after in pairwise([*begins, last])]
