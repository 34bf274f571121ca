"""Unsupported containers are named in the error, whatever the file's name."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import cut_in_process
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media

from cutback.domain.errors import MediaUnsupportedError

PICTURES = ["-map", "0:v", "-c", "copy"]
ENCODED = ["-map", "0:v", "-map", "0:a?", "-s", "176x144", "-r", "25", "-frames:v", "12"]
SOUND = ["-vn", "-t", "1"]

FOREIGN: dict[str, tuple[str, list[str]]] = {
    "flv": ("FLV", ["-c", "copy"]),
    "avi": ("AVI", ["-c", "copy"]),
    "mpeg": ("program stream", [*ENCODED, "-c:v", "mpeg2video", "-c:a", "mp2"]),
    "vob": ("program stream", [*ENCODED, "-c:v", "mpeg2video", "-c:a", "mp2"]),
    "svcd": ("program stream", [*ENCODED, "-c:v", "mpeg1video", "-c:a", "mp2"]),
    "h264": ("raw H.264", PICTURES),
    "hevc": ("raw HEVC", [*ENCODED, "-an", "-c:v", "libx265", "-x265-params", "log-level=none"]),
    "mpeg2video": ("raw MPEG video", [*ENCODED, "-an", "-c:v", "mpeg2video"]),
    "m4v": ("raw MPEG-4", [*ENCODED, "-an", "-c:v", "mpeg4"]),
    "asf": ("ASF", [*ENCODED, "-c:v", "wmv2", "-c:a", "wmav2"]),
    "mxf": ("MXF", [*ENCODED, "-an", "-c:v", "mpeg2video"]),
    "ivf": ("IVF", [*ENCODED, "-an", "-c:v", "libvpx"]),
    "ogg": ("Ogg", [*ENCODED, "-an", "-c:v", "libtheora"]),
    "nut": ("NUT", ["-c", "copy"]),
    "yuv4mpegpipe": ("YUV4MPEG", [*ENCODED, "-an"]),
    "gif": ("GIF", [*ENCODED, "-an"]),
    "wav": ("WAV", SOUND),
    "mp3": ("MP3", SOUND),
    "adts": ("raw AAC", SOUND),
    "ac3": ("raw AC-3", SOUND),
    "flac": ("FLAC", SOUND),
    "aiff": ("AIFF", SOUND),
    "caf": ("CAF", SOUND),
}
"""FFmpeg's muxers: what the message names, and how such a file is made."""


def foreign(muxer: str, folder: Path, ffmpeg: Callable[..., None]) -> Path:
    plain = cached_media(MediaSpec(frames=30, gop=10), folder)
    _, options = FOREIGN[muxer]
    return made_once(
        folder / f"{plain.stem}-{muxer}.mp4",
        lambda path: ffmpeg("-i", str(plain), *options, "-f", muxer, str(path)),
    )


@pytest.mark.parametrize("muxer", FOREIGN)
def test_another_container_is_unsupported_by_name(muxer: str, media_folder: Path, ffmpeg: Callable[..., None]) -> None:
    with pytest.raises(MediaUnsupportedError) as refused:
        cut_in_process([foreign(muxer, media_folder, ffmpeg)], (0, Fraction(0), Fraction(1)))
    assert FOREIGN[muxer][0] in refused.value.message
    assert "Cutback reads MP4/MOV, Matroska/WebM and MPEG-TS" in refused.value.message


def test_a_format_that_only_libavformat_knows_is_unsupported_too() -> None:
    """One of those that have no signature of ours: a Sun AU file."""
    data = b".snd" + (24).to_bytes(4) + (8000).to_bytes(4) + (3).to_bytes(4) + (8000).to_bytes(4) + (1).to_bytes(4)
    with pytest.raises(MediaUnsupportedError, match="another format"):
        cut_in_process([data + bytes(8000)], (0, Fraction(0), Fraction(1)))


@pytest.mark.parametrize("data", [bytes(5000), b"\1\2" * 2500], ids=["zeros", "others"])
def test_an_unknown_format_stays_unreadable(data: bytes) -> None:
    with pytest.raises(Exception, match="not a readable video"):
        cut_in_process([data], (0, Fraction(0), Fraction(1)))


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"mif1"])
def test_a_picture_in_boxes_is_unsupported(brand: bytes) -> None:
    data = b"\0\0\0\x18ftyp" + brand + bytes(4) + b"mif1" + brand + b"\0\0\0\x0cmeta" + bytes(4)
    with pytest.raises(MediaUnsupportedError, match="picture"):
        cut_in_process([data], (0, Fraction(0), Fraction(1)))
