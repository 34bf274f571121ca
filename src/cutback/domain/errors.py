"""The tree of errors. A class's docstring is the message that users see; internals go to the log."""

from __future__ import annotations

import inspect
import secrets
from typing import Any, ClassVar, Self


class CutbackError(Exception):
    """An internal error occurred. The log has the details."""

    reason: ClassVar[str] = "internal_error"
    """Names the error in a clip's record, in events and in exit messages."""

    transient: ClassVar[bool] = False
    """Whether the same work may succeed later, because the cause may lie outside of it."""

    parked: ClassVar[bool] = False
    """Whether a clip that fails with this error leaves a dead letter, which can be redriven."""

    detail_only: ClassVar[bool] = False
    """Whether the detail replaces the docstring."""

    def __init__(self, detail: str = "") -> None:
        """`detail` says which thing is wrong and how; users see it."""
        super().__init__(detail)
        self.detail = detail

    @property
    def message(self) -> str:
        """The message that users see: the class's docstring, followed by the detail if there is one."""
        if self.detail_only and self.detail:
            return self.detail
        return f"{self.general} {self.detail}".strip()

    @property
    def general(self) -> str:
        """The docstring of the class, as one line."""
        return " ".join(inspect.cleandoc(type(self).__doc__ or "").split())

    def __str__(self) -> str:
        """The message that users see."""
        return self.message

    def as_dict(self) -> dict[str, Any]:
        """The form that `--json` and the API show."""
        return {"reason": self.reason, "message": self.message}


class InternalError(CutbackError):
    """An internal error occurred. The log has the details."""

    parked = True

    @classmethod
    def with_id(cls) -> Self:
        """Return an error with an id, so that it can be found in the log."""
        return cls(f"Error id {secrets.token_hex(4)}.")


# --- the request -----------------------------------------------------------------------------------


class InvalidRequestError(CutbackError):
    """The request is invalid."""

    reason = "invalid_request"

    def __init__(self, faults: list[Fault]) -> None:
        """`faults` lists everything that is wrong, each with its path and what is expected."""
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))

    def as_dict(self) -> dict[str, Any]:
        """The form that `--json` and the API show, with every fault."""
        return {**super().as_dict(), "faults": [fault.as_dict() for fault in self.faults]}


class Fault:
    """One thing that is wrong with a request: where it is (`source[0].start`) and what is expected."""

    __slots__ = ("path", "problem")

    def __init__(self, path: str, problem: str) -> None:
        """`path` is written as in JavaScript: `source[0].start`. It is empty for the whole request."""
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        """`path: problem`, or only the problem if it concerns the whole request."""
        return f"{self.path}: {self.problem}" if self.path else self.problem

    def __repr__(self) -> str:
        """Shown by failing tests."""
        return f"Fault({self.path!r}, {self.problem!r})"

    def as_dict(self) -> dict[str, str]:
        """The form that `--json` and the API show."""
        return {"path": self.path, "problem": self.problem}


class DifferentRequestError(CutbackError):
    """This id already belongs to a different request. Choose another id, or leave it out."""

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


class NoSuchFileError(RecordingNotFoundError):
    """The file does not exist."""

    reason = "file_not_found"
    detail_only = True


class AssetNotFoundError(CutbackError):
    """The asset is not in the assets store. Check its name, or upload it and retry the clip."""

    reason = "asset_not_found"


class SourceChangedError(CutbackError):
    """The recording changed while it was being cut. Retry the clip once the recording is complete."""

    reason = "source_changed"


class RecordingGrewError(SourceChangedError):
    """A longer version replaced the recording while it was being cut. The clip is made again from that version."""

    reason = "recording_grew"
    transient = True
    parked = True


class RangeOutsideRecordingError(CutbackError):
    """The range does not overlap the recording."""

    reason = "range_outside_recording"


class EditImpossibleError(CutbackError):
    """An edit does not fit this clip."""

    reason = "edit_impossible"


class OutputImpossibleError(CutbackError):
    """What the output asks for is not possible with this clip."""

    reason = "output_impossible"


class FootageMissingError(CutbackError):
    """The camera has no footage of the requested time, and none arrived before the wait ended."""

    reason = "footage_missing"


