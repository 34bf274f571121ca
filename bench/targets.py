"""Compares the targets for cutting with the measured figures. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.contenders import COPY, EXACT, EXACT_REMOTE, EXACT_WARM, INSTANT, KEYFRAME, PEER, REENCODE
from bench.cutting import Result

_MEGABYTE = 1_000_000
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Target:
    """One promise."""

    work: str
    promise: str
    measured: str
    judgement: str
    """`met`, `missed by …`, or `not measured`."""


class _MissingError(Exception):
    """A figure that a target needs was not measured."""


class _Figures:
    """The results by contender, source and seconds."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._by_place = {(each.contender, each.work.source.name, each.work.seconds): each for each in results}

    def of(self, contender: str, source: str, seconds: int) -> Result:
        """One of them, if it was measured and did not fail."""
        found = self._by_place.get((contender, source, seconds))
        if found is None or not found.runs:
            raise _MissingError
        return found

    def all_of(self, *contenders: str, failed: bool = False) -> list[Result]:
        """Those of some contenders that were measured, at least one; with those that `failed`, if wanted."""
        found = [each for each in self._by_place.values() if each.contender in contenders and (each.runs or failed)]
        if not found:
            raise _MissingError
        return found


def targets(results: Iterable[Result]) -> list[Target]:
    """Every promise with what was measured, and how far it is kept."""
    figures = _Figures(results)
    exact_2, exact_10 = "exact, 30 s, GOP 2 s", "exact, 30 s, GOP 10 s"
    copies = "`keyframe` and `instant`, warm worker"
    return [
        _at_least(exact_2, "at least 5 times faster than smartcut 1.7", 5, lambda: _faster(figures, "g2", PEER)),
        _at_least(exact_2, "PSNR no lower than smartcut's (dB above it)", 0, lambda: _better(figures, "g2")),
        _at_least(
            exact_2, "at least 40 times faster than a full re-encode", 40, lambda: _faster(figures, "g2", REENCODE)
        ),
        _at_least(exact_10, "at least 3 times faster than smartcut 1.7", 3, lambda: _faster(figures, "g10", PEER)),
        *(
            _at_most(
                f"exact, 5 min, {name}",
                "at most 2 times the 30 s cut and a plain copy together",
                2,
                lambda source=source: _longer_cut(figures, source),  # type: ignore[misc]
            )
            for source, name in (("g2", "GOP 2 s"), ("g10", "GOP 10 s"))
        ),
        *(
            _at_most(
                f"{copies}, {seconds} s",
                "at most 1.3 times `ffmpeg -c copy` (worst case)",
                1.3,
                lambda seconds=seconds: _copies(figures, seconds),  # type: ignore[misc]
            )
            for seconds in (30, 300)
        ),
        _at_most("peak memory, worker and child", "under 250 MB", 250, lambda: _memory(figures), "MB"),
        _at_most(
            "bytes read, warm index",
            "under 1.10 × the clip's size + 1 MiB (share of it used)",
            1,
            lambda: _read(figures, cold=False),
        ),
        _at_most("bytes read, cold", "the same plus the container's index", 1, lambda: _read(figures, cold=True)),
        _at_most(
            "a two-hour recording, warm",
            "at most 1.3 times the ten-minute recording",
            1.3,
            lambda: max(_two_hours(figures, seconds) for seconds in (30, 300)),
        ),
        _at_most("requests for a 30 s clip, cold", "under 12", 11, lambda: _requests(figures, cold=True), ""),
        _at_most("requests for a 30 s clip, warm", "under 6", 5, lambda: _requests(figures, cold=False), ""),
        _at_most("clips that differ from the request", "none", 0, lambda: _wrong(figures), ""),
    ]


def _faster(figures: _Figures, source: str, peer: str) -> float:
    return figures.of(peer, source, 30).wall / figures.of(EXACT_WARM, source, 30).wall


def _better(figures: _Figures, source: str) -> float:
    ours, theirs = (figures.of(name, source, 30).quality for name in (EXACT_WARM, PEER))
    if ours is None or theirs is None:
        raise _MissingError
    return 0.0 if ours.mean == theirs.mean else ours.mean - theirs.mean


def _longer_cut(figures: _Figures, source: str) -> float:
    allowed = figures.of(EXACT_WARM, source, 30).wall + figures.of(COPY, source, 300).wall
    return figures.of(EXACT_WARM, source, 300).wall / allowed


def _copies(figures: _Figures, seconds: int) -> float:
    return max(
        figures.of(name, source, seconds).wall / figures.of(COPY, source, seconds).wall
        for name in (KEYFRAME, INSTANT)
        for source in ("g2", "g10")
    )


def _memory(figures: _Figures) -> float:
    return max(each.peak for each in figures.all_of(EXACT_WARM, EXACT_REMOTE, KEYFRAME, INSTANT)) / _MEGABYTE


def _read(figures: _Figures, *, cold: bool) -> float:
    shares = []
    for each in figures.all_of(EXACT_REMOTE):
        allowed = 1.10 * each.clip_bytes + _MEBIBYTE
        if cold and each.first is not None:
            shares.append(each.first.bytes_read / (allowed + each.work.source.index_bytes))
        else:
            shares.append(each.latest.bytes_read / allowed)
    return max(shares)


def _two_hours(figures: _Figures, seconds: int) -> float:
    return figures.of(EXACT_WARM, "g2-2h", seconds).wall / figures.of(EXACT_WARM, "g2", seconds).wall


def _requests(figures: _Figures, *, cold: bool) -> float:
    shorter = [each for each in figures.all_of(EXACT_REMOTE) if each.work.seconds == 30]
    runs = [each.first if cold and each.first is not None else each.latest for each in shorter]
    return max((run.requests or 0 for run in runs), default=math.nan)


def _wrong(figures: _Figures) -> float:
    judged = figures.all_of(EXACT, EXACT_REMOTE, EXACT_WARM, INSTANT, failed=True)
    return sum(each.verdict is None or not each.verdict.right for each in judged)


def _at_least(work: str, promise: str, wanted: float, figure: Callable[[], float], unit: str = "×") -> Target:
    if "dB" in promise:
        unit = "dB"
    return _target(work, promise, figure, lambda found: wanted - found, unit)


def _at_most(work: str, promise: str, wanted: float, figure: Callable[[], float], unit: str = "×") -> Target:
    return _target(work, promise, figure, lambda found: found - wanted, unit)


def _target(
    work: str, promise: str, figure: Callable[[], float], lacking: Callable[[float], float], unit: str
) -> Target:
    try:
        found = figure()
    except _MissingError:
        return Target(work, promise, "–", "not measured")
    lack = lacking(found)
    judgement = "met" if lack <= 0 else f"**missed** by {_number(lack, unit)}"
    return Target(work, promise, _number(found, unit), judgement)


def _number(value: float, unit: str) -> str:
    text = f"{value:.0f}" if unit in {"", "MB"} else f"{value:.2f}"
    return f"{text} {unit}".strip()
