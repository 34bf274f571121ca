"""Limits how many sandboxed children one node starts for requests at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from cutback.cutting.job import Limits
from cutback.domain.errors import OverloadedError

SLOTS = 2
"""For jobs of about a second: frame maps, pictures, previews, plans."""
SLOW_SLOTS = 1
"""For jobs that look through whole recordings: waveforms, sprites, activity. They never hold up the quick ones."""
_PATIENCE = 10.0
"""Seconds to wait for a slot."""
MOST_AT_ONCE = 16
"""Maximum requests that hold a quick slot or wait for one. Each takes a thread, which other requests need, too."""
MOST_SLOW = 8
"""The same for slow slots."""
LONGEST = 20
"""Maximum seconds of one job: somebody waits for its answer."""


class SandboxSlots:
    """Lets few jobs run at once; a request that has to wait too long is told that the server is busy.

    Take a slot only for what is not kept: what was made before needs no sandbox.
    """

    def __init__(self) -> None:
        """Begin with all slots free."""
        self._quick = _Kind(SLOTS, MOST_AT_ONCE)
        self._slow = _Kind(SLOW_SLOTS, MOST_SLOW)

    def one(self) -> AbstractContextManager[None]:
        """Hold a slot for a quick job.

        Raises:
            OverloadedError: none became free, or too many requests wait already.
        """
        return self._quick.hold()

    def slow(self) -> AbstractContextManager[None]:
        """Hold a slot for a slow job. Raises like `one`."""
        return self._slow.hold()

    @property
    def full(self) -> bool:
        """Whether no further request may wait for a quick slot."""
        return self._quick.full


class _Kind:
    def __init__(self, slots: int, most: int) -> None:
        self._free = threading.BoundedSemaphore(slots)
        self._admitted = threading.BoundedSemaphore(most)

    @property
    def full(self) -> bool:
        if not self._admitted.acquire(blocking=False):
            return True
        self._admitted.release()
        return False

    @contextmanager
    def hold(self) -> Iterator[None]:
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
