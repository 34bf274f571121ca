"""The Range header: what is sent, and what is not worth sending."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.errors import RangeNotSatisfiableError
from cutback.domain.http_ranges import MOST_RANGES, is_same_version, wanted_ranges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-", [(0, 1000)]),
        ("bytes=990-5000", [(990, 1000)]),
        ("bytes=-1", [(999, 1000)]),
        ("bytes=-5000", [(0, 1000)]),
        ("BYTES = 5-9", [(5, 10)]),
        ("bytes=500-599, 0-99", [(0, 100), (500, 600)]),
        ("bytes=0-99,50-149,150-160", [(0, 161)]),
        ("bytes=0-99,170-199", [(0, 200)]),
        ("bytes=0-9,2000-", [(0, 10)]),
        (None, []),
        ("", []),
        ("bytes", []),
        ("bytes=", []),
        ("bytes=-", []),
        ("bytes=5-4", []),
        ("bytes=a-b", []),
        ("bytes=0-9;1-2", []),
        ("bytes=0-9,", []),
        ("bytes=٣-٤", []),
        ("lines=0-9", []),
        ("bytes=0-9" * 500, []),
        ("bytes=" + "9" * 40 + "-", []),
    ],
)
def test_a_header_is_read_as_the_rfc_says(header: str | None, expected: list[tuple[int, int]]) -> None:
    assert wanted_ranges(header, 1000) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=1000-,2000-"])
def test_ranges_that_are_not_in_the_file_are_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError, match="1000 bytes"):
        wanted_ranges(header, 1000)


def test_more_ranges_than_anybody_needs_are_the_whole_file() -> None:
    ranges = [f"{start}-{start}" for start in range(0, 100_000, 1000)]
    assert len(wanted_ranges("bytes=" + ",".join(ranges[:MOST_RANGES]), 10**6)) == MOST_RANGES
    assert wanted_ranges("bytes=" + ",".join(ranges[: MOST_RANGES + 1]), 10**6) == []
    assert wanted_ranges("bytes=" + ",".join(["0-"] * 1300), 10**6) == []


@given(st.text(max_size=60), st.integers(0, 5000))
def test_whatever_is_sent_no_byte_is_sent_twice_and_none_that_does_not_exist(text: str, size: int) -> None:
    try:
        found = wanted_ranges("bytes=" + text, size)
    except RangeNotSatisfiableError:
        return
    last = 0
    for start, end in found:
        assert last <= start < end <= size
        last = end


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=MOST_RANGES))
def test_every_requested_byte_of_the_file_is_sent(pairs: list[tuple[int, int]]) -> None:
    pairs = [(min(pair), max(pair)) for pair in pairs]
    wanted = {byte for first, last in pairs for byte in range(first, last + 1) if byte < 200}
    if not wanted:
        return
    found = wanted_ranges("bytes=" + ",".join(f"{first}-{last}" for first, last in pairs), 200)
    assert wanted <= {byte for start, end in found for byte in range(start, end)}


def test_a_range_is_sent_only_for_the_version_that_the_client_has() -> None:
    version = {"etag": '"a"', "modified": "Sun, 21 Jun 2026 10:00:00 GMT"}
    assert is_same_version(None, **version)
    assert is_same_version('"a"', **version)
    assert is_same_version("Sun, 21 Jun 2026 10:00:00 GMT", **version)
    assert not is_same_version('W/"a"', **version)
    assert not is_same_version('"b"', **version)
    assert not is_same_version("Sun, 21 Jun 2026 10:00:01 GMT", **version)
