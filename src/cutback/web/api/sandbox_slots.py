"""Limits how many sandboxed children one node starts for requests at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cutback.cutting.job import Limits
from cutback.domain.errors import OverloadedError

SLOTS = 2
_PATIENCE = 10.0
"""Seconds to wait for a slot."""
MOST_AT_ONCE = 16
"""Maximum requests that hold a slot or wait for one. Each takes a thread, and other requests need threads, too."""
LONGEST = 20
"""Maximum seconds of one job: somebody waits for its answer."""


class SandboxSlots:
    """Lets few jobs run at once; a request that has to wait too long is told that the server is busy."""

    def __init__(self) -> None:
        """Begin with all slots free."""
        self._free = threading.BoundedSemaphore(SLOTS)
        self._admitted = threading.BoundedSemaphore(MOST_AT_ONCE)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot.

        Raises:
            OverloadedError: none became free, or too many requests wait already.
        """
        with _held(self._admitted, seconds=0), _held(self._free, seconds=_PATIENCE):
            yield


@contextmanager
def _held(semaphore: threading.BoundedSemaphore, *, seconds: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=seconds):
        raise OverloadedError
    try:
        yield
    finally:
        semaphore.release()


def short(limits: Limits) -> Limits:
    """Return the limits of a job for whose answer somebody waits."""
    return replace(limits, seconds=min(limits.seconds, LONGEST), stall_seconds=min(limits.stall_seconds, LONGEST))
