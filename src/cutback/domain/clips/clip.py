"""Clips, their states, and the changes that may happen to them. Pure: no clock, no store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from cutback.domain.base import Model, Moment
from cutback.domain.clips.event import CHANGED, Event
from cutback.domain.clips.result import ClipResult, CutSpan, Gap, OutputResult, PictureFile, PosterFile
from cutback.domain.clips.state import ClipState
from cutback.domain.errors import CutbackError, LeaseLostError, SurroundingsError, WrongStateError
from cutback.domain.requests.ids import shown_id
from cutback.domain.requests.request import ClipRequest

__all__ = [
    "Clip",
    "ClipResult",
    "ClipState",
    "CutSpan",
    "Failure",
    "Gap",
    "OutputResult",
    "PictureFile",
    "PosterFile",
    "Progress",
    "new_clip",
]


class Progress(Model):
    """How far an attempt has got."""

    fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    bytes: int = 0
    """Bytes read from the source store."""
    frames: int = 0
    """Frames decoded or copied so far."""


class Failure(Model):
    """Why a clip failed."""

    reason: str
    message: str


_NOT_WAITING: dict[str, Any] = {
    "waits_for": None,
    "expected_at": None,
    "waits_until": None,
    "waits_for_new_camera": None,
}
_INTERNAL = {"worker", "lease_until", "sweep_at", "troubled_since", "troubled_tries", "state_kept"}
"""Fields that only workers need."""


class Clip(Model):
    """A clip's record. Every change makes a new one, with the next revision."""

    id: str
    """The id under which the clip is stored: see `cutback.domain.requests.ids`."""
    state: ClipState
    request: ClipRequest
    title: str = ""
    """As requested, or as changed since. The same applies to `tags` and `labels`."""
    tags: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    revision: int = 1
    """Counts the changes. A change is stored only if the stored revision is the one that it was based on."""
    attempt: int = 0
    """Counts the attempts; the number of the current one is its fencing token."""
    worker: str = ""
    lease_until: Moment | None = None
    """When another worker may take over from the current attempt, unless the lease is extended."""
    waits_for: str | None = None
    """The camera whose footage the clip waits for."""
    expected_at: Moment | None = None
    """When that footage is expected, if there is an estimate."""
    waits_until: Moment | None = None
    """When it stops waiting: it is then made from what exists, or fails."""
    waits_for_new_camera: bool | None = None
    """True if that camera has no recording at all: its name may be wrong."""
    progress: Progress = Progress()
    failure: Failure | None = None
    troubled_since: Moment | None = None
    """When the first of several consecutive tries failed with a transient error."""
    troubled_tries: int = 0
    """How many consecutive tries have failed like this."""
    result: ClipResult | None = None
    created_at: Moment
    updated_at: Moment
    expires_at: Moment | None = None
    sweep_at: Moment | None = None
    """When to sweep: to look for what earlier attempts left behind."""
    state_kept: bool = False
    """Whether the latest change left the state as it was: title, tags, labels, or whether the clip is to be deleted."""
    delete_at: Moment | None = None
    """When the clip is deleted for good, unless it is restored before. Until then it is only hidden from lists."""

    @model_validator(mode="after")
    def _describe_older_record(self) -> Self:
        for name in ("title", "tags", "labels"):
            if name not in self.model_fields_set:
                object.__setattr__(self, name, getattr(self.request, name))
        return self

    @property
    def tenant(self) -> str:
        """The tenant that the clip belongs to; empty for the whole installation."""
        return self.request.tenant

    @property
    def shown_id(self) -> str:
        """The id that users see."""
        return shown_id(self.tenant, self.id)

    @property
    def settled_at(self) -> datetime | None:
        """Since when nothing has been left to do, neither now nor at a later time. None if something is."""
        expires = self.state is ClipState.READY and self.expires_at is not None
        return None if not self.state.final or self.sweep_at is not None or expires else self.updated_at

    # --- changes ---------------------------------------------------------------------------------

    def claimed(self, *, worker: str, now: datetime, lease: timedelta) -> Clip:
        """Begin the next attempt.

        Raises:
            WrongStateError: the clip is finished, or another attempt's lease has not expired.
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
            **_NOT_WAITING,
            sweep_at=None if self.state is ClipState.WAITING else self.sweep_at,
            progress=Progress(),
            failure=None,
        )

    def waiting(
        self,
        *,
        camera: str,
        expected_at: datetime | None,
        look_at: datetime,
        now: datetime,
        until: datetime | None = None,
        camera_is_new: bool = False,
    ) -> Clip:
        """Wait for footage. The clip is looked at again at `look_at`, or when a recording of the camera arrives.

        `until` is when it stops waiting; `camera_is_new` says that the camera has no recording at all.

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
            waits_until=until,
            waits_for_new_camera=camera_is_new or None,
            sweep_at=look_at,
            failure=None,
        )

    def finished(self, result: ClipResult, *, attempt: int, now: datetime, sweep_at: datetime | None) -> Clip:
        """Make the attempt's result the clip.

        Raises:
            LeaseLostError: `attempt` is no longer the current one.
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
        """Fail the clip, because it cannot be made.

        Raises:
            LeaseLostError: `attempt` is no longer the current one.
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
        """End the attempt without an outcome. Another one follows; if it does not, housekeeping checks at `sweep_at`.

        Raises:
            LeaseLostError: `attempt` is no longer the current one.
        """
        self._fence(attempt)
        trouble: dict[str, Any] = {}
        if isinstance(error, SurroundingsError):
            trouble = {
                "troubled_since": self.troubled_since or now,
                "troubled_tries": self.troubled_tries + 1,
            }
        return self._changed(
            now,
            state=ClipState.QUEUED,
            failure=Failure(reason=error.reason, message=error.message),
            lease_until=None,
            progress=Progress(),
            sweep_at=sweep_at or self.sweep_at,
            **trouble,
        )

    def cancelled(self, *, now: datetime, sweep_at: datetime) -> Clip:
        """Cancel the clip. An attempt in progress loses its lease.

        Raises:
            WrongStateError: the clip is finished.
        """
        if self.state.final:
            raise WrongStateError(f"It is {self.state}.")
        return self._changed(
            now,
            state=ClipState.CANCELLED,
            lease_until=None,
            **_NOT_WAITING,
            sweep_at=sweep_at if self.attempt else None,
        )

    def requeued(self, *, now: datetime, sweep_at: datetime | None = None) -> Clip:
        """Queue a failed or cancelled clip again. If it is still queued at `sweep_at`, housekeeping checks it.

        Raises:
            WrongStateError: the clip is in any other state.
        """
        if self.delete_at is not None:
            raise WrongStateError("It is deleted. Restore it first.")
        if self.state not in {ClipState.FAILED, ClipState.CANCELLED}:
            raise WrongStateError(f"It is {self.state}; only a failed or cancelled clip can be retried.")
        return self._changed(
            now,
            state=ClipState.QUEUED,
            failure=None,
            troubled_since=None,
            troubled_tries=0,
            progress=Progress(),
            sweep_at=sweep_at,
        )

    def described(
        self,
        *,
        now: datetime,
        title: str | None = None,
        tags: tuple[str, ...] | None = None,
        labels: dict[str, str] | None = None,
    ) -> Clip:
        """Change what people say about the clip; None leaves a value as it is.

        The request stays the same: it is what was asked for, and a repeated request is compared with it.
        """
        given = {"title": title, "tags": tags, "labels": labels}
        kept = {name: value for name, value in given.items() if value is not None}
        return self._changed(now, **kept, state_kept=True)

    def to_be_deleted(self, *, now: datetime, at: datetime, sweep_at: datetime) -> Clip:
        """Hide the clip, and delete it at `at`. A clip that is not finished is cancelled, to be swept at `sweep_at`.

        Raises:
            WrongStateError: it is deleted already.
        """
        if self.delete_at is not None:
            raise WrongStateError("It is deleted already.")
        clip = self if self.state.final else self.cancelled(now=now, sweep_at=sweep_at)
        after = at if clip.sweep_at is None else max(at, clip.sweep_at)
        kept = {"revision": self.revision + 1, "updated_at": now, "state_kept": self.state.final}
        return clip.model_copy(update={**kept, "delete_at": at, "sweep_at": after})

    def restored(self, *, now: datetime) -> Clip:
        """Take a deletion back.

        Raises:
            WrongStateError: the clip is not to be deleted, or the time for this has passed.
        """
        if self.delete_at is None:
            raise WrongStateError("It is not deleted.")
        if self.delete_at <= now:
            raise WrongStateError("It is deleted for good.")
        return self._changed(now, delete_at=None, state_kept=True)

    def revived(self, *, now: datetime, sweep_at: datetime) -> Clip:
        """Queue a deleted clip again, because it was requested again. See `requeued` for `sweep_at`.

        Raises:
            WrongStateError: the clip is not deleted.
        """
        if not self.is_deleted(now) or not self.state.final:
            raise WrongStateError(f"It is {self.state}.")
        return self._changed(
            now,
            state=ClipState.QUEUED,
            result=None,
            failure=None,
            troubled_since=None,
            troubled_tries=0,
            progress=Progress(),
            expires_at=None,
            delete_at=None,
            sweep_at=sweep_at,
        )

    def is_deleted(self, now: datetime) -> bool:
        """Whether the time in which the clip could be restored has passed."""
        return self.delete_at is not None and self.delete_at <= now

    def expired(self, *, now: datetime) -> Clip:
        """Expire the clip; its objects are to be removed.

        Raises:
            WrongStateError: the clip is not ready, or is not due to expire yet.
        """
        if self.state is not ClipState.READY or self.expires_at is None or now < self.expires_at:
            raise WrongStateError(f"It is {self.state} and is not due to expire.")
        return self._changed(now, state=ClipState.EXPIRED, result=None, sweep_at=now)

    def deleted(self, *, now: datetime) -> Clip:
        """Expire the clip now, so that its files are removed; its record stays.

        Raises:
            WrongStateError: the clip is not finished or is already expired.
        """
        if not self.state.final or self.state is ClipState.EXPIRED:
            advice = "Its files are already removed." if self.state.final else "Cancel it first."
            raise WrongStateError(f"It is {self.state}. {advice}")
        return self._changed(now, state=ClipState.EXPIRED, result=None, expires_at=now, sweep_at=now)

    def looked_for(self, *, now: datetime, again_at: datetime) -> Clip:
        """Note that a waiting clip was sent to the workers. If that message is lost, the clip is looked at again."""
        return self.model_copy(update={"revision": self.revision + 1, "updated_at": now, "sweep_at": again_at})

    def swept(self, *, now: datetime) -> Clip:
        """Note that the clip has been swept."""
        return self.model_copy(update={"revision": self.revision + 1, "updated_at": now, "sweep_at": None})

    def _fence(self, attempt: int) -> None:
        if self.state is not ClipState.PROCESSING or self.attempt != attempt:
            raise LeaseLostError(f"The clip is {self.state} at attempt {self.attempt}.")

    def _changed(self, now: datetime, **changes: Any) -> Clip:
        always = {"revision": self.revision + 1, "updated_at": now, "state_kept": False}
        return self.model_copy(update=always | changes)

    # --- views -----------------------------------------------------------------------------------

    def event(self) -> Event:
        """Return the event for the clip's latest change."""
        return Event(
            id=f"{self.id}.{self.revision}",
            type=CHANGED if self.state_kept else f"clip.{self.state}",
            subject=self.shown_id,
            time=self.updated_at,
            data=self.public(),
        )

    @property
    def event_ids(self) -> list[str]:
        """The ids of all events that the clip may have had, in order."""
        return [f"{self.id}.{revision}" for revision in range(1, self.revision + 1)]

    def public(self) -> dict[str, Any]:
        """Return the clip as events, the API and `--json` show it."""
        shown = self.model_dump(mode="json", exclude=_INTERNAL, exclude_none=True)
        shown["id"] = self.shown_id
        for output in shown.get("result", {}).get("outputs", ()):
            if "files" in output:  # HLS has a file for every few seconds: a list of them outgrows messages
                output["file_count"] = 1 + len(output.pop("files"))
        if self.request.outputs is not None:
            shown["outputs"] = [
                {"name": name, "format": output.format, "state": self.state.value}
                for name, output in self.request.wanted_outputs.items()
            ]
        return shown | ({"tenant": self.tenant} if self.tenant else {})


def new_clip(request: ClipRequest, *, now: datetime) -> Clip:
    """Return the record of a request that was just accepted."""
    return Clip(id=request.stored_id, state=ClipState.QUEUED, request=request, created_at=now, updated_at=now)
