"""Waits for other processes and threads: a wait fails if nothing moves, not because a machine is slow.

On a busy machine, everything takes longer, so a deadline for a whole test is meaningless. These helpers restart their
patience whenever something moves, and measure promptness without the time in which no processor was free.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 240.0
"""Seconds without any movement after which a wait counts as hung. A step that works takes a second or so."""


class Progress:
    """Watches something that changes while work goes on, and fails once it has not changed for too long."""

    def __init__(self, what: str, moves: Callable[[], object] = lambda: None, *, patience: float = PATIENCE) -> None:
        """`what` is said in the failure; `moves` returns something that is equal as long as nothing moves."""
        self._what, self._moves, self._patience = what, moves, patience
        self._seen = moves()
        self._since = time.monotonic()

    def check(self) -> None:
        """Call again and again.

        Raises:
            AssertionError: nothing has moved for `patience` seconds.
        """
        now = self._moves()
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        idle = time.monotonic() - self._since
        assert idle < self._patience, f"{self._what}: nothing has moved for {idle:.0f} s, since {self._seen}"


def eventually(
    condition: Callable[[], object],
    what: str = "what the test waits for",
    *,
    moves: Callable[[], object] = lambda: None,
    patience: float = PATIENCE,
    every: float = 0.05,
) -> None:
    """Wait until `condition()` is true, for as long as `moves()` goes on changing; see `Progress`."""
    progress, pause = Progress(what, moves, patience=patience), threading.Event()
    while not condition():
        progress.check()
        pause.wait(every)


class Stopwatch:
    """Measures how long this process took over something, less the time it waited for a processor.

    On a quiet machine that is the time that has passed. On a busy one it is what would have passed on a quiet one,
    as far as the kernel can tell (`/proc/self/task/*/schedstat`); where it does not tell, all time counts.
    """

    def __init__(self) -> None:
        self._began, self._waited = time.monotonic(), _waited_for_a_processor()

    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._began - (_waited_for_a_processor() - self._waited)


def _waited_for_a_processor() -> float:
    """Seconds that the threads of this process were ready to run while all processors were taken."""
    total = 0
    for path in Path("/proc/self/task").glob("*/schedstat"):
        try:
            total += int(path.read_text(encoding="ascii").split()[1])
        except (OSError, IndexError):  # the thread has ended meanwhile, or the kernel does not count
            continue
    return total / 1e9


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal by now. Before that, the signal simply ends it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").split()
    return bool(int(status[status.index("SigCgt:") + 1], 16) & 1 << (number - 1))


def slowdown() -> float:
    """How many times longer than on a quiet machine work takes right now: 1.0 while a processor is free.

    For limits on what other processes do, whose time in the queue for a processor nobody sees.
    """
    began, used = time.monotonic(), time.thread_time()
    while time.thread_time() - used < 0.1:
        pass
    return max(1.0, (time.monotonic() - began) / (time.thread_time() - used))
