"""Limits how many event streams one key, or one address where no key is needed, may hold on this server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from cutback.domain.errors import TooManyStreamsError

RETRY_AFTER = 30
"""Seconds that clients are told to wait: streams end when somebody leaves, which nobody can foresee."""


class StreamPlaces:
    """Counts the streams of each key."""

    def __init__(self, most: int) -> None:
        """At most `most` of one key; 0: any number."""
        self._most = most
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    @contextmanager
    def one(self, who: str) -> Iterator[None]:
        """Hold a place.

        Raises:
            TooManyStreamsError: all places of `who` are taken.
        """
        with self._lock:
            if self._most and self._held[who] >= self._most:
                raise TooManyStreamsError(f"The limit is {self._most}.", retry_after=RETRY_AFTER)
            self._held[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[who] -= 1
                if not self._held[who]:
                    del self._held[who]
