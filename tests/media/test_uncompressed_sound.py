"""Uncompressed sound, in every width and with every name, and sound that can begin only at sync samples."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.check_clip import check_clip, expected_range
from tests.media.cuts import cut_in_process, find_boxes
from tests.media.recipes import Recipe
from tests.media.recordings import decode_reference
from tests.support.decode import decode_presented
from tests.support.made_once import made_once
from tests.support.media import FRAGMENTED, MediaSpec, cached_media
from tests.support.sampling import slow_except

from cutback.cutting.mp4.boxes import box
from cutback.cutting.mp4.pcm import pcm_codec

WIDTHS = [f"pcm_{kind}{order}" for kind in ("s16", "s24", "s32", "f32", "f64") for order in ("le", "be")]
CASES = [
    *((codec, ".mp4", {}) for codec in WIDTHS),
    *((codec, ".mov", {}) for codec in ("pcm_s16be", "pcm_s24le", "pcm_f32le", "pcm_alaw")),
    ("pcm_f32be", ".mp4", FRAGMENTED),
]
HIGH = MediaSpec(frames=90, gop=30, suffix=".mov", audio="pcm_s24le", sample_rate=96000)

RANGES = ((0, Fraction("0.71"), Fraction("2.13")), (0, Fraction("2.3"), Fraction("2.9")))


def judge(spec: MediaSpec, path: Path) -> None:
    """Two ranges joined, with the sound and the pictures that they must have."""
    reference = decode_reference(path.stem, Recipe(spec), path)
    parts = [expected_range(reference, start, end) for _, start, end in RANGES]
    check_clip(cut_in_process([path], *RANGES), [part for part in parts if part is not None])


@pytest.mark.parametrize("case", slow_except(CASES, *CASES[::3]), ids=str)
def test_every_width_is_cut_to_the_sample(case: tuple[str, str, dict[str, str]], media_folder: Path) -> None:
    codec, suffix, options = case
    spec = MediaSpec(frames=90, gop=30, audio=codec, suffix=suffix, muxer_options=options)
    judge(spec, cached_media(spec, media_folder))


@pytest.mark.parametrize("channels", [1, 6])
def test_other_numbers_of_channels(channels: int, media_folder: Path) -> None:
    spec = MediaSpec(frames=90, gop=30, audio="pcm_s16le", suffix=".mp4", channels=channels)
    judge(spec, cached_media(spec, media_folder))


def test_a_rate_that_needs_the_second_version_of_a_description(media_folder: Path) -> None:
    path = cached_media(HIGH, media_folder)
    (begin, end), *_ = find_boxes(path.read_bytes(), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")[1:]
    assert b"lpcm" in path.read_bytes()[begin:end]
    judge(HIGH, path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_truehd_begins_at_a_sync_sample(suffix: str, media_folder: Path, ffmpeg: Callable[..., None]) -> None:
    """One of its packets in many can be decoded by itself."""
    spec = MediaSpec(frames=90, gop=30, audio="pcm_s16le", suffix=".mov")
    plain = cached_media(spec, media_folder)
    options = ["-c:v", "copy", "-c:a", "truehd", "-strict", "-2"]
    path = made_once(
        media_folder / f"{plain.stem}-truehd{suffix}", lambda made: ffmpeg("-i", str(plain), *options, str(made))
    )
    judge(spec, path)


def test_older_sound_of_quicktime_is_taken_apart_by_libavformat(
    media_folder: Path, ffmpeg: Callable[..., None]
) -> None:
    spec = MediaSpec(frames=90, gop=30, audio="pcm_s16le", suffix=".mov")
    plain = cached_media(spec, media_folder)
    path = made_once(
        media_folder / f"{plain.stem}-ima4.mov",
        lambda made: ffmpeg("-i", str(plain), "-c:v", "copy", "-c:a", "adpcm_ima_qt", str(made)),
    )
    assert b"ima4" in path.read_bytes()
    judge(spec, path)


@pytest.mark.parametrize(
    ("fourcc", "bits", "flags", "boxes", "codec"),
    [
        (b"sowt", 16, 0, b"", "pcm_s16le"),
        (b"sowt", 8, 0, b"", "pcm_s8"),
        (b"sowt", 24, 0, b"", "pcm_s24le"),
        (b"twos", 16, 0, b"", "pcm_s16be"),
        (b"twos", 8, 0, b"", "pcm_s8"),
        (b"raw ", 8, 0, b"", "pcm_u8"),
        (b"NONE", 16, 0, b"", "pcm_s16be"),
        (b"in24", 16, 0, b"", "pcm_s24be"),
        (b"in24", 16, 0, box(b"wave", box(b"enda", b"\0\1")), "pcm_s24le"),
        (b"in32", 16, 0, box(b"enda", b"\0\1"), "pcm_s32le"),
        (b"fl32", 16, 0, b"", "pcm_f32be"),
        (b"fl64", 16, 0, box(b"wave", box(b"enda", b"\0\1")), "pcm_f64le"),
        (b"lpcm", 24, 12, b"", "pcm_s24le"),
        (b"lpcm", 24, 14, b"", "pcm_s24be"),
        (b"lpcm", 32, 9, b"", "pcm_f32le"),
        (b"lpcm", 64, 11, b"", "pcm_f64be"),
        (b"lpcm", 8, 0, b"", "pcm_u8"),
        (b"lpcm", 20, 4, b"", "pcm_s24le"),
        (b"ipcm", 16, 0, box(b"pcmC", bytes(4), b"\1\x20"), "pcm_s32le"),
        (b"ipcm", 16, 0, box(b"pcmC", bytes(4), b"\0\x18"), "pcm_s24be"),
        (b"fpcm", 16, 0, box(b"pcmC", bytes(4), b"\1\x40"), "pcm_f64le"),
    ],
)
def test_an_entry_names_its_codec(fourcc: bytes, bits: int, flags: int, boxes: bytes, codec: str) -> None:
    assert pcm_codec(fourcc, bits, flags, memoryview(boxes)) == codec


@pytest.mark.parametrize("damage", [b"\x7f\xc0\0\0", b"\x7f\x80\0\0", b"\x7e\xff\0\0"], ids=["nan", "inf", "huge"])
def test_sound_that_is_no_number_becomes_silence(damage: bytes, media_folder: Path) -> None:
    spec = MediaSpec(frames=90, codec=None, audio="pcm_f32be", suffix=".mov")
    data = bytearray(cached_media(spec, media_folder).read_bytes())
    middle = data.index(b"mdat") + 4 + 4 * spec.channels * round(1.2 * spec.sample_rate)
    data[middle : middle + 4000] = damage * 1000
    clip = cut_in_process([bytes(data)], *RANGES)
    assert decode_presented(clip.data).audio_end is not None
