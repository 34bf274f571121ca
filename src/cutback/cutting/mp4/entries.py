"""Builds sample entries for encoded samples, and modified ones for copied samples."""

from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction

from cutback.cutting.mp4.boxes import box, children, full_box
from cutback.domain.errors import MediaUnreadableError

_VISUAL_FIXED = 86
"""Bytes of a visual sample entry before its boxes."""


def visual_entry(
    kind: bytes, width: int, height: int, configuration_kind: bytes, configuration: bytes, extra: bytes = b""
) -> bytes:
    """Build a visual sample entry (ISO/IEC 14496-12, 12.1.3); `extra` contains further boxes (colr, pasp)."""
    fixed = struct.pack(">6xH16xHHIII H32sHh", 1, width, height, 0x480000, 0x480000, 0, 1, b"", 24, -1)
    return box(kind, fixed, box(configuration_kind, configuration), extra)


def with_configuration(entry: bytes, kind: bytes, configuration: bytes) -> bytes:
    """Replace the configuration box (avcC, hvcC) of a visual sample entry."""
    fixed, boxes = entry[8:86], memoryview(entry)[86:]
    kept = [box(name, configuration if name == kind else bytes(data)) for name, data in children(boxes)]
    return box(entry[4:8], fixed, *kept)


def without_rates(entry: bytes) -> bytes:
    """Remove `btrt` from a visual sample entry: its bit rates are those of one file, and no decoder needs them."""
    return box(
        entry[4:8],
        entry[8:86],
        *(box(kind, bytes(data)) for kind, data in children(memoryview(entry)[86:]) if kind != b"btrt"),
    )


def colour_box(primaries: int, transfer: int, matrix: int, *, full_range: bool) -> bytes:
    """Build `colr` of type nclx; the numbers are those of ITU-T H.273."""
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, 0x80 if full_range else 0))


def aspect_box(horizontal: int, vertical: int) -> bytes:
    """Build `pasp`, the pixel aspect ratio."""
    return box(b"pasp", struct.pack(">II", horizontal, vertical))


def aspect_of(entry: bytes) -> Fraction | None:
    """Return the pixel aspect ratio that a visual sample entry has in `pasp`; None if it has none that is usable."""
    payload: bytes | memoryview = b""
    with suppress(MediaUnreadableError):  # damage behind the codec's own box does not stop decoding
        payload = next((data for kind, data in children(memoryview(entry)[_VISUAL_FIXED:]) if kind == b"pasp"), b"")
    horizontal, vertical = struct.unpack_from(">II", payload) if len(payload) >= 8 else (0, 0)
    usable = range(1, 1 << 16)
    return Fraction(horizontal, vertical) if horizontal in usable and vertical in usable else None


def aac_entry(sample_rate: int, channels: int, config: bytes, bit_rate: int, object_type: int = 0x40) -> bytes:
    """Build an audio sample entry `mp4a` with its elementary stream descriptor (ISO/IEC 14496-1, 7.2.6).

    `object_type` 0x40 is AAC, 0x6B MP3 (which has no `config`).
    """
    specific = _descriptor(5, config) if config else b""
    decoder = _descriptor(4, struct.pack(">BB3xII", object_type, 0x15, bit_rate, bit_rate), specific)
    stream = _descriptor(3, struct.pack(">HB", 0, 0), decoder, _descriptor(6, b"\2"))
    return sound_entry(b"mp4a", sample_rate, channels, full_box(b"esds", 0, 0, stream))


def sound_entry(kind: bytes, sample_rate: int, channels: int, boxes: bytes) -> bytes:
    """Build an audio sample entry (ISO/IEC 14496-12, 12.2.3)."""
    return box(kind, struct.pack(">6xH8xHH4xI", 1, channels, 16, min(sample_rate, 0xFFFF) << 16), boxes)


def _descriptor(tag: int, *payload: bytes) -> bytes:
    body = b"".join(payload)
    size = len(body)
    return bytes([tag, size >> 21 & 127 | 128, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127]) + body
