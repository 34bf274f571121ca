"""A crew of worker processes: started, started again when one dies, ended together."""

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
"""For a worker to give its work back before it is killed; its lease then does the same, later."""

_STEADY_SECONDS = 60.0
_LONGEST_DELAY = 30.0


def restart_delay(deaths: int) -> float:
    """Seconds to wait before a worker is started again, after so many deaths in a row (from 1)."""
    return float(min(_LONGEST_DELAY, 0.5 * 2 ** min(max(deaths, 1) - 1, 10)))


@dataclass(slots=True)
class WorkerSlot:
    """A slot for one worker process, which is replaced when it dies."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    """Not to be started before; a monotonic time."""
    deaths: int = 0
    """In a row."""


class Crew:
    """Worker processes, each of its own session, so that a Ctrl-C reaches them through us alone.

    Every worker holds the read end of a pipe from us: should we be killed, it reads the end of it and stops.
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
        """`logs` is the folder for `worker-N.log`; without it they write where we do. `environment` is added."""
        self._command = [*command, "--data", str(data)]
        self._environment = {
            **os.environ,
            # What this process can import: a checkout runs as an installed package does.
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "CUTBACK_SCAN_SECONDS": "0",  # who leads the crew scans for all of it
            **(environment or {}),
        }
        self._logs = logs
        self.slots = [WorkerSlot(number) for number in range(1, count + 1)]

    def __enter__(self) -> Self:
        """Start them all."""
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
        for slot in self.slots:
            self._start(slot)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them all; work in hand is given back."""
        self.stop()

    @property
    def running(self) -> int:
        """How many are at work."""
        return sum(slot.process is not None for slot in self.slots)

    @property
    def deaths(self) -> int:
        """The most deaths in a row in any one slot."""
        return max((slot.deaths for slot in self.slots), default=0)

    def tend(self) -> None:
        """Look after them: note who died, start whose time has come. Call it a few times a second."""
        now = time.monotonic()
        for slot in self.slots:
            if slot.process is not None and slot.process.poll() is not None:
                lived = now - slot.started_at
                slot.deaths = 1 if lived > _STEADY_SECONDS else slot.deaths + 1
                slot.start_at = now + restart_delay(slot.deaths)
                log.error(
                    "worker=%d pid=%d ended=%s again_in=%.1f",
                    slot.number, slot.process.pid, slot.process.returncode, slot.start_at - now,
                )  # fmt: skip
                _close(slot.process)
                slot.process = None
            if slot.process is None and now >= slot.start_at:
                self._start(slot)

    def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Tell all to stop, wait for them, kill who does not within `patience` seconds."""
        processes = [slot.process for slot in self.slots if slot.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + patience
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("pid=%d does not stop and is killed", process.pid)
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
