"""Priming that a tag tells of, instead of an edit list, is not heard."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import boxes, cut_in_process, find_boxes
from tests.support.decode import decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import MIN_QUALITY, MediaSpec, cached_media, match_sound

SPEC = MediaSpec(frames=150, codec=None, sample_rate=44_100, suffix=".mp4", muxer_options={"use_editlist": "0"})
PRIMING, LENGTH = 1024, 5 * 44_100


def box(kind: bytes, *parts: bytes) -> bytes:
    """An MP4 box."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def with_tag(data: bytes, priming: int, length: int) -> bytes:
    """An MP4, its index last, with iTunSMPB in the place of its other tags."""
    text = f" 00000000 {priming:08X} 00000000 {length:016X}".encode() + b" 00000000" * 8
    tag = box(
        b"----",
        box(b"mean", bytes(4), b"com.apple.iTunes"),
        box(b"name", bytes(4), b"iTunSMPB"),
        box(b"data", struct.pack(">II", 1, 0), text),
    )
    handler = box(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    moov, content, end = next((at, inside, stop) for kind, at, inside, stop in boxes(data) if kind == b"moov")
    kept = b"".join(data[at:stop] for kind, at, _, stop in boxes(data, content, end) if kind != b"udta")
    return data[:moov] + box(b"moov", kept, box(b"udta", box(b"meta", bytes(4), handler, box(b"ilst", tag))))


@pytest.mark.parametrize(("start", "end"), [("0", "1.5"), ("1.25", "3"), ("4.2", "9")])
def test_priming_told_by_a_tag_is_left_out(start: str, end: str, media_folder: Path) -> None:
    plain = cached_media(SPEC, media_folder)
    assert not find_boxes(plain.read_bytes(), b"moov", b"trak", b"edts")
    path = made_once(
        plain.with_name(f"itunes-{plain.name}"),
        lambda making: making.write_bytes(with_tag(plain.read_bytes(), PRIMING, LENGTH)),
    )
    clip = cut_in_process([path], (0, Fraction(start), Fraction(end)))
    shown = decode_presented(clip.data)
    assert shown.audio_start is not None
    assert abs(shown.audio_start) <= Fraction(1024, 44_100), "FFmpeg may play the first packet whole"
    heard = float(start) + 0.1
    skipped = round((0.1 - float(shown.audio_start)) * 44_100)
    found = match_sound(shown.audio[skipped : skipped + 22_050], 44_100, SPEC, heard, 0.1)
    assert found.quality >= MIN_QUALITY
    assert abs(found.start - heard) <= 0.0005
    assert abs(clip.facts.duration - (min(Fraction(end), Fraction(5)) - Fraction(start))) <= Fraction(1, 1000)
    assert decode_warnings(clip.data) == []
