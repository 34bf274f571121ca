"""What it costs to start `cutback`: processor time of whole processes, beside what nobody can avoid."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

Say = Callable[[str], None]

LIMIT = 0.25
"""Seconds of processor time for each program of ours."""

_CUTBACK = [sys.executable, "-m", "cutback"]
PROGRAMS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import av'": [sys.executable, "-c", "import av"],
    "cutback --version": [*_CUTBACK, "--version"],
    "cutback cut nothing.mp4": [*_CUTBACK, "cut", "nothing.mp4", "--from", "1"],
}
"""The last one ends where the recording would be opened."""


@dataclass(frozen=True, slots=True)
class StartUp:
    """What starting one program costs."""

    program: str
    seconds: float
    """Median of the runs: user and system time, its children's included."""


def measure_start_up(*, runs: int, say: Say) -> list[StartUp]:
    """Start each program `runs` times, after once to fill the caches."""
    found = []
    for name, program in PROGRAMS.items():
        taken = [_processor_time(program) for _ in range(runs + 1)][1:]
        found.append(StartUp(name, statistics.median(taken)))
        say(f"{name}: {found[-1].seconds:.3f} s")
    return found


def _processor_time(program: list[str]) -> float:
    before = _of_children()
    subprocess.run(program, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return _of_children() - before


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
