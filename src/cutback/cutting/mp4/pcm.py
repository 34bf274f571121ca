"""Uncompressed sound in MP4 and MOV: which of FFmpeg's codecs a sample entry names."""

from __future__ import annotations

import re

from cutback.cutting.mp4.boxes import child

_FLOAT, _BIG_ENDIAN, _SIGNED = 1, 2, 4
"""formatSpecificFlags of `lpcm` (QTFF, "Sound Sample Description (Version 2)")."""

_FIXED = {
    b"in24": "s24",
    b"in32": "s32",
    b"s16l": "s16le",
    b"fl32": "f32",
    b"fl64": "f64",
    b"ulaw": "mulaw",
    b"alaw": "alaw",
}

ENTRIES = frozenset({*_FIXED, b"ipcm", b"fpcm", b"lpcm", b"sowt", b"twos", b"raw ", b"NONE"})


def pcm_codec(fourcc: bytes, bits: int, flags: int, boxes: memoryview) -> str:
    """Return FFmpeg's codec for such an entry.

    `bits` is the size of one channel's sample; `flags` belong to a version 2 description.
    """
    little = _is_little(boxes)
    match fourcc:
        case b"ipcm" | b"fpcm":  # ISO/IEC 23003-5
            configuration = child(boxes, b"pcmC")
            if configuration is not None:
                little, bits = bool(configuration[4] & 1), configuration[5]
            return _codec("f" if fourcc == b"fpcm" else "s", bits, little=little)
        case b"lpcm":
            kind = "f" if flags & _FLOAT else "s" if flags & _SIGNED or bits > 8 else "u"
            return _codec(kind, bits, little=not flags & _BIG_ENDIAN)
        case b"sowt":
            return _codec("s", bits, little=True)
        case b"twos":
            return _codec("s", bits, little=little)
        case b"raw " | b"NONE":
            return _codec("u" if bits <= 8 else "s", bits, little=little)
    name = _FIXED[fourcc]
    plain = name in {"mulaw", "alaw", "s16le"}
    return f"pcm_{name}" if plain else f"pcm_{name}{'le' if little else 'be'}"


def _codec(kind: str, bits: int, *, little: bool) -> str:
    width = min((size for size in (8, 16, 24, 32, 64) if size >= bits), default=64)
    return f"pcm_{kind}8" if width == 8 else f"pcm_{kind}{width}{'le' if little else 'be'}"


def _is_little(boxes: memoryview) -> bool:
    order = child(boxes, b"wave", b"enda") or child(boxes, b"enda")
    return order is not None and len(order) >= 2 and order[1] == 1


def sample_bits(codec: str) -> int:
    """Return the bits of one channel's sample: 24 for `pcm_s24le`, 8 for `pcm_alaw`; 0 if the size does not tell."""
    plain = re.fullmatch(r"pcm_(?:[suf](\d+)(?:le|be)?(?:_planar)?|alaw|mulaw)", codec)
    return int(plain[1] or 8) if plain else 0
