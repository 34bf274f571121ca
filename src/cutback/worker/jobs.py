"""Several jobs at once in one worker process, so that waiting for distant stores overlaps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from cutback.cutting.job import Cutter
from cutback.services import Services
from cutback.worker.counts import WorkerCounts
from cutback.worker.poll import Worker
from cutback.worker.presence import present


@dataclass(frozen=True, slots=True)
class Job:
    """One of the workers of a process. It has its own name, figures and child processes."""

    services: Services
    counts: WorkerCounts


def jobs_of(services: Services, count: int, another_cutter: Callable[[], Cutter]) -> list[Job]:
    """Return the jobs of a process: the first has the process's own name and cutter, the others end in `-2` and so on.

    Whoever closes `services` closes the first cutter; `run_jobs` closes the others.
    """
    first = [Job(services, WorkerCounts())]
    others = range(2, count + 1)
    return first + [
        Job(replace(services, worker=f"{services.worker}-{number}", cutter=another_cutter()), WorkerCounts())
        for number in others
    ]


def run_jobs(jobs: Sequence[Job], stop: threading.Event) -> None:
    """Work until `stop` is set; each clip in progress then returns to the queue immediately.

    Each job has its own lease, heartbeat, note and limits. One of them at a time waits for messages, and the first one
    also does housekeeping and delivers webhooks. If it ends with an error, all of them stop.

    Raises:
        SettingsError: there is no secret to sign webhooks with; nothing was done.
    """
    turn = threading.Lock()
    first, *others = [Worker(job.services, job.counts, receiving=turn, keeps_house=job is jobs[0]) for job in jobs]
    threads = [
        threading.Thread(target=worker.run, args=[stop], name=f"job-{number}")
        for number, worker in enumerate(others, 2)
    ]
    try:
        for thread in threads:
            thread.start()
        first.run(stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for job in jobs[1:]:
            job.services.cutter.close()


@contextmanager
def all_present(jobs: Sequence[Job]) -> Iterator[None]:
    """Register all jobs as running workers of their data folder, as `present` does."""
    with ExitStack() as stack:
        for job in jobs:
            settings = job.services.settings
            database = settings.database_path if settings.uses_sqlite else None
            stack.enter_context(present(settings.data, job.services.worker, database))
        yield
