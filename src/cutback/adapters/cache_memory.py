"""The Cache in the process's own memory: bounded; the least recently used value goes first."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

_ENTRY_COST = 200
"""Approximate bytes of an entry besides its key and value, so that empty values are not free."""


class MemoryCache:
    """Implements Cache for one process; its threads share it."""

    def __init__(
        self,
        *,
        max_bytes: int = 64 * 1024 * 1024,
        keep: timedelta = timedelta(hours=1),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep up to `max_bytes`, each value for `keep`. `clock` counts seconds and never goes back."""
        self._max_bytes = max_bytes
        self._keep = keep.total_seconds()
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0
        self._counters: dict[str, int] = {}

    def get(self, key: str) -> bytes | None:
        """Return the value, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            good_until, value = entry
            if self._clock() >= good_until:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return value

    def set(self, key: str, value: bytes) -> None:
        """Keep the value for a while, if there is space."""
        with self._lock:
            self._drop(key)  # even if there is no space for the new value, the old one is outdated
            cost = _cost(key, value)
            if cost > self._max_bytes:
                return
            while self._bytes + cost > self._max_bytes:
                self._drop(next(iter(self._entries)))
            self._entries[key] = (self._clock() + self._keep, value)
            self._bytes += cost

    def bump(self, counter: str) -> None:
        """Change a counter."""
        with self._lock:
            self._counters[counter] = self._counters.get(counter, 0) + 1

    def count(self, counter: str) -> int | None:
        """Return a counter's value, or None if it was never changed."""
        with self._lock:
            return self._counters.get(counter)

    def close(self) -> None:
        """Remove all values."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _cost(key, entry[1])


def _cost(key: str, value: bytes) -> int:
    return len(key) * 4 + len(value) + _ENTRY_COST
