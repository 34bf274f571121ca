"""What all adapters share that keep things in order of time: exact times as numbers, cursors, limits."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

ABANDONED_AFTER = timedelta(hours=1)
"""A lease that passed this long ago has no message that would lead a worker to its clip."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER_NEGATIVE = 2**62
"""Added so that the digits of times before 1970 sort as well."""


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970, exact: what the databases' fields of time hold."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def micros_or_none(moment: datetime | None) -> int | None:
    """The same for a moment that may not be there."""
    return None if moment is None else to_micros(moment)


def sort_key(micros: int, name: str = "") -> str:
    """A text that sorts as (time, name) does: one field, and so one index, serves a listing and its cursor.

    Without a name it sorts before everything of that time.
    """
    return f"{micros + _NEVER_NEGATIVE:019} {name}"


def make_cursor(micros: int, name: str) -> str:
    """Where a listing's next page begins: after what has this time and this name."""
    return urlsafe_b64encode(f"{micros} {name}".encode()).decode()


def read_cursor(cursor: str) -> tuple[int, str]:
    """What `make_cursor` was given.

    Raises:
        ValueError: it did not make this one.
    """
    try:
        micros, name = urlsafe_b64decode(cursor.encode("ascii")).decode().split(" ", 1)
        found = int(micros), name
        if name and -(2**63) <= found[0] < 2**63 and make_cursor(*found) == cursor:
            return found
    except ValueError:
        pass  # one message for every way in which it can be wrong
    raise ValueError("the cursor is not one that a listing gave")


def check_limit(limit: int) -> None:
    """Refuse to list nothing: with a `ValueError` for a limit below 1."""
    if limit < 1:
        raise ValueError("limit must be 1 or more")
