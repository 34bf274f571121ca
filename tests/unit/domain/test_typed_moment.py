"""Moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cutback.domain.cameras.typed_moment import read_moment

LISBON, TOKYO = ZoneInfo("Europe/Lisbon"), ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 6, 21, 16, 30, tzinfo=UTC)  # 17:30 in Lisbon


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-06-21T10:03:12.480+02:00", "2026-06-21T08:03:12.480Z"),
        ("2026-06-21T10:03Z", "2026-06-21T10:03:00Z"),
        ("1782036192480", "2026-06-21T10:03:12.480Z"),
        ("2026-06-21T10:03:12.48", "2026-06-21T09:03:12.480Z"),
        ("2026-01-21 10:03", "2026-01-21T10:03:00Z"),
        ("2026-06-21", "2026-06-20T23:00:00Z"),
        ("yesterday 17:03", "2026-06-20T16:03:00Z"),
        ("Today 9:03:20.5", "2026-06-21T08:03:20.500Z"),
        ("tomorrow 00:10", "2026-06-21T23:10:00Z"),
        ("yesterday", "2026-06-19T23:00:00Z"),
        ("17:03", "2026-06-21T16:03:00Z"),
        ("18:29", "2026-06-21T17:29:00Z"),
        ("18:31", "2026-06-20T17:31:00Z"),
        ("17:03Z", "2026-06-21T17:03:00Z"),
        ("17:03+0900", "2026-06-21T08:03:00Z"),
    ],
)
def test_a_moment_without_an_offset_is_on_the_cameras_clock(typed: str, expected: str) -> None:
    assert datetime.fromisoformat(expected) == read_moment(typed, LISBON, now=NOW)


def test_a_time_without_a_day_is_on_the_cameras_day() -> None:
    late = datetime(2026, 6, 21, 20, 0, tzinfo=UTC)  # 05:00 of the next day in Tokyo
    assert read_moment("04:00", TOKYO, now=late) == late - timedelta(hours=1)
    assert read_moment("today 04:00", TOKYO, now=late) == late - timedelta(hours=1)
    assert read_moment("05:30", TOKYO, now=late) == late + timedelta(minutes=30)


def test_the_end_of_a_span_may_lie_beyond_midnight() -> None:
    start = read_moment("yesterday 23:50", LISBON, now=NOW)
    assert read_moment("00:10", LISBON, now=NOW, after=start) == start + timedelta(minutes=20)
    assert read_moment("23:55", LISBON, now=NOW, after=start) == start + timedelta(minutes=5)
    assert read_moment("23:50", LISBON, now=NOW, after=start) == start + timedelta(days=1)


def test_a_time_that_the_clock_shows_twice_or_never_needs_an_offset() -> None:
    with pytest.raises(ValueError, match=r"2026-10-25T01:30:00\+01:00 or 2026-10-25T01:30:00\+00:00"):
        read_moment("2026-10-25T01:30", LISBON, now=NOW)
    noon_before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert read_moment("01:30", LISBON, now=noon_before) == datetime(2026, 10, 24, 0, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="does not exist in Europe/Lisbon"):
        read_moment("2026-03-29T01:30", LISBON, now=NOW)


@pytest.mark.parametrize(
    "wrong", ["", "2", "25:00", "17:60", "2026-02-30T10:00", "noon", "17:03+99:00", "yesterday17:03", "1782036192"]
)
def test_anything_else_is_no_moment(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_moment(wrong, LISBON, now=NOW)
