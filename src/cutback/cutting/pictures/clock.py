"""Converts the times of a recording's pictures to those of the clip. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil
from typing import Protocol

from cutback.cutting.index import Track
from cutback.cutting.plan.retiming import Retiming
from cutback.domain.times import FRAME_TOLERANCE


class ClipClock(Protocol):
    """Converts a source track's PTS to the clip's."""

    def hold(self, pts: int, ticks: int) -> None:
        """Make the picture with one time begin at another."""
        ...

    def ticks(self, pts: int) -> int:
        """Return the clip's ticks."""
        ...

    def ticks_of(self, times: Iterable[int]) -> list[int]:
        """Return the clip's ticks of many times."""
        ...


def clock_of(track: Track, shift: Fraction, timescale: int, retiming: Retiming | None) -> ClipClock:
    """Return the clock of one range; `shift` converts its recording's time to cut time."""
    if retiming is None:
        return SteadyClock(track, shift, timescale)
    legs = retiming.legs
    clocks = [SteadyClock(track, shift - leg.start, timescale, speed=leg.speed, begins=leg.begins) for leg in legs]
    if len(clocks) == 1:
        return clocks[0]
    limits = [ceil(track.ticks(leg.start - shift - FRAME_TOLERANCE)) for leg in legs[1:]]
    return _LegClock(limits, clocks)


class SteadyClock:
    """A clock that runs at one speed."""

    def __init__(
        self,
        track: Track,
        shift: Fraction,
        timescale: int,
        *,
        speed: Fraction = Fraction(1),
        begins: Fraction = Fraction(0),
    ) -> None:
        """The clip's time is `begins` and the recording's time plus `shift`, divided by `speed`."""
        scale = Fraction(timescale, track.timescale) / speed
        offset = ((track.shift + shift) / speed + begins) * timescale
        # Integers with a common denominator: with fractions, this would be most of the cost of a plain copy.
        self._unit = 2 * scale.denominator * offset.denominator
        self._factor = 2 * scale.numerator * offset.denominator
        self._offset = 2 * offset.numerator * scale.denominator + self._unit // 2
        self._held: int | None = None
        self._held_ticks = 0

    def hold(self, pts: int, ticks: int) -> None:
        """See `ClipClock`."""
        self._held, self._held_ticks = pts, ticks

    def ticks(self, pts: int) -> int:
        """See `ClipClock`."""
        if pts == self._held:
            return self._held_ticks
        return (pts * self._factor + self._offset) // self._unit

    def ticks_of(self, times: Iterable[int]) -> list[int]:
        """See `ClipClock`."""
        if self._held is not None:
            return list(map(self.ticks, times))
        factor, offset, unit = self._factor, self._offset, self._unit
        return [(pts * factor + offset) // unit for pts in times]


class _LegClock:
    """A clock whose speed changes."""

    def __init__(self, limits: Sequence[int], clocks: Sequence[SteadyClock]) -> None:
        self._limits, self._clocks = limits, clocks

    def hold(self, pts: int, ticks: int) -> None:
        for clock in self._clocks:
            clock.hold(pts, ticks)

    def ticks(self, pts: int) -> int:
        return self._clocks[bisect_right(self._limits, pts)].ticks(pts)

    def ticks_of(self, times: Iterable[int]) -> list[int]:
        return list(map(self.ticks, times))
