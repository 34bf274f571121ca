"""Measures how long the parts of a piece of work take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimes:
    """The parts so far, in their order; the same part may come again."""

    def __init__(self) -> None:
        """Begin without any."""
        self._times: list[tuple[str, float]] = []

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Measure what is done in this context, also if it fails."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._times.append((name, time.perf_counter() - began))

    def all(self) -> tuple[tuple[str, float], ...]:
        """Return each part's name and seconds."""
        return tuple(self._times)
