"""AV1 as a `Codec` for whole clips, by SVT-AV1 (AV1 Codec ISO Media File Format Binding 1.2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from cutback.cutting.bits import BitReader
from cutback.cutting.codecs.never_joined import NeverJoined
from cutback.cutting.index import Track
from cutback.cutting.mp4.entries import visual_entry
from cutback.domain.errors import MediaUnreadableError

_SEQUENCE_HEADER, _TEMPORAL_DELIMITER = 1, 2


class Av1(NeverJoined):
    """See `Codec`."""

    encoder = "libsvtav1"

    def options(self, track: Track | None, rate: Fraction, *, lookahead: int, interlaced: bool) -> Mapping[str, str]:
        """Two threads and a short look-ahead: with its defaults, the encoder takes half as much memory again."""
        del track, interlaced
        params = f"lp=2:lookahead={min(lookahead, 20)}:keyint={max(1, round(2 * rate))}:scd=0"
        return {"preset": "10", "crf": "32", "svtav1-params": params}

    def sample(self, annex_b: bytes) -> bytes:
        """Leave out temporal delimiters: samples of an MP4 have none."""
        return b"".join(unit for kind, unit in _units(annex_b) if kind != _TEMPORAL_DELIMITER)

    def own_entry(self, width: int, height: int, header: bytes, boxes: bytes) -> bytes:
        """Return an `av01` entry; `header` has the sequence header."""
        return visual_entry(b"av01", width, height, b"av1C", _configuration(header), boxes)


def _configuration(header: bytes) -> bytes:
    """Return `av1C`, for 4:2:0 with 8 or 10 bits, which is all that is encoded."""
    unit = next((unit for kind, unit in _units(header) if kind == _SEQUENCE_HEADER), None)
    if unit is None:
        raise MediaUnreadableError("The encoder of AV1 gave no sequence header.")
    reader = BitReader(unit[len(unit) - _size(unit) :])
    profile = reader.bits(3)
    reader.bits(2)  # still_picture, reduced_still_picture_header
    if reader.bits(1):
        raise MediaUnreadableError("The encoder of AV1 wrote timing information.")
    delays = reader.bits(1)
    reader.bits(5 + 12)  # the number of operating points, and which parts the first one has
    level = reader.bits(5)
    tier = reader.bits(1) if level > 7 else 0
    if delays and reader.bits(1):
        reader.bits(4)
    high = _is_high(reader)
    return bytes([0x81, profile << 5 | level, tier << 7 | high << 6 | 0b1100, 0]) + unit


def _is_high(reader: BitReader) -> int:
    """Read on to `high_bitdepth` (AV1 bitstream specification, 5.5.1 and 5.5.2)."""
    wide, high = reader.bits(4) + 1, reader.bits(4) + 1
    reader.bits(wide)
    reader.bits(high)
    if reader.bits(1):  # frame_id_numbers_present_flag
        reader.bits(4 + 3)
    reader.bits(3)  # superblocks of 128, filter intra, intra edge
    reader.bits(4)  # interintra, masked, warped, dual filter
    order_hint = reader.bits(1)
    if order_hint:
        reader.bits(2)
    choose = reader.bits(1)
    screen = 2 if choose else reader.bits(1)
    if screen > 0 and not reader.bits(1):
        reader.bits(1)
    if order_hint:
        reader.bits(3)
    reader.bits(3)  # superres, cdef, restoration
    return reader.bits(1)


def _units(data: bytes) -> list[tuple[int, bytes]]:
    """Split OBUs with sizes; return the type and the bytes of each."""
    units, at = [], 0
    while at < len(data):
        header = 2 if data[at] & 4 else 1
        if not data[at] & 2:
            units.append((data[at] >> 3 & 15, data[at:]))
            break
        size, used = _leb128(data, at + header)
        end = at + header + used + size
        units.append((data[at] >> 3 & 15, data[at:end]))
        at = end
    return units


def _size(unit: bytes) -> int:
    """The length of a unit's payload."""
    return _leb128(unit, 2 if unit[0] & 4 else 1)[0]


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = used = 0
    while True:
        byte = data[at + used]
        value |= (byte & 127) << 7 * used
        used += 1
        if not byte & 128:
            return value, used
