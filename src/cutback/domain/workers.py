"""What a worker process notes about itself, so that every machine knows of it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from cutback.domain.base import Model, Moment

KIND = "worker"
"""The name in the registry."""

BEAT_SECONDS = 15.0
"""Seconds between two notes of a worker."""

GONE_AFTER = timedelta(seconds=60)
"""A worker whose last note is older than this is gone: it has missed several."""


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

    def is_gone(self, now: datetime) -> bool:
        """Whether the worker has not noted itself for so long that it must have ended."""
        return now - self.beat_at > GONE_AFTER


def host_of(worker: str) -> str:
    """Return the host of a worker by its name, which is the host's, its process id and random digits."""
    return worker.rsplit("-", 2)[0]
