"""The states of clips."""

from __future__ import annotations

from enum import StrEnum


class ClipState(StrEnum):
    """Where a clip is in its life."""

    QUEUED = "queued"
    WAITING = "waiting"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether workers have nothing left to do."""
        return self in _FINAL


_FINAL = {ClipState.READY, ClipState.FAILED, ClipState.CANCELLED, ClipState.EXPIRED}
