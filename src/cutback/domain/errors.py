"""One tree of errors. A class's docstring is its public message; details go to the log."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar


class CutbackError(Exception):
    """Something went wrong inside Cutback."""

    reason: ClassVar[str] = "internal_error"
    """The name a clip's record, an event and an exit message carry."""

    transient: ClassVar[bool] = False
    """Whether the surroundings may be to blame, so that the same work may succeed later."""

    parked: ClassVar[bool] = False
    """Whether the message of a clip that failed for this becomes a dead letter, which can be brought back."""

    def __init__(self, detail: str = "") -> None:
        """`detail` names what was wrong with which thing; it is shown to the user."""
        super().__init__(detail)
        self.detail = detail

    @property
    def message(self) -> str:
        """The public message: the class's docstring and, if there is one, the detail."""
        general = " ".join(inspect.cleandoc(type(self).__doc__ or "").split())
        return f"{general} {self.detail}".strip()

    def __str__(self) -> str:
        """The public message."""
        return self.message

    def as_dict(self) -> dict[str, Any]:
        """The shape shown under `--json` and by the API."""
        return {"reason": self.reason, "message": self.message}


class InternalError(CutbackError):
    """Something went wrong inside Cutback."""

    parked = True


# --- the request -----------------------------------------------------------------------------------


class InvalidRequestError(CutbackError):
    """The request cannot be understood."""

    reason = "invalid_request"

    def __init__(self, faults: list[Fault]) -> None:
        """`faults` holds every fault found, each with its path and what would be right."""
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))

    def as_dict(self) -> dict[str, Any]:
        """With every fault."""
        return {**super().as_dict(), "faults": [fault.as_dict() for fault in self.faults]}


class Fault:
    """One thing wrong with a request: where (`source[0].start`) and what would be right."""

    __slots__ = ("path", "problem")

    def __init__(self, path: str, problem: str) -> None:
        """`path` is written the way one would index the JSON."""
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        """`path: problem`, or the problem alone where it concerns the whole request."""
        return f"{self.path}: {self.problem}" if self.path else self.problem

    def __repr__(self) -> str:
        """For test output."""
        return f"Fault({self.path!r}, {self.problem!r})"

    def as_dict(self) -> dict[str, str]:
        """The shape shown under `--json` and by the API."""
        return {"path": self.path, "problem": self.problem}


class DifferentRequestError(CutbackError):
    """This id already belongs to a different request; choose another id or leave it out."""

    reason = "id_taken"


class ClipNotFoundError(CutbackError):
    """There is no clip with this id."""

    reason = "clip_not_found"


class WrongStateError(CutbackError):
    """The clip's state does not allow this."""

    reason = "wrong_state"


# --- the recording ---------------------------------------------------------------------------------


class RecordingNotFoundError(CutbackError):
    """The recording is not in the source store. Check its key, or upload it and retry the clip."""

    reason = "recording_not_found"


class SourceChangedError(CutbackError):
    """The recording changed while it was being cut. Ask again once it is no longer being written."""

    reason = "source_changed"


class RecordingGrewError(SourceChangedError):
    """A longer version took the recording's place while it was being cut; the clip is made from that one."""

    reason = "recording_grew"
    transient = True
    parked = True


class RangeOutsideRecordingError(CutbackError):
    """The range does not overlap the recording."""

    reason = "range_outside_recording"


class FootageMissingError(CutbackError):
    """The camera has no footage of the time asked for, and none came in time."""

    reason = "footage_missing"


class FootageExpiredError(CutbackError):
    """The footage is older than recordings are kept."""

    reason = "footage_expired"


class PlaceUnknownError(CutbackError):
    """It cannot be told which camera the recording is of, or when it began: its key is of no pattern that is set."""

    reason = "place_unknown"


class MediaUnreadableError(CutbackError):
    """The recording is not a readable video: empty, truncated, damaged or another kind of file."""

    reason = "media_unreadable"


class MediaUnsupportedError(CutbackError):
    """The recording is in a format that Cutback does not open. It reads MP4/MOV, Matroska/WebM and MPEG-TS."""

    reason = "media_unsupported"


class MediaCrashedError(CutbackError):
    """The recording crashed the decoder, which was running apart; nothing else was harmed."""

    reason = "media_crashed"


class MediaTooSlowError(CutbackError):
    """The recording takes longer to cut than the limits allow."""

    reason = "media_too_slow"


class MediaTooLargeError(CutbackError):
    """The recording exceeds a limit on its pixels, streams, frames, duration or memory."""

    reason = "media_too_large"


class ClipDamagedError(CutbackError):
    """The finished clip did not pass its check, and neither did a second one made by full re-encoding."""

    reason = "clip_damaged"


# --- the surroundings ------------------------------------------------------------------------------


class SurroundingsError(CutbackError):
    """Something Cutback depends on did not answer as it should; the work is tried again."""

    reason = "surroundings"
    transient = True
    parked = True


class StorageUnavailableError(SurroundingsError):
    """The store could not be reached or refused the request."""

    reason = "storage_unavailable"


class StorageFullError(SurroundingsError):
    """There is no room left where the clip has to be written. Make room; the work is tried again."""

    reason = "storage_full"


class ObjectNotFoundError(CutbackError):
    """The store holds no object under this key."""

    reason = "object_not_found"


class ObjectTooLargeError(CutbackError):
    """The object is larger than what may be read at once."""

    reason = "object_too_large"


class ObjectExistsError(CutbackError):
    """The store already holds an object under this key, and nothing is overwritten."""

    reason = "object_exists"


class RecordsUnavailableError(SurroundingsError):
    """The records database could not be reached or is locked."""

    reason = "records_unavailable"


class QueueUnavailableError(SurroundingsError):
    """The queue could not be reached or is locked."""

    reason = "queue_unavailable"


class FootageNotYetError(SurroundingsError):
    """Footage that was there a moment ago is not there now; the clip waits for it again."""

    reason = "footage_not_yet"


class MessageRefusedError(CutbackError):
    """The queue cannot carry this message: it is too large, or holds signs that the queue does not take."""

    reason = "message_refused"


# --- the worker ------------------------------------------------------------------------------------


class LeaseLostError(CutbackError):
    """This attempt is no longer the clip's current one: it was cancelled, or another attempt took over."""

    reason = "lease_lost"


class StoppedError(CutbackError):
    """The worker is stopping and gave its work back."""

    reason = "stopped"


class OutOfTimeError(CutbackError):
    """The clip takes longer to make than this kind of worker may run."""

    reason = "out_of_time"
    parked = True


class WorkersDiedError(CutbackError):
    """Every worker that tried to make this clip died doing so."""

    reason = "gave_up"
    parked = True


class SettingsError(CutbackError):
    """Cutback cannot start with these settings."""

    reason = "wrong_settings"


_ERRORS = [kind for kind in globals().values() if isinstance(kind, type) and issubclass(kind, CutbackError)]

PARKED_REASONS = frozenset(kind.reason for kind in _ERRORS if kind.parked)
"""The reasons of failed clips that have a dead letter."""
