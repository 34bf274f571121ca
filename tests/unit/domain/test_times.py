"""Times as requests write them: every accepted form means one exact time, everything else is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.times import (
    MAX_SECONDS,
    FrameNumber,
    FromEnd,
    format_clock,
    format_seconds,
    instant_to_json,
    parse_instant,
)

moments = st.builds(Fraction, st.integers(0, MAX_SECONDS * 10**12), st.just(10**12))
"""Every time that can be written with twelve decimals."""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (0, Fraction(0)),
        (12, Fraction(12)),
        (0.1, Fraction(1, 10)),
        (Decimal("12.50"), Fraction(25, 2)),
        (Decimal("1e2"), Fraction(100)),
        ("12.5", Fraction(25, 2)),
        (" 12.5 ", Fraction(25, 2)),
        ("1:02", Fraction(62)),
        ("00:03:12.480", Fraction(19248, 100)),
        ("100:00:00", Fraction(360_000)),
        (MAX_SECONDS, Fraction(MAX_SECONDS)),
        (Fraction(41, 30), Fraction(41, 30)),
        ({"frame": 0}, FrameNumber(0)),
        ({"frame": 1234}, FrameNumber(1234)),
        (FrameNumber(7), FrameNumber(7)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("90s", Fraction(90)),
        ("1m30s", Fraction(90)),
        ("1m30.25s", Fraction(361, 4)),
        ("2h", Fraction(7200)),
        ("1h2m3s", Fraction(3723)),
        ("-5", FromEnd(Fraction(5))),
        ("-1m30s", FromEnd(Fraction(90))),
        ("-00:00:01", FromEnd(Fraction(1))),
        ("-0", FromEnd(Fraction(0))),
    ],
)
def test_every_accepted_form_is_read_exactly(written: object, meant: object) -> None:
    assert parse_instant(written) == meant


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (-1, "negative"),
        (-0.001, "negative"),
        ("--1", "expected"),
        ("-", "expected"),
        (".", "expected"),
        ("s", "expected"),
        ("1s30m", "expected"),
        ("9999h", "more than a year"),
        ("-9999h", "more than a year"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (Decimal("NaN"), "finite"),
        (Decimal("sNaN"), "finite"),
        (Decimal("-Infinity"), "finite"),
        (Decimal("1e999999999"), "is too large or too small"),
        (Decimal("1e-999999999"), "is too large or too small"),
        (10**4000, "more than a year"),
        (MAX_SECONDS + 1, "more than a year"),
        (1_700_000_000_000, "more than a year"),
        ("9999:00:00", "more than a year"),
        ("00:60:00", "up to 59"),
        ("00:00:60", "up to 59"),
        ("1e3", "expected"),
        ("", "expected"),
        ("12,5", "expected"),
        ("0x10", "expected"),
        ("1_000", "expected"),
        ("١٢", "expected"),
        ("nan", "expected"),
        ("00:00:00:00", "expected"),
        ("1" * 100_000, "expected"),
        (True, "expected"),
        (None, "expected"),
        ([], "expected"),
        ({}, "expected"),
        ({"frame": 1, "of": 2}, "expected"),
        ({"frame": True}, "expected"),
        ({"frame": 1.0}, "expected"),
        ({"frame": "1"}, "expected"),
        ({"frame": -1}, "at least 0"),
        ({"frame": 10**30}, "a year of frames"),
    ],
)
def test_everything_else_is_refused_with_what_is_expected(written: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_instant(written)


@given(moments)
def test_what_is_written_is_read_back(moment: Fraction) -> None:
    text = instant_to_json(moment)
    assert parse_instant(text) == moment
    assert parse_instant(Decimal(str(text))) == moment


@given(moments, st.integers(0, 5))
def test_equal_times_are_written_equally(moment: Fraction, zeros: int) -> None:
    plain = format_seconds(moment)
    padded = (plain if "." in plain else plain + ".") + "0" * zeros
    if not padded.endswith(".") and len(padded.partition(".")[2]) <= 12:
        assert instant_to_json(parse_instant(padded)) == plain
    assert not plain.endswith((".", ".0"))


@given(st.integers(0, MAX_SECONDS * 1000))
def test_a_clock_is_read_as_it_is_shown(millis: int) -> None:
    moment = Fraction(millis, 1000)
    assert parse_instant(format_clock(moment)) == moment


@given(st.integers(0, MAX_SECONDS - 1), st.integers(0, 10**6 - 1))
def test_a_float_means_the_decimal_that_was_written(whole: int, micros: int) -> None:
    text = f"{whole}.{micros:06d}"
    assert parse_instant(float(text)) == Fraction(text)


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=30)
    | st.from_regex(r"-?[0-9]{0,5}[:.]?[0-9]{0,3}[:.]?[0-9]{0,3}", fullmatch=True)
    | st.dictionaries(st.sampled_from(["frame", "x"]), st.integers() | st.text(max_size=3), max_size=2)
)
def test_whatever_comes_is_a_time_within_a_year_or_a_value_error(written: object) -> None:
    try:
        found = parse_instant(written)
    except ValueError:
        return
    if isinstance(found, FrameNumber):
        assert found.frame >= 0
    elif isinstance(found, FromEnd):
        assert 0 <= found.seconds <= MAX_SECONDS
    else:
        assert 0 <= found <= MAX_SECONDS


@pytest.mark.parametrize(
    ("moment", "places", "shown"),
    [
        (Fraction(41, 30), 12, "1.366666666667"),
        (Fraction(41, 30), 3, "1.367"),
        (Fraction(1, 2), 0, "0"),
        (Fraction(3, 2), 0, "2"),
        (Fraction(-5, 2), 12, "-2.5"),
        (Fraction(100), 12, "100"),
    ],
)
def test_seconds_are_shown_rounded_half_to_even_without_trailing_zeros(
    moment: Fraction, places: int, shown: str
) -> None:
    assert format_seconds(moment, places) == shown


def test_a_clock_carries_over_when_it_rounds_up() -> None:
    assert format_clock(Fraction(3_599_999_9, 10_000)) == "01:00:00.000"
    assert format_clock(Fraction(-3, 2)) == "-00:00:01.500"
