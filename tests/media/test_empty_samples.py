"""Samples without a byte show nothing: the picture before stays, sound keeps its place, and nothing crashes."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from tests.media.changes import with_empty_samples
from tests.media.cuts import BytesSource, cut_in_process, find_boxes
from tests.support.decode import decode_presented, decode_warnings
from tests.support.media import MIN_QUALITY, MediaSpec, cached_media, match_sound

from cutback.cutting.job import Limits, Precision
from cutback.cutting.probe import probe

SPEC = MediaSpec(frames=120, gop=10, bframes=0)
TICK = Fraction(1, 1000)


def before_keyframe(number: int) -> bool:
    """The last picture of a group: no other needs it."""
    return number % 10 == 9 and number < 119


@pytest.mark.parametrize("precision", ["exact", "instant"])
def test_an_empty_picture_is_passed_over_and_the_one_before_stays(precision: Precision, media_folder: Path) -> None:
    data, empty = with_empty_samples(cached_media(SPEC, media_folder).read_bytes(), b"vide", before_keyframe)
    assert len(empty) >= 3
    assert probe(BytesSource(data), Limits())["tracks"][0]["samples"] == 120 - len(empty)
    clip = cut_in_process([data], (0, Fraction("0.5"), Fraction("3.5")), precision=precision)
    shown = decode_presented(clip.data)
    expected = [number for number in range(15, 105) if number not in empty]
    assert shown.counters == expected
    times = [Fraction(number - 15, 30) for number in expected]
    assert all(abs(time - wanted) <= TICK for time, wanted in zip(shown.times, times, strict=True))
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade
    match = match_sound(shown.audio, shown.sample_rate, SPEC, 0.5)
    assert match.quality > MIN_QUALITY
    assert abs(match.start - 0.5) < 0.02


def test_an_empty_picture_at_the_seam_of_joined_ranges_is_passed_over(media_folder: Path) -> None:
    data, empty = with_empty_samples(cached_media(SPEC, media_folder).read_bytes(), b"vide", before_keyframe)
    seam = empty[1]
    ranges = [(0, Fraction(1, 10), Fraction(seam, 30)), (0, Fraction(seam + 1, 30), Fraction(3))]
    clip = cut_in_process([data], *ranges)
    expected = [number for number in (*range(3, seam), *range(seam + 1, 90)) if number not in empty]
    assert decode_presented(clip.data).counters == expected
    assert decode_warnings(clip.data) == []


def test_empty_packets_of_sound_do_not_shift_what_follows(media_folder: Path) -> None:
    data, empty = with_empty_samples(
        cached_media(SPEC, media_folder).read_bytes(), b"soun", lambda number: number in range(60, 66)
    )
    assert empty
    for ranges in (
        [(0, Fraction("0.5"), Fraction("3.5"))],
        [(0, Fraction("0.5"), Fraction(2)), (0, Fraction(3), Fraction(4))],
    ):
        clip = cut_in_process([data], *ranges)
        shown = decode_presented(clip.data)
        assert all(after > before for before, after in pairwise(shown.times))
        tail = shown.audio[-shown.sample_rate // 2 :]
        at = float(ranges[-1][2]) - 0.5
        match = match_sound(tail, shown.sample_rate, SPEC, at, search_s=0.3)
        assert match.quality > MIN_QUALITY
        assert abs(match.start - at) < 0.03


@pytest.mark.parametrize("precision", ["exact", "instant"])
def test_an_empty_first_picture_is_not_time_zero(precision: Precision, media_folder: Path) -> None:
    """Nothing of its group can be shown, so the recording begins with the next keyframe."""
    spec = MediaSpec(frames=60, gop=10, bframes=0, audio=None)
    data = bytearray(cached_media(spec, media_folder).read_bytes())
    stbl = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    (sizes, _), *_ = find_boxes(bytes(data), *stbl, b"stsz")
    (chunks, _), *_ = find_boxes(bytes(data), *stbl, b"stco")
    (size,) = struct.unpack_from(">I", data, sizes + 12)
    (offset,) = struct.unpack_from(">I", data, chunks + 8)
    struct.pack_into(">I", data, sizes + 12, 0)
    struct.pack_into(">I", data, chunks + 8, offset + size)
    clip = cut_in_process([bytes(data)], (0, Fraction(0), Fraction(1)), precision=precision)
    shown = decode_presented(clip.data)
    assert shown.counters == list(range(10, 40))
    assert shown.times[0] == 0
    assert any("within a group of pictures" in note for note in clip.facts.notes)
    assert decode_warnings(clip.data) == []
