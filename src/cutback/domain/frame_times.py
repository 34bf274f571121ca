"""Finds frames in a frame map: in whole ticks, never with a frame rate. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from cutback.domain.errors import RangeOutsideRecordingError

Durations: TypeAlias = Sequence[Sequence[int]]
"""How long frames are shown, as a frame map says it: [ticks, how many frames in a row]."""


def frames_around(durations: Durations, time_scale: int, frame: int, seconds: Fraction, *, most: int) -> range:
    """Return the frames that begin at most `seconds` / 2 before frame number `frame`, or less than that after it.

    `time_scale` is ticks per second. There are at most `most` frames on each side.

    Raises:
        RangeOutsideRecordingError: there is no such frame.
    """
    total = sum(count for _, count in durations)
    if frame >= total:
        raise RangeOutsideRecordingError(f"It has {total} frames.")
    at, half = _begin_of(durations, frame), seconds * time_scale / 2
    first, stop = _first_from(durations, at - half), _first_from(durations, at + half)
    return range(max(first, frame - most), min(stop, frame + most))


def frame_at(durations: Durations, time_scale: int, start: Fraction, seconds: Fraction) -> int:
    """Return the number of the frame that is shown at `seconds`; the first or the last one outside of the frames.

    `start` is when the first frame is shown. Both count from the recording's time zero.
    """
    after = _first_from(durations, (seconds - start) * time_scale + Fraction(1, 2))
    return max(0, after - 1)


def _begin_of(durations: Durations, frame: int) -> int:
    """Return when a frame begins, in ticks after the first one."""
    at = 0
    for ticks, count in durations:
        if frame < count:
            return at + frame * ticks
        at, frame = at + ticks * count, frame - count
    return at


def _first_from(durations: Durations, moment: Fraction) -> int:
    """Return the first frame that begins at a moment or after it; the number of frames if none does."""
    at = number = 0
    for ticks, count in durations:
        if at >= moment:
            break
        if at + (count - 1) * ticks >= moment:
            return number + math.ceil((moment - at) / ticks)
        at, number = at + ticks * count, number + count
    return number
