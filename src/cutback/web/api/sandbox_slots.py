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
LONGEST = 20
"""Maximum seconds of one job: somebody waits for its answer."""


class SandboxSlots:
    """Lets few jobs run at once; a request that has to wait too long is told that the server is busy."""

    def __init__(self) -> None:
        """Begin with all slots free."""
        self._free = threading.BoundedSemaphore(SLOTS)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot.

        Raises:
            OverloadedError: none became free.
        """
        if not self._free.acquire(timeout=_PATIENCE):
            raise OverloadedError
        try:
            yield
        finally:
            self._free.release()


def short(limits: Limits) -> Limits:
    """Return the limits of a job for whose answer somebody waits."""
    return replace(limits, seconds=min(limits.seconds, LONGEST), stall_seconds=min(limits.stall_seconds, LONGEST))
