"""How a command ends: one table from what went wrong to the exit code."""

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
    Exit.FINE: "all went well",
    Exit.FAILED: "the work failed, for the reason named",
    Exit.USAGE: "wrong usage or wrong settings",
    Exit.REFUSED: "the request was refused; it will be again",
    Exit.NOT_FOUND: "no such file, clip, recording or dead letter",
    Exit.TRY_AGAIN: "a store or the database is not available: try again",
    Exit.INTERRUPTED: "interrupted before the work was done",
}
"""What each means, for `cutback --help` and the docs."""


class WrongOptionsError(InvalidRequestError):
    """Some options are wrong."""

    reason = "wrong_usage"

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        """`faults` names each by its option."""
        super().__init__(list(faults))


class NoDataError(CutbackError):
    """There is no Cutback data here."""

    reason = "no_data"
    detail_only = True


class NeedsAttentionError(CutbackError):
    """Something needs attention."""

    reason = "needs_attention"


class AlreadyRunningError(CutbackError):
    """`cutback up` is running on this data folder already."""

    reason = "already_running"


class DeadLetterNotFoundError(CutbackError):
    """There is no such dead letter."""

    reason = "dead_letter_not_found"


class CutShortError(CutbackError):
    """It was interrupted before it was done."""

    reason = "interrupted"


class ClipNotMadeError(CutbackError):
    """The clip was not made."""

    reason = "clip_not_made"


class UnforeseenError(CutbackError):
    """The demo did not go as it should."""

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
    "dead_letter_not_found": Exit.NOT_FOUND,
}


def exit_of(error: CutbackError) -> Exit:
    """The exit code for an error."""
    if error.transient:
        return Exit.TRY_AGAIN
    return _CODES.get(error.reason, Exit.FAILED)
