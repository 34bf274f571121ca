"""Moments on the wall clock as requests write them: RFC 3339, or milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction

from pydantic import PlainSerializer, WithJsonSchema

from cutback.domain.base import iso

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_LOCAL = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d"
_RFC3339 = re.compile(rf"{_LOCAL}:\d\d(?:\.\d{{1,9}})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WITHOUT_OFFSET = re.compile(rf"{_LOCAL}(?::\d\d(?:\.\d{{1,9}})?)?", re.ASCII)
_EXPECTED = 'a moment such as "2026-06-21T10:03:12.480+02:00", or milliseconds since 1970'


def parse_moment(value: object, zone: tzinfo | None = None) -> datetime:
    """Parse a moment to UTC, exact to the microsecond; further digits are cut off.

    A text without an offset from UTC is what a clock in `zone` shows.

    Raises:
        ValueError: it has neither form, or is not between 1990 and 2200; or it has no offset, and no zone is given, or
            the zone's clock shows this never or twice.
    """
    if isinstance(value, datetime):
        moment = value
        if moment.tzinfo is None:
            raise ValueError(f"needs an offset from UTC; expected {_EXPECTED}")
    elif isinstance(value, str):
        moment = _parse_text(value.strip(), zone)
    elif isinstance(value, int | Decimal | float) and not isinstance(value, bool):
        moment = _parse_millis(value)
    else:
        raise ValueError(f"expected {_EXPECTED}")  # noqa: TRY004 - pydantic collects ValueErrors
    if not _FIRST <= moment < _LAST:
        raise ValueError(f"is in the year {moment.year}; expected {_EXPECTED}")
    return moment.astimezone(UTC)


def _parse_text(text: str, zone: tzinfo | None) -> datetime:
    local = parse_local(text)
    if local is not None:
        if zone is None:
            raise ValueError(f"needs an offset from UTC, such as Z or +02:00; expected {_EXPECTED}")
        return on_the_clock(local, zone)
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"expected {_EXPECTED}")
    return _from_iso(text)


def parse_local(text: str) -> datetime | None:
    """Parse a date and time without an offset from UTC. Returns a naive time; None if the text has another form.

    Raises:
        ValueError: it has this form, but there is no such date or time of day.
    """
    return _from_iso(text) if _WITHOUT_OFFSET.fullmatch(text) else None


def _from_iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except (ValueError, OverflowError):
        raise ValueError(f"is not a valid date and time; expected {_EXPECTED}") from None


def on_the_clock(local: datetime, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, at which a clock in `zone` shows the naive time `local`.

    Raises:
        ValueError: it never shows it, or twice, in a night when clocks change; or the year has no such moment in UTC.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    try:
        one, other = first.astimezone(UTC), second.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"is in the year {local.year}; expected {_EXPECTED}") from None
    if one > other:
        raise ValueError(f"does not exist in {zone}: clocks are put forward in that night. Add an offset from UTC")
    if one < other:
        raise ValueError(
            f"occurs twice in {zone}: clocks are put back in that night. "
            f"Add an offset: {local.isoformat()}{_offset(first)} or {local.isoformat()}{_offset(second)}"
        )
    return one


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:]


def _parse_millis(value: float | Decimal) -> datetime:
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 15:
        raise ValueError(f"expected {_EXPECTED}")
    if 0 <= exact < 10**11:
        raise ValueError(f"looks like seconds since 1970; expected {_EXPECTED}")
    try:
        return EPOCH + timedelta(microseconds=int(exact * 1000))
    except OverflowError:
        raise ValueError(f"expected {_EXPECTED}") from None


def millis(moment: datetime) -> int:
    """Return milliseconds since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def seconds_between(start: datetime, end: datetime) -> Fraction:
    """Return the exact seconds from `start` to `end`; negative if `end` is earlier."""
    return Fraction((end - start) // _MICROSECOND, 1_000_000)


def after(moment: datetime, seconds: Fraction) -> datetime:
    """Return the moment `seconds` later, rounded to the microsecond."""
    return moment + timedelta(microseconds=round(seconds * 1_000_000))


MOMENT_SCHEMA = WithJsonSchema(
    {
        "title": "Moment",
        "description": "RFC 3339, or milliseconds since 1970. Without an offset from UTC, it is in the camera's zone.",
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "pattern": rf"^{_LOCAL}(:\d\d(\.\d{{1,9}})?)?$"},
            {"type": "number", "minimum": 10**11},
        ],
    }
)
"""How JSON Schema describes what `parse_moment` reads with a zone."""

EXACT_MOMENT_SCHEMA = WithJsonSchema(
    {
        "title": "Moment",
        "description": "RFC 3339 with an offset from UTC, or milliseconds since 1970.",
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 10**11}],
    }
)
"""How JSON Schema describes what `parse_moment` reads without a zone."""

WRITTEN_IN_UTC = PlainSerializer(iso, when_used="json")
"""Writes a moment in UTC to the microsecond, so that equal moments give equal text."""
