"""The exit codes of commands, and one table from errors to exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from cutback.domain.errors import CutbackError, Fault, InvalidRequestError


class Exit(IntEnum):
    """The exit codes of every command."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    TRY_AGAIN = 5
    INTERRUPTED = 130


MEANINGS = {
    Exit.FINE: "success",
    Exit.FAILED: "the work failed; the message names the reason",
    Exit.USAGE: "wrong usage or settings",
    Exit.REFUSED: "the request was refused; retrying does not help",
    Exit.NOT_FOUND: "no such file, clip, recording, dead letter, key or tenant",
    Exit.TRY_AGAIN: "a store or the database is unavailable; try again",
    Exit.INTERRUPTED: "interrupted before the end",
}
"""What each code means, for `cutback --help` and the docs."""


class WrongOptionsError(InvalidRequestError):
    """Some options are invalid."""

    reason = "wrong_usage"

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        """`faults` name the options."""
        super().__init__(list(faults))


class NoDataError(CutbackError):
    """The data folder contains no Cutback data."""

    reason = "no_data"
    detail_only = True


class NeedsAttentionError(CutbackError):
    """Something needs attention."""

    reason = "needs_attention"


class AlreadyRunningError(CutbackError):
    """`cutback up` is already running on this data folder."""

    reason = "already_running"


class CutShortError(CutbackError):
    """The command was interrupted before it was done."""

    reason = "interrupted"


class ClipNotMadeError(CutbackError):
    """The clip was not made."""

    reason = "clip_not_made"


class UnforeseenError(CutbackError):
    """The demo failed."""

    reason = "demo_failed"


_CODES = {
    "stopped": Exit.INTERRUPTED,
    "interrupted": Exit.INTERRUPTED,
    "wrong_usage": Exit.USAGE,
    "wrong_settings": Exit.USAGE,
    "invalid_request": Exit.REFUSED,
    "id_taken": Exit.REFUSED,
    "wrong_state": Exit.REFUSED,
    "message_refused": Exit.REFUSED,
    "output_exists": Exit.REFUSED,
    "output_is_source": Exit.REFUSED,
    "file_not_found": Exit.NOT_FOUND,
    "no_data": Exit.NOT_FOUND,
    "already_running": Exit.REFUSED,
    "clip_not_found": Exit.NOT_FOUND,
    "recording_not_found": Exit.NOT_FOUND,
    "asset_not_found": Exit.NOT_FOUND,
    "camera_unknown": Exit.NOT_FOUND,
    "dead_letter_not_found": Exit.NOT_FOUND,
    "key_not_found": Exit.NOT_FOUND,
    "tenant_not_found": Exit.NOT_FOUND,
}


def exit_of(error: CutbackError) -> Exit:
    """Return the exit code for an error."""
    if error.transient:
        return Exit.TRY_AGAIN
    return _CODES.get(error.reason, Exit.FAILED)
