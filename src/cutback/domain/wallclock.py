"""Moments on the wall clock as requests write them: RFC 3339 with an offset, or milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from cutback.domain.base import iso

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EXPECTED = 'a moment such as "2026-06-21T10:03:12.480+02:00", or milliseconds since 1970'


def parse_moment(value: object) -> datetime:
    """Parse a moment to UTC, exact to the microsecond; further digits are cut off.

    Raises:
        ValueError: it has neither form, has no offset from UTC, or is not between 1990 and 2200.
    """
    if isinstance(value, datetime):
        moment = value
        if moment.tzinfo is None:
            raise ValueError(f"needs an offset from UTC; expected {_EXPECTED}")
    elif isinstance(value, str):
        moment = _parse_text(value.strip())
    elif isinstance(value, int | Decimal | float) and not isinstance(value, bool):
        moment = _parse_millis(value)
    else:
        raise ValueError(f"expected {_EXPECTED}")  # noqa: TRY004 - pydantic collects ValueErrors
    if not _FIRST <= moment < _LAST:
        raise ValueError(f"is in the year {moment.year}; expected {_EXPECTED}")
    return moment.astimezone(UTC)


def _parse_text(text: str) -> datetime:
    if not _RFC3339.fullmatch(text):
        if re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?", text, re.ASCII):
            raise ValueError(f"needs an offset from UTC, such as Z or +02:00; expected {_EXPECTED}")
        raise ValueError(f"expected {_EXPECTED}")
    try:
        return datetime.fromisoformat(text.upper())
    except (ValueError, OverflowError):
        raise ValueError(f"is not a valid date and time; expected {_EXPECTED}") from None


def _parse_millis(value: float | Decimal) -> datetime:
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 15:
        raise ValueError(f"expected {_EXPECTED}")
    if 0 <= exact < 10**11:
        raise ValueError(f"looks like seconds since 1970; expected {_EXPECTED}")
    try:
        return _EPOCH + timedelta(microseconds=int(exact * 1000))
    except OverflowError:
        raise ValueError(f"expected {_EXPECTED}") from None


def millis(moment: datetime) -> int:
    """Return milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def seconds_between(start: datetime, end: datetime) -> Fraction:
    """Return the exact seconds from `start` to `end`; negative if `end` is earlier."""
    return Fraction((end - start) // _MICROSECOND, 1_000_000)


def after(moment: datetime, seconds: Fraction) -> datetime:
    """Return the moment `seconds` later, rounded to the microsecond."""
    return moment + timedelta(microseconds=round(seconds * 1_000_000))


MomentField = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    PlainSerializer(iso, when_used="json"),
    WithJsonSchema(
        {
            "title": "Moment",
            "description": "RFC 3339 with an offset from UTC, or milliseconds since 1970.",
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 10**11}],
        }
    ),
]
"""A moment as a pydantic field; written in UTC to the microsecond, so that equal moments give equal text."""
