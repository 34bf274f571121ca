"""Counts what one worker announces. Its notes and its own page for Prometheus show the figures."""

from __future__ import annotations

import threading

import cutback
from cutback.domain.clips.event import Event
from cutback.domain.workers import WorkerFigures


class WorkerCounts:
    """Counts events, as an `Announcer`. Never fails; threads may share it."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._lock = threading.Lock()
        self.figures = WorkerFigures(version=cutback.__version__)

    def announce(self, event: Event) -> None:
        """Count an event that this worker announces."""
        with self._lock:
            self.figures = self.figures.counted(event)

    def close(self) -> None:
        """Nothing to close."""
