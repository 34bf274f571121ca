"""A worker that is killed in each stage of its work: when it has reached one, a new process takes its place.

Settings come from the environment, as for `cutback worker`. It ends once the last stage has been reached.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from cutback.adapters.build import build
from cutback.cutting.job import ByteSource, CutJob, Cutter, ProgressHook, Rendition
from cutback.settings.settings import load_settings
from cutback.worker.logs import configure_logging
from cutback.worker.poll import Worker
from cutback.worker.signals import die_with_parent

STAGES = (
    "received",
    "parsed",
    "recorded",
    "claimed",
    "resolved",
    "rendering",
    "rendered",
    "stored",
    "committed",
    "announced",
    "acknowledged",
)


class _WatchedCutter:
    """The real one, which passes an additional stage, `rendering`."""

    def __init__(self, cutter: Cutter, reach: Callable[[str], None]) -> None:
        self._cutter, self._reach = cutter, reach

    def render(
        self, job: CutJob, sources: Sequence[ByteSource], *, on_progress: ProgressHook, stopped: Callable[[], bool]
    ) -> Rendition:
        """See `Cutter.render`."""

        def watched() -> bool:
            self._reach("rendering")
            return stopped()

        return self._cutter.render(job, sources, on_progress=on_progress, stopped=watched)

    def warm_up(self) -> None:
        """See `Cutter.warm_up`."""
        self._cutter.warm_up()

    def close(self) -> None:
        """See `Cutter.close`."""
        self._cutter.close()


def _work_until(stage: str) -> None:
    """Work, and be killed at this stage."""

    def reach(reached: str) -> None:
        if reached == stage:
            os.kill(os.getpid(), signal.SIGKILL)

    die_with_parent()
    with build(load_settings(), checkpoint=reach) as services:
        cutter = _WatchedCutter(services.cutter, reach)
        Worker(dataclasses.replace(services, cutter=cutter)).run(threading.Event())


def main() -> int:
    """Work through all stages. Exit code 1: a worker ended by itself."""
    configure_logging("INFO")
    for stage in STAGES:
        child = os.fork()  # which costs no start of Python; nothing is open yet
        if child == 0:
            try:
                _work_until(stage)
            finally:
                os._exit(70)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            return 1
        sys.stderr.write(f"killed at={stage}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
