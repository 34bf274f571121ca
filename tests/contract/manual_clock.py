"""A wall clock that moves only when told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Picklable, so that a child process can begin at the same moment."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 29, 0, 59, 59, 123457, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours)
