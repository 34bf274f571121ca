"""A clip's sound has its sample rate as time scale, whatever its recording has: some players take ticks for samples."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.check_clip import check_clip, expected_range
from tests.media.cuts import cut_in_process, find_boxes
from tests.media.recipes import Recipe
from tests.media.recordings import decode_reference
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.job import Precision

MDIA = (b"moov", b"trak", b"mdia")


def counted_in(data: bytes, factor: int) -> bytes:
    """A recording whose sound has a time scale of so many times its rate, and the same times."""
    changed = bytearray(data)
    number = [data[at + 8 : at + 12] for at, _ in find_boxes(data, *MDIA, b"hdlr")].index(b"soun")
    mdhd, _ = find_boxes(data, *MDIA, b"mdhd")[number]
    scale, length = struct.unpack_from(">II", data, mdhd + 12)
    struct.pack_into(">II", changed, mdhd + 12, scale * factor, length * factor)
    stts, _ = find_boxes(data, *MDIA, b"minf", b"stbl", b"stts")[number]
    for row in range(struct.unpack_from(">I", data, stts + 4)[0]):
        (delta,) = struct.unpack_from(">I", data, stts + 12 + 8 * row)
        struct.pack_into(">I", changed, stts + 12 + 8 * row, delta * factor)
    elst, _ = find_boxes(data, b"moov", b"trak", b"edts", b"elst")[number]
    assert struct.unpack_from(">I", data, elst + 4) == (1,)
    (first,) = struct.unpack_from(">i", data, elst + 12)
    struct.pack_into(">i", changed, elst + 12, first * factor)
    return bytes(changed)


def sound_scale(data: bytes) -> int:
    """Ticks a second of a file's sound."""
    number = [data[at + 8 : at + 12] for at, _ in find_boxes(data, *MDIA, b"hdlr")].index(b"soun")
    at, _ = find_boxes(data, *MDIA, b"mdhd")[number]
    (scale,) = struct.unpack_from(">I", data, at + (20 if data[at] == 1 else 12))
    return int(scale)


def judge(path: Path, spec: MediaSpec, precision: Precision = "exact") -> None:
    """One range, whose sound must be in sync and count in samples."""
    reference = decode_reference(path.stem, Recipe(spec), path)
    start, end = Fraction("0.7123"), Fraction("2.3")
    part = expected_range(reference, start, end)
    assert part is not None
    clip = cut_in_process([path], (0, start, end), precision=precision)
    check_clip(clip, [part])
    assert sound_scale(clip.data) == spec.sample_rate


@pytest.mark.parametrize("audio", ["aac", "libopus", "libmp3lame", "ac3"])
def test_another_time_scale_in_the_tables(audio: str, media_folder: Path) -> None:
    spec = MediaSpec(frames=90, gop=30, audio=audio)
    plain = cached_media(spec, media_folder)
    path = made_once(
        media_folder / f"{plain.stem}-x5.mp4", lambda made: made.write_bytes(counted_in(plain.read_bytes(), 5))
    )
    judge(path, spec)
    judge(path, spec, "instant")


@pytest.mark.parametrize("rate", [48000, 44100])
def test_smooth_streaming_counts_ten_millionths(rate: int, media_folder: Path, ffmpeg: Callable[..., None]) -> None:
    spec = MediaSpec(frames=90, gop=30, bframes=0, sample_rate=rate)
    plain = cached_media(spec, media_folder)
    path = made_once(
        media_folder / f"{plain.stem}-smooth.mp4",
        lambda made: ffmpeg("-i", str(plain), "-c", "copy", "-f", "ismv", str(made)),
    )
    assert sound_scale(path.read_bytes()) == 10_000_000
    judge(path, spec)
