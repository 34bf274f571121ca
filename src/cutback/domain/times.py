"""Times as requests write them, kept exact: seconds are `Fraction`, never `float`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

FRAME_TOLERANCE = Fraction(1, 1000)
"""A time within this many seconds of a frame's own time means that frame."""

MAX_SECONDS = 366 * 24 * 3600
"""A year. A greater number is a mistake, such as milliseconds instead of seconds."""

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,12})?)", re.ASCII)
_DECIMAL = re.compile(r"\d{1,9}(?:\.\d{0,12})?|\.\d{1,12}", re.ASCII)
_UNITS = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{1,12})?|\.\d{1,12})s)?", re.ASCII)
_EXPECTED = 'seconds (12.5 or "12.5"), "HH:MM:SS.mmm", "1m30s", "-5" (before the end) or {"frame": 1234}'


@dataclass(frozen=True, slots=True)
class FrameNumber:
    """The n-th frame of a recording in presentation order, counted from 0."""

    frame: int


@dataclass(frozen=True, slots=True)
class FromEnd:
    """A time before the recording's end."""

    seconds: Fraction


Instant: TypeAlias = Fraction | FrameNumber | FromEnd
"""A point of a recording: seconds from its time zero, a frame number, or seconds before its end."""


def parse_instant(value: object) -> Instant:
    """Parse a time as a request may write it.

    Raises:
        ValueError: `value` has no accepted form, is negative or is beyond `MAX_SECONDS`.
    """
    if isinstance(value, FrameNumber | FromEnd):
        return value
    if isinstance(value, str) and value.strip().startswith("-"):
        return FromEnd(parse_duration(value.strip()[1:]))
    if isinstance(value, dict):
        return _parse_frame(value)
    return parse_duration(value)


def parse_duration(value: object) -> Fraction:
    """Parse a number of seconds as a request may write it.

    Raises:
        ValueError: `value` has no accepted form, is negative or is beyond `MAX_SECONDS`.
    """
    seconds = _parse_seconds(value)
    if seconds < 0:
        raise ValueError("must not be negative")
    if seconds > MAX_SECONDS:
        raise ValueError(f"is more than a year; expected {_EXPECTED}")
    return seconds


def _parse_frame(value: dict[Any, Any]) -> FrameNumber:
    number = value.get("frame")
    if set(value) != {"frame"} or isinstance(number, bool) or not isinstance(number, int):
        raise ValueError(f"expected {_EXPECTED}")
    if not 0 <= number <= MAX_SECONDS * 1000:
        raise ValueError("the frame number must be at least 0 and at most a year of frames")
    return FrameNumber(number)


def _parse_seconds(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError(f"expected {_EXPECTED}")  # noqa: TRY004 - pydantic collects ValueErrors
    if isinstance(value, float):  # repr returns the decimal as it was written
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("must be a finite number of seconds")
        # Check the size before Fraction expands the exponent: 1e999999999 would fill the memory.
        if value and not -12 <= value.adjusted() <= 9:
            raise ValueError(f"is too large or too small; expected {_EXPECTED}")
        return Fraction(value)
    if isinstance(value, int):
        return Fraction(value)
    text = value.strip()
    if _DECIMAL.fullmatch(text):
        return Fraction(text)
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        if int(minutes) >= 60 or Fraction(seconds) >= 60:
            raise ValueError('minutes and seconds go up to 59, as in "01:02:03.400"')
        return int(hours or 0) * 3600 + int(minutes) * 60 + Fraction(seconds)
    if (match := _UNITS.fullmatch(text)) and text:
        hours, minutes, seconds = match.groups()
        return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds or 0)
    raise ValueError(f"expected {_EXPECTED}")


def instant_to_json(value: Instant) -> str | dict[str, int]:
    """Return the canonical form of a time: equal times give equal text (`12.5`, never `12.50`)."""
    if isinstance(value, FrameNumber):
        return {"frame": value.frame}
    if isinstance(value, FromEnd):
        return f"-{format_seconds(value.seconds)}"
    return format_seconds(value)


def format_seconds(value: Fraction, places: int = 12) -> str:
    """Format seconds as a plain decimal, rounded half to even to `places`, without trailing zeros."""
    scaled = round(value * 10**places)
    sign, scaled = ("-", -scaled) if scaled < 0 else ("", scaled)
    whole, part = divmod(scaled, 10**places)
    return f"{sign}{whole}.{part:0{places}d}".rstrip("0").rstrip(".") if places else f"{sign}{whole}"


def format_clock(value: Fraction) -> str:
    """Format seconds as `HH:MM:SS.mmm`, rounded to the millisecond."""
    millis = round(value * 1000)
    sign, millis = ("-", -millis) if millis < 0 else ("", millis)
    seconds, millis = divmod(millis, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}.{millis:03d}"
