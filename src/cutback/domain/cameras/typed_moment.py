"""Moments as people type them: without an offset they are on the camera's clock. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from cutback.domain.wallclock import on_the_clock, parse_moment

AHEAD = timedelta(hours=1)
"""How far ahead a time without a day may be, for footage that is about to be recorded."""

_TYPED = re.compile(
    r"(?:(?P<date>\d{4}-\d\d-\d\d)|(?P<word>today|yesterday|tomorrow))?(?:(?(date)[Tt ]|(?(word) )) *"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r" ?(?P<offset>[Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def read_moment(text: str, zone: tzinfo, *, now: datetime, after: datetime | None = None) -> datetime:
    """Return the moment in UTC that a person means who types `text` and has a camera in `zone`.

    A date without a time means its midnight. A time without a date means its latest occurrence that is at most `AHEAD`
    in the future; or with `after`, such as the start of a span that ends then, the first one after it.

    Raises:
        ValueError: it is no moment, or the clock of `zone` shows it never or twice.
    """
    written = text.strip()
    if re.fullmatch(r"\d{12,14}", written, re.ASCII):
        return parse_moment(int(written))
    found = _TYPED.fullmatch(written)
    if not written or found is None:
        return parse_moment(written)
    if found["offset"]:
        zone = _fixed(found["offset"])
    clock = _clock_time(found)
    if found["date"]:
        return parse_moment(on_the_clock(datetime.combine(_date(found["date"]), clock), zone))
    today = now.astimezone(zone).date()
    if found["word"]:
        day = today + timedelta(days=_DAYS[found["word"].lower()])
        return on_the_clock(datetime.combine(day, clock), zone)
    near = today if after is None else after.astimezone(zone).date()
    days = [near + timedelta(days=number) for number in (-1, 0, 1)]
    if after is not None:
        meant = next(day for day in days[1:] if _roughly(day, clock, zone) > after)
    else:
        meant = next(day for day in reversed(days) if _roughly(day, clock, zone) <= now + AHEAD)
    return on_the_clock(datetime.combine(meant, clock), zone)


def _clock_time(found: re.Match[str]) -> time:
    try:
        return time(
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            int((found["fraction"] or "0")[:6].ljust(6, "0")),
        )
    except ValueError:
        raise ValueError("is not a valid time of day, such as 17:03 or 17:03:20.5") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a valid date, such as 2026-06-21") from None


def _fixed(offset: str) -> tzinfo:
    if offset in {"Z", "z"}:
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"has an offset that does not exist: {offset}")
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if offset[0] == "-" else length)


def _roughly(day: date, clock: time, zone: tzinfo) -> datetime:
    """The same without complaints about nights when clocks change."""
    return datetime.combine(day, clock, zone).astimezone(UTC)
