"""A real worker process for the fault tests: the shipped worker, with a fake cutter and a plan of accidents.

The plan is a folder. A file in it named `<stage>.<anything>` holds a signal's number; the first process that
reaches the stage takes the file away and sends itself that signal. With `--children` it forks such
workers instead: see `child_processes`.
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.child_processes import serve
from tests.support.fake_cutter import FakeCutter, FakeRendition

from cutback.adapters.build import build
from cutback.adapters.sqlite import (
    records,  # noqa: F401
)
from cutback.adapters.sqlite.database import Database
from cutback.cutting.job import ByteSource, CutJob, ProgressHook, RenderedFile
from cutback.domain.clips.event import Event
from cutback.domain.errors import QueueUnavailableError
from cutback.ports import Announcer
from cutback.settings.settings import load_settings

# What `build` would otherwise import in every child.
from cutback.storage import store  # noqa: F401
from cutback.worker.jobs import jobs_of, run_jobs
from cutback.worker.logs import configure_logging
from cutback.worker.signals import stopping_on_signals

_writing = Database.writing
_one_at_a_time = threading.RLock()


@contextmanager
def _writing_alone(database: Database) -> Iterator[sqlite3.Connection]:
    """One transaction of this process at a time, so that a plan can tell when there is none."""
    with _one_at_a_time, _writing(database) as connection:
        yield connection


@dataclass(frozen=True)
class Plan:
    """The accidents still to happen."""

    folder: Path

    def __call__(self, stage: str) -> None:
        for accident in self.folder.glob(f"{stage}.*"):
            try:
                number = int(accident.read_text())
                accident.unlink()
            except FileNotFoundError:
                continue  # another process took it
            if number != signal.SIGSTOP:
                os.kill(os.getpid(), number)
                return
            # A paused process that was in a transaction keeps SQLite locked for all others, until it goes on.
            with _one_at_a_time:
                os.kill(os.getpid(), number)
            return


@dataclass
class StumblingRendition(FakeRendition):
    """Passes an additional stage, `storing`, right before its last bytes."""

    plan: Callable[[str], None] = lambda _stage: None

    def chunks(self, file: RenderedFile | None = None) -> Iterator[bytes]:
        before = None
        for piece in super().chunks(file):
            if before is not None:
                yield before
            before = piece
        self.plan("storing")
        if before is not None:
            yield before


@dataclass
class StumblingCutter(FakeCutter):
    """A cutter whose work passes the stages `rendering` and `storing`."""

    plan: Callable[[str], None] = lambda _stage: None

    def render(
        self,
        job: CutJob,
        sources: Sequence[ByteSource],
        *,
        on_progress: ProgressHook,
        stopped: Callable[[], bool],
    ) -> FakeRendition:
        made = super().render(job, sources, on_progress=on_progress, stopped=stopped)
        self.renditions.clear()
        self.jobs.clear()
        return StumblingRendition(made.facts, made.seed, names=made.names, plan=self.plan)


@dataclass(frozen=True)
class FalteringAnnouncer:
    """Fails half the time."""

    announcer: Announcer
    chance: random.Random

    def close(self) -> None:
        """Nothing to close."""

    def announce(self, event: Event) -> None:
        if self.chance.random() < 0.5:
            raise QueueUnavailableError("as half the time")
        self.announcer.announce(event)


def main(_life: str = "") -> None:
    """Work until told to stop."""
    Database.writing = _writing_alone  # type: ignore[assignment, method-assign]
    plan = Plan(Path(sys.argv[1]))
    settings = load_settings()
    configure_logging(settings.log_level)
    cutter = StumblingCutter(
        steps=5,
        pause=float(os.environ.get("STEP_SECONDS", "0.02")),
        on_step=lambda step: plan("rendering") if step == 2 else None,
        plan=plan,
    )
    stop = threading.Event()
    with stopping_on_signals(stop), build(settings, cutter=cutter, checkpoint=plan) as services:
        announcers = services.announcers
        if os.environ.get("FALTERING"):
            announcers = tuple(FalteringAnnouncer(each, random.Random()) for each in announcers)
        faltering = dataclasses.replace(services, announcers=announcers)
        run_jobs(jobs_of(faltering, int(os.environ.get("WORKER_JOBS", "1")), lambda: cutter), stop)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if "--children" in sys.argv:
        serve(main)
    else:
        main()
