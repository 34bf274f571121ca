"""Finds where something happens on a camera: peaks of its activity over its own baseline of that hour. Pure.

docs/moments.md has the rules. Activity is that of `cutback.cutting.activity`; its logarithm is used, because light,
rain and bitrate multiply it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

AROUND = timedelta(minutes=30)
"""The baseline of a second is that of the hour around it."""
LEAST_STRENGTH = 0.5
"""The strength of a peak that just rises above what is usual."""

_SMOOTHED = 7
"""Seconds over which activity is averaged: a moment lasts several seconds, and noise does not."""
_TREND = 90
"""A slow change, such as daylight, is the median of so many seconds before and after; it is taken away."""
_TREND_STEP = 30
"""Seconds between medians; in between, the trend is straight."""
_APART = 4
"""A peak is the highest value of so many seconds before and after it."""
_BLOCK = 300
"""Seconds that share a baseline."""
_SIGMAS = 4.0
"""How many robust standard deviations above the median count as unusual."""
_LEAST_SPREAD = 0.03
"""Lowest standard deviation, in natural logarithms: codecs vary by so much without a cause."""
_MAD_TO_SIGMA = 1.4826
_FEWEST_PEAKS = 12
"""Fewest peaks that can show two groups, such as waves with and without a surfer."""
_CLEAR_GAP = 2.5
"""Two groups are clear if their means are so many of their standard deviations apart."""
_LEAST_GAP = 0.055
"""The lowest distance of two groups, in natural logarithms."""
_BREAK = 0.35
"""Where between the means of two groups the higher one begins."""
_LEAST_RISE = 0.02
_EVERY = 5
"""One of so many values is enough for the baseline of an hour: they are averages of more."""
_ROUNDING = 1
"""Seconds that may be missing between recordings which follow one another: each has whole seconds of its own."""
_FLOOR = 20.0
"""Added to activities, in thousandths, so that a still picture has a logarithm."""
_SHALLOW = 0.92
"""Neighbouring peaks with a valley of at least this share of the lower one's height are one moment."""
_WIDTH = 0.5
"""A moment lasts while activity is above this share of the height that makes a moment."""


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """The activity of a part of a recording that follows one description."""

    begins: datetime
    step: int
    """Seconds per value."""
    values: Sequence[int]
    kind: str
    """What the pictures are; only lines of one kind are compared."""


@dataclass(frozen=True, slots=True)
class CameraMoment:
    """A time at which something happens."""

    begins: datetime
    ends: datetime
    peak: datetime
    """The second with the highest activity."""
    strength: float
    """0 to 1; `LEAST_STRENGTH` is just unusual."""


def find_moments(
    lines: Sequence[ActivityLine], begins: datetime, ends: datetime, *, least: float = LEAST_STRENGTH
) -> list[CameraMoment]:
    """Return the moments whose peaks are in [begins, ends), by time.

    `lines` should begin and end `AROUND` outside of the span, so that its edges have a baseline too. Where lines
    overlap, the later one counts.
    """
    if not lines:
        return []
    zero = min(line.begins for line in lines).replace(microsecond=0)
    found: list[CameraMoment] = []
    for runs in _runs(lines, zero):
        smoothed = [(first, _without_trend(_smooth(values))) for first, values in runs]
        hour = _HourAround(smoothed)
        for first, values in smoothed:
            found += _moments_of(first, values, hour, zero, least)
    return sorted(
        (moment for moment in found if begins <= moment.peak < ends), key=lambda moment: (moment.peak, moment.begins)
    )


def _runs(lines: Sequence[ActivityLine], zero: datetime) -> Iterator[list[tuple[int, list[float]]]]:
    """Yield each kind's unbroken runs: (first second since `zero`, the logarithm of each second's activity)."""
    by_kind: dict[str, list[tuple[int, list[float]]]] = {}
    last: tuple[str, int, list[float]] | None = None
    for line in sorted(lines, key=lambda line: line.begins):
        first = round((line.begins - zero) / timedelta(seconds=1))
        logarithms = [math.log(value + _FLOOR) for value in line.values]
        values = logarithms if line.step == 1 else [value for value in logarithms for _ in range(line.step)]
        if last is not None:
            kind, begin, known = last
            del known[max(0, first - begin) :]  # the later one counts
            if kind == line.kind and known and first - begin - len(known) <= _ROUNDING:
                known += known[-1:] * (first - begin - len(known))
                known += values
                continue
        last = line.kind, first, values
        by_kind.setdefault(line.kind, []).append((first, values))
    for runs in by_kind.values():
        yield [run for run in runs if run[1]]


def _smooth(values: Sequence[float]) -> list[float]:
    before, after = _SMOOTHED // 2, _SMOOTHED - _SMOOTHED // 2
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    last = len(values)
    spans = ((max(0, n - before), min(last, n + after)) for n in range(last))
    return [(sums[stop] - sums[start]) / (stop - start) for start, stop in spans]


def _without_trend(values: Sequence[float]) -> list[float]:
    medians = [median(values[max(0, n - _TREND) : n + _TREND + 1]) for n in range(0, len(values), _TREND_STEP)]
    medians.append(medians[-1])
    steps = (divmod(n, _TREND_STEP) for n in range(len(values)))
    return [
        value - medians[step] - (medians[step + 1] - medians[step]) * part / _TREND_STEP
        for value, (step, part) in zip(values, steps, strict=True)
    ]


