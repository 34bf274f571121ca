"""Says of an object that is not in the store what it means for a recording."""

from __future__ import annotations

from cutback.domain.errors import CutbackError, ObjectNotFoundError, RecordingNotFoundError, SymlinkOutsideError

LINK_ADVICE = (
    "Set CUTBACK_SOURCE_STORE to a folder that contains both, or mount the other folder in its place (mount --bind)."
)
"""What to do about a symbolic link that leads out of the source store."""


def missing_recording(error: ObjectNotFoundError, before: str = "") -> CutbackError:
    """Return the error to raise for a recording whose object is missing, or lies behind a link out of the store.

    `before` begins the detail of a recording that is missing.
    """
    if isinstance(error, SymlinkOutsideError):
        return SymlinkOutsideError(f"{error.detail} {LINK_ADVICE}")
    return RecordingNotFoundError(before + error.detail)
