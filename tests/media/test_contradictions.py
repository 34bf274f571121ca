"""Recordings with a contradictory index, and ranges that do not suit the kind of recording."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction

import pytest
from tests.media.cuts import BytesSource, cut_in_process, find_boxes
from tests.media.recordings import ReferenceRecording

from cutback.cutting.job import Limits
from cutback.cutting.probe import probe
from cutback.domain.errors import MediaUnreadableError, RangeOutsideRecordingError
from cutback.domain.times import FrameNumber, Instant

Recordings = Callable[[str], ReferenceRecording]


def with_count(data: bytes, track: int, count: int) -> bytes:
    """The `track`-th track's table of sample sizes says that it has `count` of them."""
    changed = bytearray(data)
    begin, _ = find_boxes(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz")[track]
    struct.pack_into(">I", changed, begin + 8, count)
    return bytes(changed)


@pytest.mark.parametrize("count", [0, 60])
@pytest.mark.parametrize("track", [0, 1])
def test_a_track_that_claims_too_few_samples_is_not_dropped(track: int, count: int, recording: Recordings) -> None:
    data = with_count(recording("pyramid").path.read_bytes(), track, count)
    with pytest.raises(MediaUnreadableError, match="disagree"):
        cut_in_process([data], (0, Fraction("0.5"), Fraction("2.5")))
    with pytest.raises(MediaUnreadableError, match="disagree"):
        probe(BytesSource(data), Limits())


def test_a_table_of_sizes_that_is_missing_is_not_an_empty_track(recording: Recordings) -> None:
    data = bytearray(recording("pyramid").path.read_bytes())
    begin, _ = find_boxes(bytes(data), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz")[0]
    data[begin - 4 : begin] = b"free"
    with pytest.raises(MediaUnreadableError, match="disagree"):
        probe(BytesSource(bytes(data)), Limits())


def test_a_miscount_in_the_table_of_times_alone_is_lived_with(recording: Recordings) -> None:
    data = bytearray(recording("pyramid").path.read_bytes())
    begin, _ = find_boxes(bytes(data), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts")[0]
    (count,) = struct.unpack_from(">I", data, begin + 8)
    struct.pack_into(">I", data, begin + 8, count + 7)
    assert cut_in_process([bytes(data)], (0, Fraction("0.5"), Fraction("2.5"))).facts.frames == 60


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (FrameNumber(30), FrameNumber(60)),
        (Fraction(1), FrameNumber(60)),
        (FrameNumber(30), Fraction(2)),
    ],
)
def test_frame_numbers_are_refused_without_video(start: Instant, end: Instant, recording: Recordings) -> None:
    with pytest.raises(RangeOutsideRecordingError, match="no video"):
        cut_in_process([recording("sound-alone").path], (0, start, end))
