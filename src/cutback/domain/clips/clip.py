"""Clips, their states, and the changes that may happen to them. Pure: no clock, no store."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from cutback.domain.base import Model, Moment
from cutback.domain.clips.event import Event
from cutback.domain.clips.result import ClipResult, CutSpan, Gap, PosterFile
from cutback.domain.errors import CutbackError, LeaseLostError, WrongStateError
from cutback.domain.requests.request import ClipRequest

__all__ = ["Clip", "ClipResult", "ClipState", "CutSpan", "Failure", "Gap", "PosterFile", "Progress", "new_clip"]


class ClipState(StrEnum):
    """Where a clip stands on its way."""

    QUEUED = "queued"
    WAITING = "waiting"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether a worker has nothing more to do."""
        return self in _FINAL


_FINAL = {ClipState.READY, ClipState.FAILED, ClipState.CANCELLED, ClipState.EXPIRED}


class Progress(Model):
    """How far an attempt has come."""

    fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    bytes: int = 0
    """Read from the source store."""
    frames: int = 0
    """Decoded or copied so far."""


class Failure(Model):
    """Why a clip failed."""

    reason: str
    message: str


class Clip(Model):
    """A clip's record. Every change makes a new one, with the next revision."""

    id: str
    state: ClipState
    request: ClipRequest
    revision: int = 1
    """Counts the changes; a change is stored only upon the revision it was made from."""
    attempt: int = 0
    """Counts the tries of workers; the fencing token of the current one."""
    worker: str = ""
    lease_until: Moment | None = None
    """When the current attempt may be taken over, unless it is prolonged."""
    waits_for: str | None = None
    """The camera whose footage a waiting clip waits for."""
    expected_at: Moment | None = None
    """When that footage should be there, as far as can be told."""
    progress: Progress = Progress()
    failure: Failure | None = None
    result: ClipResult | None = None
    created_at: Moment
    updated_at: Moment
    expires_at: Moment | None = None
    sweep_at: Moment | None = None
    """When remains of earlier attempts are to be looked for."""

    # --- changes ---------------------------------------------------------------------------------

    def claimed(self, *, worker: str, now: datetime, lease: timedelta) -> Clip:
        """A worker begins the next attempt.

        Raises:
            WrongStateError: the clip is finished, or another attempt's lease has not passed.
        """
        if self.state.final:
            raise WrongStateError(f"It is {self.state}.")
        if self.state is ClipState.PROCESSING and self.lease_until is not None and now < self.lease_until:
            raise WrongStateError(f"{self.worker} is working on it.")
        return self._changed(
            now,
            state=ClipState.PROCESSING,
            attempt=self.attempt + 1,
            worker=worker,
            lease_until=now + lease,
            waits_for=None,
            expected_at=None,
            sweep_at=None if self.state is ClipState.WAITING else self.sweep_at,
            progress=Progress(),
            failure=None,
        )

    def waiting(self, *, camera: str, expected_at: datetime | None, look_at: datetime, now: datetime) -> Clip:
        """The footage is not there yet; it is looked for again at `look_at`, or when some of the camera's arrives.

        Raises:
            WrongStateError: the clip is finished, or an attempt is working on it.
        """
        if self.state.final or self.state is ClipState.PROCESSING:
            raise WrongStateError(f"It is {self.state}.")
        return self._changed(
            now,
            state=ClipState.WAITING,
            waits_for=camera,
            expected_at=expected_at,
            sweep_at=look_at,
            failure=None,
        )

    def finished(self, result: ClipResult, *, attempt: int, now: datetime, sweep_at: datetime | None) -> Clip:
        """The attempt's clip becomes the clip.

        Raises:
            LeaseLostError: `attempt` is not the current one any more.
        """
        self._fence(attempt)
        expires_in = self.request.expires_in
        return self._changed(
            now,
            state=ClipState.READY,
            result=result,
            lease_until=None,
            progress=Progress(fraction=1.0, bytes=result.bytes_read, frames=result.frames),
            expires_at=None if expires_in is None else now + timedelta(seconds=expires_in),
            sweep_at=sweep_at,
        )

    def failed(self, error: CutbackError, *, attempt: int, now: datetime, sweep_at: datetime | None) -> Clip:
        """The attempt found that there is no clip to be had.

        Raises:
            LeaseLostError: `attempt` is not the current one any more.
        """
        self._fence(attempt)
        return self._changed(
            now,
            state=ClipState.FAILED,
            failure=Failure(reason=error.reason, message=error.message),
            lease_until=None,
            sweep_at=sweep_at,
        )

    def given_back(self, error: CutbackError, *, attempt: int, now: datetime, sweep_at: datetime | None = None) -> Clip:
        """The attempt ends without an outcome; another shall follow, or else be looked for at `sweep_at`.

        Raises:
            LeaseLostError: `attempt` is not the current one any more.
        """
        self._fence(attempt)
        return self._changed(
            now,
            state=ClipState.QUEUED,
            failure=Failure(reason=error.reason, message=error.message),
            lease_until=None,
            progress=Progress(),
            sweep_at=sweep_at or self.sweep_at,
        )

    def cancelled(self, *, now: datetime, sweep_at: datetime) -> Clip:
        """Nobody wants it any more. An attempt in progress finds its lease lost.

        Raises:
            WrongStateError: the clip is finished.
        """
        if self.state.final:
            raise WrongStateError(f"It is {self.state}.")
        return self._changed(
            now,
            state=ClipState.CANCELLED,
            lease_until=None,
            waits_for=None,
            expected_at=None,
            sweep_at=sweep_at if self.attempt else None,
        )

    def requeued(self, *, now: datetime, sweep_at: datetime | None = None) -> Clip:
        """A failed or cancelled clip is to be tried again; if it still lies there at `sweep_at`, look at it.

        Raises:
            WrongStateError: the clip is in any other state.
        """
        if self.state not in {ClipState.FAILED, ClipState.CANCELLED}:
            raise WrongStateError(f"It is {self.state}; only a failed or cancelled clip is tried again.")
        return self._changed(now, state=ClipState.QUEUED, failure=None, progress=Progress(), sweep_at=sweep_at)

    def expired(self, *, now: datetime) -> Clip:
        """Its time has passed; its objects are to be removed.

        Raises:
            WrongStateError: the clip is not ready, or does not expire yet.
        """
        if self.state is not ClipState.READY or self.expires_at is None or now < self.expires_at:
            raise WrongStateError(f"It is {self.state} and does not expire now.")
        return self._changed(now, state=ClipState.EXPIRED, result=None, sweep_at=now)

    def looked_for(self, *, now: datetime, again_at: datetime) -> Clip:
        """A waiting clip was sent to the workers; should its message be lost, it is looked at again."""
        return self.model_copy(update={"revision": self.revision + 1, "updated_at": now, "sweep_at": again_at})

    def swept(self, *, now: datetime) -> Clip:
        """Remains of earlier attempts have been looked for."""
        return self.model_copy(update={"revision": self.revision + 1, "updated_at": now, "sweep_at": None})

    def _fence(self, attempt: int) -> None:
        if self.state is not ClipState.PROCESSING or self.attempt != attempt:
            raise LeaseLostError(f"The clip is {self.state} at attempt {self.attempt}.")

    def _changed(self, now: datetime, **changes: Any) -> Clip:
        return self.model_copy(update={"revision": self.revision + 1, "updated_at": now, **changes})

    # --- views -----------------------------------------------------------------------------------

    def event(self) -> Event:
        """The event that tells of the clip's latest change of state."""
        return Event(
            id=f"{self.id}.{self.revision}",
            type=f"clip.{self.state}",
            subject=self.id,
            time=self.updated_at,
            data=self.public(),
        )

    def public(self) -> dict[str, Any]:
        """The clip as events, the API and `--json` show it."""
        return self.model_dump(mode="json", exclude={"worker", "lease_until", "sweep_at"}, exclude_none=True)


def new_clip(request: ClipRequest, *, now: datetime) -> Clip:
    """The record of a request that was just accepted."""
    return Clip(id=request.id, state=ClipState.QUEUED, request=request, created_at=now, updated_at=now)