def _peaks(values: Sequence[float]) -> list[int]:
    """Return the numbers of the values that are the highest ones around, the first of equal ones."""
    peaks: list[int] = []
    last = len(values) - 1
    for n, value in enumerate(values):
        if (n and value < values[n - 1]) or (n < last and value < values[n + 1]):
            continue
        around = values[max(0, n - _APART) : n + _APART + 1]
        if value >= max(around) and (not peaks or n - peaks[-1] > _APART):
            peaks.append(n)
    return peaks


@dataclass(frozen=True, slots=True)
class _PeakBaseline:
    usual: float
    unusual: float
    """A moment is at least this high."""

    def strength(self, height: float) -> float:
        return max(0.0, 1 - 2 ** -((height - self.usual) / (self.unusual - self.usual)))


class _HourAround:
    """The baselines of one kind of pictures."""

    def __init__(self, runs: Sequence[tuple[int, list[float]]]) -> None:
        self._seconds = [first + n for first, values in runs for n in range(0, len(values), _EVERY)]
        self._values = [value for _, values in runs for value in values[::_EVERY]]
        peaks = [(first + n, values[n]) for first, values in runs for n in _peaks(values)]
        self._peak_seconds, self._peak_values = [each[0] for each in peaks], [each[1] for each in peaks]
        self._known: dict[int, _PeakBaseline] = {}

    def at(self, second: int) -> _PeakBaseline:
        block = second // _BLOCK
        if block not in self._known:
            middle, around = block * _BLOCK + _BLOCK // 2, int(AROUND.total_seconds())
            values = _between(self._seconds, self._values, middle - around, middle + around)
            peaks = _between(self._peak_seconds, self._peak_values, middle - around, middle + around)
            self._known[block] = _baseline(values, peaks)
        return self._known[block]


def _between(seconds: Sequence[int], values: Sequence[float], first: int, stop: int) -> Sequence[float]:
    return values[bisect_left(seconds, first) : bisect_right(seconds, stop)]


def _baseline(values: Sequence[float], peaks: Sequence[float]) -> _PeakBaseline:
    usual = median(values)
    sigma = max(_LEAST_SPREAD, _MAD_TO_SIGMA * median(abs(value - usual) for value in values))
    unusual = usual + _SIGMAS * sigma
    between = _natural_break(peaks)
    if between is not None and between < unusual:
        still = sorted(values)[len(values) // 4]
        return _PeakBaseline(min(still, between - _LEAST_RISE), between)
    return _PeakBaseline(usual, unusual)


def _natural_break(heights: Sequence[float]) -> float | None:
    """Return the height between two clear groups of peaks: where their variance within is lowest (Otsu's method).

    Where something happens all the time, such as waves, what happens now and then, such as a ride, is the higher group.
    """
    if len(heights) < _FEWEST_PEAKS:
        return None
    ordered = sorted(heights)
    sums, squares = [0.0], [0.0]
    for height in ordered:
        sums.append(sums[-1] + height)
        squares.append(squares[-1] + height * height)
    total = len(ordered)

    def within(cut: int) -> float:
        low = squares[cut] - sums[cut] ** 2 / cut
        high = squares[-1] - squares[cut] - (sums[-1] - sums[cut]) ** 2 / (total - cut)
        return low + high

    cut = min(range(2, total - 1), key=within)
    spread = math.sqrt(max(0.0, within(cut)) / total)
    low, high = sums[cut] / cut, (sums[-1] - sums[cut]) / (total - cut)
    if high - low < max(_LEAST_GAP, _CLEAR_GAP * spread):
        return None
    return low + _BREAK * (high - low)


def _moments_of(
    first: int, values: Sequence[float], hour: _HourAround, zero: datetime, least: float
) -> Iterator[CameraMoment]:
    def moment(second: int) -> datetime:
        return zero + timedelta(seconds=first + second)

    peaks = [n for n in _peaks(values) if hour.at(first + n).strength(values[n]) >= least]
    if not peaks:
        return
    groups = _joined(peaks, values, lambda n: hour.at(first + n).usual)
    valleys = [_lowest(values, before[-1], after[0]) for before, after in pairwise(groups)]
    for group, lowest, highest in zip(groups, [0, *valleys], [*valleys, len(values)], strict=True):
        peak = max(group, key=values.__getitem__)
        base = hour.at(first + peak)
        level = base.usual + _WIDTH * (min(base.unusual, values[peak]) - base.usual)
        start, stop = group[0], group[-1] + 1
        while start > lowest and values[start - 1] > level:
            start -= 1
        while stop < highest and values[stop] > level:
            stop += 1
        yield CameraMoment(moment(start), moment(stop), moment(peak), round(base.strength(values[peak]), 3))


def _joined(peaks: Sequence[int], values: Sequence[float], usual: Callable[[int], float]) -> list[list[int]]:
    """Group peaks with shallow valleys between them."""
    groups: list[list[int]] = []
    for peak in peaks:
        if groups:
            before, base = groups[-1][-1], usual(peak)
            valley = values[_lowest(values, before, peak)] - base
            if valley >= _SHALLOW * (min(values[before], values[peak]) - base):
                groups[-1].append(peak)
                continue
        groups.append([peak])
    return groups


def _lowest(values: Sequence[float], first: int, last: int) -> int:
    return min(range(first, last + 1), key=values.__getitem__)
