"""Which time a camera covered, without regard to the single recordings; how much of each hour. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.wallclock import seconds_between

SEAM = timedelta(milliseconds=100)
"""Smaller gaps and overlaps come from rounding and do not count."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A period of the wall clock, from `begins` (included) to `ends` (excluded)."""

    begins: datetime
    ends: datetime


@dataclass(slots=True)
class Covered:
    """What a camera covered: recordings that meet are one period."""

    periods: list[Period] = field(default_factory=list)
    """In order; gaps lie between them."""
    growing: list[Period] = field(default_factory=list)
    """Recordings that are still being written."""

    @classmethod
    def by(cls, recordings: Iterable[CameraRecording]) -> Covered:
        """Return what one camera's recordings cover, which must be ordered by start."""
        made = cls()
        for each in recordings:
            made.add(each)
        return made

    def add(self, recording: CameraRecording) -> None:
        """Add the next recording by start."""
        begins, ends = recording.start, recording.end
        if self.periods and begins - self.periods[-1].ends < SEAM:
            last = self.periods[-1]
            self.periods[-1] = Period(last.begins, max(last.ends, ends))
        else:
            self.periods.append(Period(begins, ends))
        if recording.growing:
            self.growing.append(Period(begins, ends))

    @property
    def gaps(self) -> list[Period]:
        """The periods between what is covered."""
        return [Period(before.ends, after.begins) for before, after in pairwise(self.periods)]

    def share(self, start: datetime, end: datetime) -> Fraction:
        """Return which share of [start, end) is covered, from 0 to 1."""
        inside = sum(
            (
                seconds_between(max(each.begins, start), min(each.ends, end))
                for each in self.periods
                if each.begins < end and each.ends > start
            ),
            Fraction(0),
        )
        return inside / seconds_between(start, end)


def hours_between(start: datetime, end: datetime) -> list[Period]:
    """Return the hours of the clock that [start, end) touches; the first and the last end where it does."""
    made, begins = [], start
    while begins < end:
        ends = min(begins.replace(minute=0, second=0, microsecond=0) + HOUR, end)
        made.append(Period(begins, ends))
        begins = ends
    return made
