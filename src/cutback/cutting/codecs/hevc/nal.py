"""HEVC's configuration record and NAL unit types (ISO/IEC 14496-15, 8.3.3; ITU-T H.265, 7.4.2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cutback.cutting.bits import BitReader, unescape
from cutback.domain.errors import MediaUnreadableError

BLA_W_LP, BLA_W_RADL, BLA_N_LP, IDR_W_RADL, IDR_N_LP, CRA = range(16, 22)
LAST_SLICE = 31
VPS, SPS, PPS, ACCESS_UNIT_DELIMITER = 32, 33, 34, 35
PREFIX_SEI, SUFFIX_SEI = 39, 40


def unit_type(unit: bytes) -> int:
    """nal_unit_type."""
    return unit[0] >> 1 & 63


def with_type(unit: bytes, kind: int) -> bytes:
    """Return the same NAL unit with another type."""
    return bytes([unit[0] & 0x81 | kind << 1]) + unit[1:]


@dataclass(frozen=True, slots=True)
class HevcConfiguration:
    """An HEVCDecoderConfigurationRecord."""

    fixed: bytes
    """Its first 22 bytes."""
    arrays: tuple[tuple[int, tuple[bytes, ...]], ...]
    """(NAL unit type, units)."""

    @property
    def length_size(self) -> int:
        """Bytes of a NAL unit's length prefix."""
        return (self.fixed[21] & 3) + 1

    @property
    def ordinary(self) -> bool:
        """Whether it is 4:2:0 with 8 or 10 bits, like the encoder's output."""
        return self.fixed[16] & 3 == 1 and self.depth in {8, 10} and self.fixed[18] & 7 == self.fixed[17] & 7

    @property
    def depth(self) -> int:
        """Bits of a luma sample."""
        return (self.fixed[17] & 7) + 8

    def pack(self) -> bytes:
        """Return the record's bytes."""
        parts = [self.fixed, bytes([len(self.arrays)])]
        for kind, units in self.arrays:
            parts.append(bytes([0x80 | kind]) + len(units).to_bytes(2))
            parts += [len(unit).to_bytes(2) + unit for unit in units]
        return b"".join(parts)


def parse_configuration(record: bytes) -> HevcConfiguration:
    """Parse an hvcC.

    Raises:
        MediaUnreadableError: it is truncated.
    """
    if len(record) < 23:
        raise MediaUnreadableError("Its decoder configuration is truncated.")
    arrays = []
    at = 23
    for _ in range(record[22]):
        kind, count = record[at] & 63, int.from_bytes(record[at + 1 : at + 3])
        at += 3
        units = []
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2])
            if not size or at + 2 + size > len(record):
                raise MediaUnreadableError("Its decoder configuration is truncated.")
            units.append(record[at + 2 : at + 2 + size])
            at += 2 + size
        arrays.append((kind, tuple(units)))
    return HevcConfiguration(record[:22], tuple(arrays))


def configuration_of(units: Iterable[bytes]) -> HevcConfiguration:
    """Make the record for an encoder's parameter sets (4:2:0)."""
    by_kind: dict[int, list[bytes]] = {VPS: [], SPS: [], PPS: []}
    for unit in units:
        by_kind.get(unit_type(unit), []).append(unit)
    sps = unescape(by_kind[SPS][0][2:])
    # profile_tier_level follows sps_video_parameter_set_id, max_sub_layers and the nesting flag: one byte.
    profile = sps[1:13]
    reader = BitReader(sps[13:])
    reader.unsigned()
    chroma = reader.unsigned()
    reader.unsigned()
    reader.unsigned()
    if reader.flag():
        for _ in range(4):
            reader.unsigned()
    luma, chroma_depth = reader.unsigned(), reader.unsigned()
    fixed = bytes([1]) + profile + b"\xf0\0" + b"\xfc"
    fixed += bytes([0xFC | chroma, 0xF8 | luma, 0xF8 | chroma_depth]) + b"\0\0" + bytes([0 << 6 | 1 << 3 | 1 << 2 | 3])
    return HevcConfiguration(fixed, tuple((kind, tuple(found)) for kind, found in by_kind.items()))
