"""Playlists are read as RFC 8216 says, and hostile ones lead nowhere."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.waiting import slowdown

from cutback.domain.errors import CutbackError, MediaTooLargeError, MediaUnreadableError, MediaUnsupportedError
from cutback.reading.playlist import LARGEST, MOST_LINES, MOST_SEGMENTS, ObjectRange, parse_playlist


def text(*lines: str, end: bool = True) -> str:
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:4", *lines, "#EXT-X-ENDLIST" if end else ""])


def test_segments_are_consecutive_below_the_playlists_folder() -> None:
    found = parse_playlist(text("#EXTINF:4.004,", "a.ts", "#EXTINF:3.999933,", "x/b%20c.ts?t=1"), "cam/live.m3u8")
    assert [segment.media for segment in found.segments] == [ObjectRange("cam/a.ts"), ObjectRange("cam/x/b c.ts")]
    assert [segment.start for segment in found.segments] == [0, Fraction("4.004")]
    assert found.end == Fraction("8.003933")
    assert found.finished
    assert {segment.run for segment in found.segments} == {0}


def test_a_playlist_without_an_end_is_still_being_written() -> None:
    assert not parse_playlist(text("#EXTINF:4,", "a.ts", end=False), "live.m3u8").finished


def test_ranges_of_one_object_are_consecutive_without_offsets() -> None:
    found = parse_playlist(
        text(
            '#EXT-X-MAP:URI="all.mp4",BYTERANGE="800@0"',
            "#EXTINF:4,", "#EXT-X-BYTERANGE:1000@800", "all.mp4",
            "#EXTINF:4,", "#EXT-X-BYTERANGE:500", "all.mp4",
        ),
        "live.m3u8",
    )  # fmt: skip
    assert [segment.media for segment in found.segments] == [
        ObjectRange("all.mp4", 800, 1000),
        ObjectRange("all.mp4", 1800, 500),
    ]
    assert {segment.init for segment in found.segments} == {ObjectRange("all.mp4", 0, 800)}


def test_the_wall_clock_continues_from_the_last_known_time() -> None:
    found = parse_playlist(
        text(
            "#EXTINF:4,", "0.ts",
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T10:00:00.480+01:00", "#EXTINF:4.004,", "1.ts",
            "#EXTINF:4,", "2.ts",
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T09:00:09Z", "#EXTINF:4,", "3.ts",
        ),
        "live.m3u8",
    )  # fmt: skip
    first = datetime(2026, 11, 23, 9, 0, 0, 480_000, tzinfo=UTC)
    moments = [segment.begins for segment in found.segments]
    assert moments == [None, first, first + timedelta(seconds=4.004), datetime(2026, 11, 23, 9, 0, 9, tzinfo=UTC)]


def test_a_discontinuity_a_gap_and_another_header_begin_another_run() -> None:
    found = parse_playlist(
        text(
            "#EXTINF:4,", "0.ts",
            "#EXT-X-DISCONTINUITY", "#EXTINF:4,", "1.ts",
            "#EXT-X-GAP", "#EXTINF:4,", "2.ts",
            "#EXTINF:4,", "3.ts",
            '#EXT-X-MAP:URI="init.mp4"', "#EXTINF:4,", "4.m4s",
        ),
        "live.m3u8",
    )  # fmt: skip
    assert [(segment.media.key, segment.start) for segment in found.segments] == [
        ("0.ts", Fraction(0)), ("1.ts", Fraction(4)), ("3.ts", Fraction(12)), ("4.m4s", Fraction(16)),
    ]  # fmt: skip
    assert len({segment.run for segment in found.segments}) == 4
    runs = found.around(Fraction(3), Fraction(13))
    assert [(run.start, run.end) for run in runs] == [
        (Fraction(3), Fraction(4)),
        (Fraction(4), Fraction(8)),
        (Fraction(12), Fraction(13)),
    ]


def test_one_segment_more_on_either_side_of_a_range_comes_along() -> None:
    lines = [line for n in range(10) for line in ("#EXTINF:2,", f"{n}.ts")]
    found = parse_playlist(text(*lines), "live.m3u8")
    (run,) = found.around(Fraction(6), Fraction(8))
    assert [segment.media.key for segment in run.segments] == ["2.ts", "3.ts", "4.ts"]
    assert found.around(Fraction(20), Fraction(30)) == []
    (last,) = found.around(Fraction(19), Fraction(30))
    assert (last.segments[-1].media.key, last.end) == ("9.ts", Fraction(30))


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.com/a.ts", "https://example.com/a.ts", "//example.com/a.ts", "/etc/passwd", "file:///etc/passwd",
        "../other/a.ts", "a/../../b.ts", "%2e%2e/b.ts", "%2Fetc/passwd", "concat:a.ts", "subfile,,a", "a\\b.ts",
        "a%00.ts", "a//b.ts", "./a.ts", "data:video/mp2t;base64,AAAA", "crypto+http://h/a", "s3://bucket/a.ts",
    ],
)  # fmt: skip
def test_a_playlist_may_only_name_objects_in_its_folder_or_below(uri: str) -> None:
    for lines in (("#EXTINF:4,", uri), (f'#EXT-X-MAP:URI="{uri}"', "#EXTINF:4,", "a.ts")):
        try:
            found = parse_playlist(text(*lines), "cam/live.m3u8")
        except MediaUnreadableError:
            continue
        # What is harmless taken literally is a name in that folder, and no more.
        keys = [part.key for segment in found.segments for part in (segment.media, segment.init) if part]
        assert all(key.startswith("cam/") and ".." not in key.split("/") for key in keys)
        assert uri == "subfile,,a"


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["#EXT-X-STREAM-INF:BANDWIDTH=1", "low.m3u8"], MediaUnsupportedError),
        (['#EXT-X-KEY:METHOD=AES-128,URI="key"', "#EXTINF:4,", "a.ts"], MediaUnsupportedError),
        (["#EXTINF:nan,", "a.ts"], MediaUnreadableError),
        (["#EXTINF:inf,", "a.ts"], MediaUnreadableError),
        (["#EXTINF:-4,", "a.ts"], MediaUnreadableError),
        (["#EXTINF:1e300,", "a.ts"], MediaUnreadableError),
        (["#EXTINF:four,", "a.ts"], MediaUnreadableError),
        (["#EXTINF:4,", "#EXT-X-BYTERANGE:-5@3", "a.ts"], MediaUnreadableError),
        (["#EXTINF:4,", "#EXT-X-BYTERANGE:x@3", "a.ts"], MediaUnreadableError),
        (["#EXT-X-PROGRAM-DATE-TIME:yesterday", "#EXTINF:4,", "a.ts"], MediaUnreadableError),
    ],
)
def test_what_cannot_be_cut_is_named(lines: list[str], error: type[CutbackError]) -> None:
    with pytest.raises(error):
        parse_playlist(text(*lines), "live.m3u8")


@pytest.mark.parametrize(
    ("content", "limit"),
    [
        ("#EXTINF:4,\na.ts\n" * 200_000, f"{MOST_SEGMENTS} segments"),
        ("#EXTINF:4,\n" * (MOST_SEGMENTS + 1), f"{MOST_SEGMENTS} segments"),
        ("a.ts\n" * (MOST_LINES + 1), f"{MOST_LINES} lines"),
        ("\n" * (LARGEST - 8), f"{MOST_LINES} lines"),
        ("\u2028" * (MOST_LINES + 1), f"{MOST_LINES} lines"),
    ],
    ids=["200,000 segments", "segments without names", "names", "empty lines", "line separators"],
)
def test_a_playlist_that_is_too_long_is_refused_before_it_is_parsed(content: str, limit: str) -> None:
    began = time.process_time()
    with pytest.raises(MediaTooLargeError, match=limit):
        parse_playlist("#EXTM3U\n" + content, "live.m3u8")
    assert time.process_time() - began < 1 * slowdown()


def test_another_text_is_no_playlist() -> None:
    with pytest.raises(MediaUnreadableError):
        parse_playlist("ffconcat version 1.0\nfile /etc/passwd", "live.m3u8")


TAGS = st.sampled_from(
    ["#EXTINF:", "#EXT-X-MAP:", "#EXT-X-KEY:", "#EXT-X-BYTERANGE:", "#EXT-X-PROGRAM-DATE-TIME:", "#EXT-X-GAP",
     "#EXT-X-DISCONTINUITY", "#EXT-X-PART:", "#EXT-X-SKIP:", "#EXT-X-ENDLIST", "URI=", "METHOD=", ""]
)  # fmt: skip


@given(st.lists(st.builds("".join, st.lists(st.one_of(TAGS, st.text(max_size=12)), max_size=4)), max_size=12))
def test_any_text_is_a_playlist_or_named(lines: list[str]) -> None:
    with suppress(MediaUnreadableError, MediaUnsupportedError):
        found = parse_playlist(text(*lines), "cam/live.m3u8")
        assert all(segment.media.key.startswith("cam/") for segment in found.segments)
