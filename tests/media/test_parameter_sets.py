"""H.264 and HEVC without parameter sets cannot be decoded: the error says so, for every container."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import boxes, cut_in_child, find_boxes
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.codecs.h264 import nal
from cutback.cutting.job import Precision
from cutback.domain.errors import MediaUnreadableError
from cutback.sandbox.cutter import ChildCutter

H264 = MediaSpec(frames=90, gop=30, suffix=".ts")
HEVC = MediaSpec(frames=90, gop=30, suffix=".ts", codec="libx265", audio=None)
WITHOUT = {"h264": (H264, "7-8"), "hevc": (HEVC, "32-34")}
RANGE = (0, Fraction("0.7"), Fraction("2.3"))


def stripped(kind: str, folder: Path, ffmpeg: Callable[..., None]) -> Path:
    spec, types = WITHOUT[kind]
    plain = cached_media(spec, folder)
    filters = ["-bsf:v", f"filter_units=remove_types={types}"]
    return made_once(
        folder / f"{plain.stem}-bare.ts",
        lambda path: ffmpeg("-i", str(plain), "-c", "copy", *filters, "-f", "mpegts", str(path)),
    )


@pytest.mark.parametrize("kind", WITHOUT)
def test_a_transport_stream_without_parameter_sets(
    kind: str, media_folder: Path, ffmpeg: Callable[..., None], cutter: ChildCutter
) -> None:
    with pytest.raises(MediaUnreadableError, match="parameter sets"):
        cut_in_child(cutter, [stripped(kind, media_folder, ffmpeg)], RANGE)


@pytest.mark.parametrize("precision", ["exact", "keyframe", "instant"])
@pytest.mark.parametrize(("codec", "tag", "record"), [("libx264", "avc1", b"avcC"), ("libx265", "hvc1", b"hvcC")])
def test_an_mp4_whose_sample_entry_has_no_parameter_sets(
    precision: Precision, codec: str, tag: str, record: bytes, media_folder: Path, cutter: ChildCutter
) -> None:
    """A copy would be a clip that cannot be played."""
    spec = MediaSpec(frames=90, gop=30, codec=codec, tag=tag, audio=None)
    data = bytearray(cached_media(spec, media_folder).read_bytes())
    (begin, _), *_ = find_boxes(bytes(data), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    (at,) = [content for kind, _, content, _ in boxes(bytes(data), begin + 8 + 86, begin + 8 + 400) if kind == record]
    if record == b"avcC":
        data[at + 5 : at + 7] = b"\xe0\0"  # no SPS, no PPS
    else:
        data[at + 22] = 0  # no arrays
    with pytest.raises(MediaUnreadableError, match="parameter sets"):
        cut_in_child(cutter, [bytes(data)], RANGE, precision=precision)


def test_parameter_sets_in_the_samples_are_enough(
    media_folder: Path, ffmpeg: Callable[..., None], cutter: ChildCutter
) -> None:
    plain = cached_media(MediaSpec(frames=90, gop=30, suffix=".ts", audio=None), media_folder)
    inband = made_once(
        media_folder / f"{plain.stem}-avc3.mp4",
        lambda path: ffmpeg("-i", str(plain), "-c", "copy", "-tag:v", "avc3", "-f", "mp4", str(path)),
    )
    data = bytearray(inband.read_bytes())
    at = data.index(b"avcC") + 4
    data[at + 5 : at + 7] = b"\xe0\0"
    assert cut_in_child(cutter, [bytes(data)], RANGE).facts.frames == 48


def test_bytes_without_a_start_code_hold_no_unit() -> None:
    assert list(nal.split_annex_b(b"")) == []
    assert list(nal.split_annex_b(bytes(100))) == []
