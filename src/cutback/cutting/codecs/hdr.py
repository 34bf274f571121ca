"""Copies HDR metadata (mastering display and light levels) to re-encoded pictures.

The encoder's parameter sets contain the colours (PQ, HLG, BT.2020), but not this metadata, and it is not in the pixels
that the encoder gets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
from av.sidedata.sidedata import Type

from cutback.cutting.mp4.boxes import box

_MASTERING, _LEVELS = 137, 144
"""SEI payload types, the same in H.264 and HEVC (ITU-T H.265, D.2.28 and D.2.35)."""

_RED, _GREEN, _BLUE, _WHITE = range(4)


@dataclass(frozen=True, slots=True)
class HdrMetadata:
    """The payloads, the same in SEI messages and MP4 boxes (`mdcv`, `clli`); empty if there are none."""

    mastering: bytes = b""
    levels: bytes = b""

    @property
    def messages(self) -> bytes:
        """Return SEI messages, without a NAL unit around them; empty if there is no metadata."""
        found = ((_MASTERING, self.mastering), (_LEVELS, self.levels))
        return b"".join(bytes([kind, len(data)]) + data for kind, data in found if data)

    @property
    def boxes(self) -> bytes:
        """Return the boxes for a visual sample entry."""
        found = ((b"mdcv", self.mastering), (b"clli", self.levels))
        return b"".join(box(kind, data) for kind, data in found if data)


def _unknown_type(kind: type[Type], value: object) -> Type:
    """Stand for side data that this version of PyAV has no name for, such as EXIF or the views of MV-HEVC."""
    unknown: Any = object.__new__(kind)
    unknown._name_, unknown._value_ = f"UNKNOWN_{value}", value
    return cast("Type", unknown)


# Without this, one unknown type makes all side data of a frame unreadable (ValueError, PyAV 18.1).
Type._missing_ = classmethod(_unknown_type)  # type: ignore[method-assign, assignment]


def hdr_of(frame: av.VideoFrame) -> HdrMetadata:
    """Return the HDR metadata of a decoded picture."""
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
    """Convert FFmpeg's AVMasteringDisplayMetadata: x, y of red, green, blue and white; lowest and highest luminance."""
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
    except struct.error:  # impossible values
        return b""
