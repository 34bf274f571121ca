"""How bright an HDR picture is meant to be: carried over to pictures that are encoded anew.

Colours (PQ, HLG, BT.2020) are in the encoder's parameter sets; mastering display and light levels are not, and an
encoder does not learn of them through the picture's pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.sidedata.sidedata import Type

from cutback.cutting.mp4.boxes import box

_MASTERING, _LEVELS = 137, 144
"""SEI payload types of H.264 and HEVC alike (ITU-T H.265, D.2.28 and D.2.35)."""

_RED, _GREEN, _BLUE, _WHITE = range(4)


@dataclass(frozen=True, slots=True)
class HdrMetadata:
    """The payloads as SEI messages and MP4 boxes (`mdcv`, `clli`) both have them; empty where there is none."""

    mastering: bytes = b""
    levels: bytes = b""

    @property
    def messages(self) -> bytes:
        """SEI messages, without a NAL unit around them; empty where there is nothing to say."""
        found = ((_MASTERING, self.mastering), (_LEVELS, self.levels))
        return b"".join(bytes([kind, len(data)]) + data for kind, data in found if data)

    @property
    def boxes(self) -> bytes:
        """For a visual sample entry."""
        found = ((b"mdcv", self.mastering), (b"clli", self.levels))
        return b"".join(box(kind, data) for kind, data in found if data)


def hdr_of(frame: av.VideoFrame) -> HdrMetadata:
    """What a decoded picture says of its light."""
    mastering, levels = b"", b""
    found: Iterable[Any] = frame.side_data
    for data in found:
        if data.type is Type.MASTERING_DISPLAY_METADATA:
            mastering = _mastering(bytes(data))
        elif data.type is Type.CONTENT_LIGHT_LEVEL:
            most, average = struct.unpack_from("=II", bytes(data))
            levels = struct.pack(">HH", min(most, 0xFFFF), min(average, 0xFFFF))
    return HdrMetadata(mastering, levels)


def _mastering(data: bytes) -> bytes:
    """From FFmpeg's AVMasteringDisplayMetadata: x and y of red, green, blue and white; least and most light."""
    numbers = struct.unpack_from("=20i", data)
    values = [
        Fraction(top, bottom) if bottom else Fraction(0) for top, bottom in zip(*[iter(numbers)] * 2, strict=True)
    ]
    if not all(struct.unpack_from("=ii", data, 80)):  # has_primaries, has_luminance
        return b""
    places = [values[2 * colour + axis] for colour in (_GREEN, _BLUE, _RED, _WHITE) for axis in (0, 1)]
    least, most = values[8:]
    try:
        return struct.pack(
            ">8HII", *(round(place * 50000) for place in places), round(most * 10000), round(least * 10000)
        )
    except struct.error:  # numbers that no display has
        return b""
