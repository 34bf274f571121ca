"""A clip's progress is stored often enough for people, but not too often for the records."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.path.harness import PathHarness

from cutback.domain.clips.clip import ClipState, Progress
from cutback.worker.poll import Worker


class CountingRecords:
    """Records that note when each beat came, and with what."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self.beats: list[tuple[float, Progress]] = []
        self.enough = threading.Event()

    def beat(self, *about: Any, progress: Progress, **more: Any) -> bool:
        self.beats.append((time.monotonic(), progress))
        if len(self.beats) >= 4:
            self.enough.set()
        return bool(self._records.beat(*about, progress=progress, **more))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


def test_progress_is_written_at_most_twice_a_second(
    make_harness: Callable[..., PathHarness],
) -> None:
    harness = make_harness(lease=30, visibility=60)
    records = CountingRecords(harness.services.records)
    harness.submit()
    harness.cutter.steps, harness.cutter.pause = 100_000, 0.001

    def on_step(_step: int) -> None:
        if records.enough.is_set():
            harness.stop.set()

    harness.cutter.on_step = on_step
    Worker(harness.another(records=records)).work_once(harness.stop)
    assert harness.clip("wave").state is ClipState.QUEUED, "given back"
    times = [at for at, _ in records.beats]
    assert all(later - sooner >= 0.5 for sooner, later in itertools.pairwise(times))
    told = [progress for _, progress in records.beats]
    assert [progress.fraction for progress in told] == sorted(progress.fraction for progress in told)
    assert all(0 < progress.fraction < 1 and progress.frames and progress.bytes for progress in told)
