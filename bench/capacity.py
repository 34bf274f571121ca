"""`python -m bench.capacity`: simulates a burst of requests on AWS from measured times, and bounds workers with jobs.

The model is that of https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: an SQS event source mapping
starts with five concurrent batches and adds up to 300 a minute, up to its maximum concurrency and the account's.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.page import replace_part
from bench.tables import table

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
_FIRST = 5
_MORE_A_MINUTE = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a burst. All times are in seconds."""

    drained: float
    p50: float
    p99: float
    busiest: int
    """Most functions running at once."""
    function_seconds: float


def simulate(
    count: int, *, spread: float, service: Sequence[float], limit: int, seed: int = 1, overhead: float = 0.05
) -> Outcome:
    """`count` requests arrive evenly over `spread` seconds; each takes one of the `service` times, drawn at random.

    `limit` is the maximum concurrency; `overhead` is the time between a message's arrival and its function's start.
    """
    draw = random.Random(seed)
    busy: list[float] = []  # when each running function ends
    waits = []
    busiest, total, drained, now = 0, 0.0, 0.0, 0.0
    for number in range(count):
        arrived = number * spread / count
        now = max(now, arrived)  # first come, first served
        while busy and busy[0] <= now:
            heapq.heappop(busy)
        while len(busy) >= min(limit, _allowed(now)):
            # The next slot is free when a function ends, or when the mapping may start one more.
            now = min(busy[0], _when_allowed(len(busy) + 1)) if len(busy) < limit else busy[0]
            while busy and busy[0] <= now:
                heapq.heappop(busy)
        took = draw.choice(service)
        total += took
        heapq.heappush(busy, now + overhead + took)
        busiest = max(busiest, len(busy))
        waits.append(now + overhead + took - arrived)
        drained = max(drained, now + overhead + took)
    waits.sort()
    return Outcome(drained, waits[len(waits) // 2], waits[int(len(waits) * 0.99)], busiest, total)


@dataclass(frozen=True, slots=True)
class MeasuredClip:
    """What one clip took a worker that makes one at a time (docs/performance.md)."""

    work: str
    seconds: float
    cpu: float
    """Seconds of processor time."""


MEASURED = (
    MeasuredClip("exact, store at 30 ms, 80 MB/s", 1.08, 1.50),
    MeasuredClip("instant, store at 30 ms, 80 MB/s", 0.90, 0.79),
    MeasuredClip("exact, store at 150 ms, 10 MB/s", 4.6, 1.58),
    MeasuredClip("instant, store at 150 ms, 10 MB/s", 4.6, 0.80),
)


def clips_a_minute(clip: MeasuredClip, *, jobs: int, cores: int) -> float:
    """The most that a machine makes of such clips: what its jobs make, or its processors if that is less."""
    return 60 * min(jobs / clip.seconds, cores / clip.cpu)


def _allowed(now: float) -> int:
    return _FIRST + int(now * _MORE_A_MINUTE / 60 + 1e-6)


def _when_allowed(count: int) -> float:
    return max(0, count - _FIRST) * 60 / _MORE_A_MINUTE


def main() -> int:
    """Simulate, print, and write the table into docs/scaling.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="in the burst (100000)")
    parser.add_argument("--spread", type=float, default=60, help="seconds over which they arrive (60)")
    parser.add_argument(
        "--service", type=float, nargs="+", default=[0.8, 0.9, 1.0, 1.2, 4.5], metavar="S",
        help="seconds of a function for a clip, drawn at random (those of an exact 30 s clip: docs/cost.md)",
    )  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write the tables into docs/scaling.md")
    options = parser.parse_args()
    rows = []
    for limit in (10, 100, 300, 500, 1000):
        found = simulate(options.requests, spread=options.spread, service=options.service, limit=limit)
        rows.append(
            [
                f"{limit}",
                _span(found.drained),
                _span(found.p50),
                _span(found.p99),
                f"{found.busiest}",
                f"{found.function_seconds / 3600:.1f} h",
            ]
        )
    head = ["maximum concurrency", "all done after", "p50", "p99", "running at once", "function time"]
    mean = sum(options.service) / len(options.service)
    text = (
        f"`python -m bench.capacity`: {options.requests:,} requests within {options.spread:g} s, "
        f"{mean:.2f} s of a function for each on average.\n\n{table(head, rows, words=())}"
    )
    jobs = (1, 2, 4, 8)
    workers = table(
        ["clips of 30 s a minute, two cores", *(f"{count} job{'s' * (count > 1)}" for count in jobs)],
        [[clip.work, *(f"{clips_a_minute(clip, jobs=each, cores=2):.0f}" for each in jobs)] for clip in MEASURED],
    )
    workers = f"`python -m bench.capacity`:\n\n{workers}"
    print(f"{text}\n\n{workers}")
    if options.write:
        replace_part(_PAGE, "capacity", text)
        replace_part(_PAGE, "workers", workers)
    return 0


def _span(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


if __name__ == "__main__":
    sys.exit(main())