class FootageExpiredError(CutbackError):
    """The footage is no longer kept: it is older than the retention time of recordings."""

    reason = "footage_expired"


class CameraUnknownError(CutbackError):
    """No camera with this name has a recording in the catalogue."""

    reason = "camera_unknown"


class PlaceUnknownError(CutbackError):
    """The recording's camera or start time is unknown, because its key matches no configured pattern."""

    reason = "place_unknown"


class MediaUnreadableError(CutbackError):
    """The recording is not a readable video. It may be empty, truncated, damaged or another kind of file."""

    reason = "media_unreadable"


class MediaUnsupportedError(CutbackError):
    """The recording's format is not supported. Cutback reads MP4/MOV, Matroska/WebM and MPEG-TS."""

    reason = "media_unsupported"


class MediaCrashedError(CutbackError):
    """The recording crashed the decoder, which runs in its own process. Nothing else was affected."""

    reason = "media_crashed"


class MediaTooSlowError(CutbackError):
    """Cutting the recording takes longer than the limits allow."""

    reason = "media_too_slow"


class MediaTooLargeError(CutbackError):
    """The recording exceeds a limit on its pixels, streams, frames, duration or memory."""

    reason = "media_too_large"


class ClipDamagedError(CutbackError):
    """The finished clip failed its check, and so did a second version that was fully re-encoded."""

    reason = "clip_damaged"


# --- services and stores ---------------------------------------------------------------------------


class SurroundingsError(CutbackError):
    """A service that Cutback depends on failed. The work is retried."""

    reason = "surroundings"
    transient = True
    parked = True


class StorageUnavailableError(SurroundingsError):
    """The store cannot be reached or refused the request."""

    reason = "storage_unavailable"


class RecordingsMissingError(SurroundingsError):
    """Many recordings of the catalogue are missing from the source store at once. The catalogue keeps them."""

    reason = "recordings_missing"


class StorageFullError(SurroundingsError):
    """There is no space left to write the clip. Free some space; the work is retried."""

    reason = "storage_full"


class ObjectNotFoundError(CutbackError):
    """The store has no object with this key."""

    reason = "object_not_found"


class SymlinkOutsideError(ObjectNotFoundError):
    """A symbolic link leads out of the source store. Cutback does not follow it."""

    reason = "symlink_outside"


class ObjectTooLargeError(CutbackError):
    """The object is too large to be read at once."""

    reason = "object_too_large"


class ObjectExistsError(CutbackError):
    """The store already has an object with this key, and Cutback never overwrites one."""

    reason = "object_exists"


class RecordsUnavailableError(SurroundingsError):
    """The records database cannot be reached or is locked."""

    reason = "records_unavailable"


class QueueUnavailableError(SurroundingsError):
    """The queue cannot be reached or is locked."""

    reason = "queue_unavailable"


class FootageNotYetError(SurroundingsError):
    """Footage that was available a moment ago is gone. The clip waits for it again."""

    reason = "footage_not_yet"


class MessageRefusedError(CutbackError):
    """The queue rejects this message because it is too large or contains characters that the queue does not allow."""

    reason = "message_refused"


# --- the worker ------------------------------------------------------------------------------------


class LeaseLostError(CutbackError):
    """This attempt is no longer the current one: the clip was cancelled, or another attempt took over."""

    reason = "lease_lost"


class StoppedError(CutbackError):
    """The worker is stopping and returned its work to the queue."""

    reason = "stopped"


class OutOfTimeError(CutbackError):
    """Making the clip takes longer than this kind of worker may run."""

    reason = "out_of_time"
    parked = True


class WorkersDiedError(CutbackError):
    """Every worker that tried to make this clip died."""

    reason = "gave_up"
    parked = True


class SettingsError(CutbackError):
    """Cutback cannot start with these settings."""

    reason = "wrong_settings"


# --- the REST API ----------------------------------------------------------------------------------


class NotFoundError(CutbackError):
    """There is nothing at this address."""

    reason = "not_found"


class MethodNotAllowedError(CutbackError):
    """This address does not support this method."""

    reason = "method_not_allowed"


