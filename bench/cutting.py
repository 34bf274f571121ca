"""The first section: the same clips made by Cutback and by other programs, in turns, and their cost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.contenders import (
    EXACT_WARM,
    FEWER_ROUNDS,
    PEER,
    Contender,
    Run,
    WarmWorker,
    Work,
    contenders,
    install_smartcut,
)
from bench.judge import Judge, Quality, Verdict
from bench.meter import ToolFailedError
from bench.sources import Source

Say = Callable[[str], None]

_JUDGED_WHOLE = (EXACT_WARM, PEER)
"""Whose pictures are compared one by one, in the shorter clips."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender took for one piece of work."""

    contender: str
    work: Work
    runs: tuple[Run, ...] = ()
    """Those that count for the times."""
    first: Run | None = None
    """The first one of a process or worker, in which memory is sampled; a warm worker knows no recording then."""
    verdict: Verdict | None = None
    quality: Quality | None = None
    clip_bytes: int = 0
    failure: str = ""

    @property
    def wall(self) -> float:
        """Median, seconds."""
        return median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """Median, seconds of processor time."""
        return median(run.cpu for run in self.runs)

    @property
    def peak(self) -> int:
        """Bytes of memory, the most that was seen."""
        return max(run.peak or 0 for run in (*self.runs, *filter(None, [self.first])))

    @property
    def latest(self) -> Run:
        """The last run: of a warm worker, one that has seen the recording before."""
        return self.runs[-1]


@dataclass(slots=True)
class Race:
    """One piece of work, done by all in turns, so that what disturbs the machine disturbs them alike."""

    work: Work
    entrants: list[Contender]
    folder: Path
    rounds: int
    quick: bool
    say: Say
    results: dict[str, Result] = field(default_factory=dict)
    _judge: Judge | None = None

    def run(self) -> list[Result]:
        """One round for memory and for the first touch, then those that are timed; the first clips are judged."""
        _fill_page_cache(self.work.source.path)
        for contender in self.entrants:
            self.results[contender.name] = Result(contender.name, self.work)
            if isinstance(contender, WarmWorker):
                contender.stop()
            if not self.quick or isinstance(contender, WarmWorker):
                self._take_turn(contender, 0)
        for number in range(1, self.rounds + 1):
            for contender in self.entrants:
                if number <= FEWER_ROUNDS.get(contender.name, number):
                    self._take_turn(contender, number)
        return list(self.results.values())

    def _take_turn(self, contender: Contender, number: int) -> None:
        result = self.results[contender.name]
        if result.failure:
            return
        self.folder.mkdir(parents=True)
        os.sync()  # so that no run waits for what the previous one has written
        try:
            run = contender.run(self.work, self.folder, sampled=self.quick or number == 0)
            result = replace(result, first=run) if number == 0 else replace(result, runs=(*result.runs, run))
            self.say(f"{self.work} · {contender.name} · {number or 'first'}: {run.wall:.2f} s")
            if result.verdict is None:
                result = self._judged(result, run)
            run.clip.unlink()
        except ToolFailedError as error:
            self.say(f"{self.work} · {contender.name}: {error}")
            result = replace(result, failure=str(error))
        finally:
            shutil.rmtree(self.folder)
        self.results[contender.name] = result

    def _judged(self, result: Result, run: Run) -> Result:
        self._judge = self._judge or Judge(self.work)
        verdict = self._judge.verdict(run.clip)
        quality = None
        if result.contender in _JUDGED_WHOLE and self.work.seconds <= 60:
            quality = self._judge.quality(run.clip, verdict)
        self.say(f"{self.work} · {result.contender}: {verdict}")
        return replace(result, verdict=verdict, quality=quality, clip_bytes=run.clip.stat().st_size)


def measure_cuts(sources: list[Source], cache: Path, *, rounds: int, quick: bool, say: Say) -> list[Result]:
    """All works by all contenders. Works in, and removes, a folder below `cache`."""
    smartcut = install_smartcut(cache, say)
    folder = cache / f"work-{os.getpid()}"
    entrants = contenders(smartcut, folder / "workers")
    results: list[Result] = []
    try:
        for source in sources:
            for seconds in (30, 300):
                work = Work(source, seconds)
                those = [each for each in entrants if each.takes(work)]
                results += Race(work, those, folder / "turn", rounds, quick, say).run()
    finally:
        for each in entrants:
            if isinstance(each, WarmWorker):
                each.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return results


def _fill_page_cache(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass
