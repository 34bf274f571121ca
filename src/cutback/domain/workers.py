"""What a worker process notes about itself, so that every machine knows of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from cutback.domain.base import Model, Moment
from cutback.domain.clips.event import Answer, Event

KIND = "worker"
"""The name in the registry."""

BEAT_SECONDS = 15.0
"""Seconds between two notes of a worker."""

GONE_AFTER = timedelta(seconds=60)
"""A worker whose last note is older than this is gone: it has missed several."""


COUNTED = ("ready", "failed", "waiting")
"""The ends of work on a message."""

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Seconds by which the times of clips are grouped."""


class WorkerFigures(Model):
    """What a worker process has counted since it started."""

    version: str
    clips: Mapping[str, int] = dict.fromkeys(COUNTED, 0)
    """Events of clips, by the state that they tell of."""
    failures: Mapping[str, int] = {}
    """Failed clips, by reason."""
    within: tuple[tuple[float, int], ...] = tuple((bound, 0) for bound in BOUNDS)
    """For each of `BOUNDS`, how many clips took no longer."""
    made: int = 0
    """Finished clips whose time is known."""
    seconds: float = 0.0
    """That they took together, from the message to the stored clip."""
    read_bytes: int = 0
    """Bytes read of recordings."""
    stored_bytes: int = 0
    """Bytes of finished clips."""

    def counted(self, event: Event) -> Self:
        """Return the figures with one more event, which this worker announces."""
        state = event.type.removeprefix("clip.")
        if isinstance(event, Answer) or state not in COUNTED:
            return self
        changes: dict[str, object] = {"clips": _one_more(self.clips, state)}
        if state == "failed":
            changes["failures"] = _one_more(self.failures, str((event.data.get("failure") or {}).get("reason", "")))
        result = event.data.get("result")
        if state == "ready" and result:
            took = float(result["seconds"])
            changes |= {
                "within": tuple((bound, count + (took <= bound)) for bound, count in self.within),
                "made": self.made + 1,
                "seconds": self.seconds + took,
                "read_bytes": self.read_bytes + int(result["bytes_read"]),
                "stored_bytes": self.stored_bytes + int(result["size"]),
            }
        return self.model_copy(update=changes)


def _one_more(counts: Mapping[str, int], name: str) -> dict[str, int]:
    return {**counts, name: counts.get(name, 0) + 1}


class WorkerNote(Model):
    """A running worker, and what it is doing."""

    name: str
    started_at: Moment
    beat_at: Moment
    """When this was noted."""
    clip: str | None = None
    """The stored id of the clip that it makes; None while it waits for work."""
    stage: str | None = None
    """What it does with the clip, by the names that traces have."""
    figures: WorkerFigures | None = None
    """What it has counted; None: its version counts nothing."""

    def age(self, now: datetime) -> timedelta:
        """Return the time since this was noted."""
        return max(timedelta(), now - self.beat_at)

    def is_gone(self, now: datetime) -> bool:
        """Whether the worker has not noted itself for so long that it must have ended."""
        return now - self.beat_at > GONE_AFTER


def host_of(worker: str) -> str:
    """Return the host of a worker by its name, which is the host's, its process id and random digits."""
    return worker.rsplit("-", 2)[0]
