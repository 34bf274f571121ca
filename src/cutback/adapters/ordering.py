"""What all adapters with time-ordered data share: exact times as numbers, cursors, limits."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

ABANDONED_AFTER = timedelta(hours=1)
"""If a lease expired this long ago, the clip has no message left that would reach a worker."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER_NEGATIVE = 2**62
"""Added so that times before 1970 sort correctly as digits too."""


def to_micros(moment: datetime) -> int:
    """Return exact microseconds since 1970, as the databases store times."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the time, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def micros_or_none(moment: datetime | None) -> int | None:
    """Like `to_micros`, for a time that may be None."""
    return None if moment is None else to_micros(moment)


def sort_key(micros: int, name: str = "") -> str:
    """Return a text that sorts like (time, name), so that one indexed field serves a listing and its cursor.

    Without a name, it sorts before everything with the same time.
    """
    return f"{micros + _NEVER_NEGATIVE:019} {name}"


def make_cursor(micros: int, name: str) -> str:
    """Return the cursor of a listing's next page, which begins after this time and name."""
    return urlsafe_b64encode(f"{micros} {name}".encode()).decode()


def read_cursor(cursor: str) -> tuple[int, str]:
    """Return the arguments of `make_cursor`.

    Raises:
        ValueError: `make_cursor` did not make this cursor.
    """
    try:
        micros, name = urlsafe_b64decode(cursor.encode("ascii")).decode().split(" ", 1)
        found = int(micros), name
        if name and -(2**63) <= found[0] < 2**63 and make_cursor(*found) == cursor:
            return found
    except ValueError:
        pass  # one message for everything that may be wrong
    raise ValueError("the cursor is not from a listing")


def check_limit(limit: int) -> None:
    """Raise `ValueError` for a limit below 1."""
    if limit < 1:
        raise ValueError("limit must be 1 or more")
