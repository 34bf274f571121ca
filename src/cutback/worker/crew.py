"""Runs several worker processes: starts them, restarts those that die, stops them together."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 20.0
"""Seconds for a worker to return its work before it is killed. If it is killed, its lease expires later."""

_STEADY_SECONDS = 60.0
_LONGEST_DELAY = 30.0


def restart_delay(deaths: int) -> float:
    """Return the seconds to wait before restarting a worker that has died `deaths` times in a row (from 1)."""
    return float(min(_LONGEST_DELAY, 0.5 * 2 ** min(max(deaths, 1) - 1, 10)))


@dataclass(slots=True)
class WorkerSlot:
    """A slot for one worker process, which is replaced when it dies."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    """The earliest time for the next start, by the monotonic clock."""
    deaths: int = 0
    """How often it has died in a row."""


class Crew:
    """Worker processes. Each has its own session, so that a Ctrl-C reaches them only through this process.

    The kernel kills workers when the thread that started them ends, which must be the main one. Where the kernel does
    not do that, they stop because the pipe closes that each of them has from this process.
    """

    def __init__(
        self,
        count: int,
        data: Path,
        *,
        logs: Path | None = None,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = (sys.executable, "-m", "cutback", "worker", "--with-parent"),
    ) -> None:
        """Prepare the workers; entering the context starts them.

        `logs` is the folder for `worker-N.log`; without it, workers write to this process's standard error.
        `environment` is added to this process's environment.
        """
        self._command = [*command, "--data", str(data)]
        self._environment = {
            **os.environ,
            # Workers import what this process can import, so a checkout works like an installed package.
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "CUTBACK_SCAN_SECONDS": "0",  # this process scans for all workers
            **(environment or {}),
        }
        self._logs = logs
        self.slots = [WorkerSlot(number) for number in range(1, count + 1)]

    def __enter__(self) -> Self:
        """Start all workers."""
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
        for slot in self.slots:
            self._start(slot)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all workers; they return unfinished work to the queue."""
        self.stop()

    @property
    def running(self) -> int:
        """The number of running workers."""
        return sum(slot.process is not None for slot in self.slots)

    @property
    def deaths(self) -> int:
        """The largest number of deaths in a row of any worker."""
        return max((slot.deaths for slot in self.slots), default=0)

    def tend(self) -> None:
        """Note which workers died, and restart those whose delay has passed. Call this a few times per second."""
        now = time.monotonic()
        for slot in self.slots:
            if slot.process is not None and slot.process.poll() is not None:
                lived = now - slot.started_at
                slot.deaths = 1 if lived > _STEADY_SECONDS else slot.deaths + 1
                slot.start_at = now + restart_delay(slot.deaths)
                log.error(
                    "worker=%d pid=%d ended=%s restart_in=%.1f",
                    slot.number, slot.process.pid, slot.process.returncode, slot.start_at - now,
                )  # fmt: skip
                _close(slot.process)
                slot.process = None
            if slot.process is None and now >= slot.start_at:
                self._start(slot)

    def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Tell all workers to stop, and kill those that have not stopped after `patience` seconds."""
        processes = [slot.process for slot in self.slots if slot.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + patience
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("pid=%d did not stop in time and is killed", process.pid)
                process.kill()
                process.wait()
            _close(process)
        for slot in self.slots:
            slot.process = None

    def _start(self, slot: WorkerSlot) -> None:
        with ExitStack() as stack:
            stderr: IO[bytes] | None = None
            if self._logs is not None:
                stderr = stack.enter_context((self._logs / f"worker-{slot.number}.log").open("ab"))
            slot.process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
                env=self._environment,
            )
        slot.started_at = time.monotonic()


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