class UnauthorizedError(CutbackError):
    """A valid API key is required. Send it as `Authorization: Bearer ck_...`."""

    reason = "unauthorized"


class ForbiddenError(CutbackError):
    """The API key does not permit this."""

    reason = "forbidden"


class RepeatedHeaderError(CutbackError):
    """A header that has one value was sent several times."""

    reason = "repeated_header"


class CrossSiteError(CutbackError):
    """The request comes from a page of another site, which may not use your session or this machine's open access."""

    reason = "cross_site"


class WrongHostError(CutbackError):
    """Without an API key, requests must go to `localhost` or a loopback address directly, not through a proxy."""

    reason = "wrong_host"


class KeyNotFoundError(CutbackError):
    """There is no API key with this id."""

    reason = "key_not_found"


class TenantNotFoundError(CutbackError):
    """There is no tenant with this name."""

    reason = "tenant_not_found"


class DeadLetterNotFoundError(CutbackError):
    """There is no such dead letter."""

    reason = "dead_letter_not_found"


class RateLimitedError(CutbackError):
    """There are too many requests. Wait as long as `Retry-After` says."""

    reason = "rate_limited"

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        """`retry_after` is the time to wait, in seconds."""
        super().__init__(detail)
        self.retry_after = retry_after


class TooManyStreamsError(RateLimitedError):
    """Too many event streams are open. Close one, or wait."""

    reason = "too_many_streams"


class OverloadedError(CutbackError):
    """The server is busy. Try again in a moment."""

    reason = "overloaded"


class RequestTimeoutError(CutbackError):
    """The request was not received completely in time."""

    reason = "request_timeout"


class AnswerTimeoutError(CutbackError):
    """The answer takes longer than the server's limit."""

    reason = "answer_timeout"


class BodyTooLargeError(CutbackError):
    """The body of the request is too large."""

    reason = "body_too_large"


class PreconditionRequiredError(CutbackError):
    """This change needs an `If-Match` header with the clip's ETag, so that nobody's change is lost."""

    reason = "precondition_required"


class PreconditionFailedError(CutbackError):
    """The clip has changed since you read it. Read it again, then repeat your change."""

    reason = "precondition_failed"


class UploadRefusedError(CutbackError):
    """The uploaded file is not what was announced, or is not a recording. It was removed; start another upload."""

    reason = "upload_refused"


class UploadIncompleteError(CutbackError):
    """Parts of the upload are missing or have another size than they should. Upload these, then complete it again."""

    reason = "upload_incomplete"


class TooManyError(CutbackError):
    """There are too many of these already. Remove some first."""

    reason = "too_many"


class ForgedMessageError(CutbackError):
    """This is not a genuine, recent message of Amazon SNS."""

    reason = "forged_message"


class SnsUnreachableError(SurroundingsError):
    """Amazon SNS does not answer, so its message cannot be checked."""

    reason = "sns_unreachable"


class RangeNotSatisfiableError(CutbackError):
    """The file has no bytes in the requested range."""

    reason = "range_not_satisfiable"


# --- the command line ------------------------------------------------------------------------------


class WrongUsageError(CutbackError):
    """The arguments are invalid."""

    reason = "wrong_usage"
    detail_only = True


class MigrationRefusedError(CutbackError):
    """The records cannot be copied now."""

    reason = "migration_refused"


class OutputExistsError(CutbackError):
    """A file with this name exists. Choose another name, or use --force to replace it."""

    reason = "output_exists"


class OutputIsSourceError(CutbackError):
    """The clip would replace the recording that it is cut from. Choose another file."""

    reason = "output_is_source"


class OutputUnwritableError(CutbackError):
    """The output cannot be written there."""

    reason = "output_unwritable"


_ERRORS = [kind for kind in globals().values() if isinstance(kind, type) and issubclass(kind, CutbackError)]

RETRYABLE_REASONS = frozenset(kind.reason for kind in _ERRORS if kind.transient or kind.parked)
"""Reasons after which the same may succeed later, without a change to the request or the recording."""

PARKED_REASONS = frozenset(kind.reason for kind in _ERRORS if kind.parked)
"""Reasons with which a failed clip leaves a dead letter."""
