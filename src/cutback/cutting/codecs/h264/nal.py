"""H.264 in length-prefixed form (ISO/IEC 14496-15): parameter sets and the NAL units of samples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cutback.cutting.bits import unescape
from cutback.domain.errors import MediaUnreadableError

SLICE, IDR, SEI, SPS, PPS = 1, 5, 6, 7, 8
_RECOVERY_POINT = 6
LEAST_RECORD = 7
"""Bytes of the shortest configuration record."""
PROFILES_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 134, 135, 138, 139}
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")


@dataclass(frozen=True, slots=True)
class AvcConfiguration:
    """An AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)."""

    header: bytes
    """Version, profile, compatibility and level: 4 bytes."""
    length_size: int
    """Bytes of a NAL unit's length prefix: 1, 2 or 4."""
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    rest: bytes = b""
    """Chroma format and bit depths, for high profiles."""

    def pack(self) -> bytes:
        """Return the record's bytes."""
        parts = [self.header, bytes([0xFC | self.length_size - 1, 0xE0 | len(self.sps)])]
        parts += [len(unit).to_bytes(2) + unit for unit in self.sps]
        parts.append(bytes([len(self.pps)]))
        parts += [len(unit).to_bytes(2) + unit for unit in self.pps]
        return b"".join(parts) + self.rest

    def joined(self, other: AvcConfiguration) -> AvcConfiguration:
        """Return a record for the samples of both; their parameter sets must have different ids."""
        higher = max(self.header[1], other.header[1])
        level = max(self.header[3], other.header[3])
        compatibility = self.header[2] & other.header[2]
        return AvcConfiguration(
            bytes([1, higher, compatibility, level]),
            self.length_size,
            self.sps + tuple(unit for unit in other.sps if unit not in self.sps),
            self.pps + tuple(unit for unit in other.pps if unit not in self.pps),
            self.rest or other.rest,
        )

    def free_id(self) -> int | None:
        """Return the highest id below 32 that no SPS or PPS here uses; None if all are used."""
        used = {sps_id(unit) for unit in self.sps} | {pps_id(unit) for unit in self.pps}
        return next((number for number in range(31, 0, -1) if number not in used), None)


def parse_configuration(record: bytes) -> AvcConfiguration:
    """Parse an avcC.

    Raises:
        MediaUnreadableError: it is truncated.
    """
    try:
        length_size = (record[4] & 3) + 1
        sps, at = _units(record, 6, record[5] & 31)
        pps, at = _units(record, at + 1, record[at])
    except IndexError:
        raise MediaUnreadableError("Its decoder configuration is truncated.") from None
    rest = record[at:] if record[1] in PROFILES_WITH_CHROMA else b""
    return AvcConfiguration(record[:4], length_size, sps, pps, rest)


def _units(record: bytes, at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    units = []
    for _ in range(count):
        size = record[at] << 8 | record[at + 1]
        if not size or at + 2 + size > len(record):
            raise IndexError
        units.append(record[at + 2 : at + 2 + size])
        at += 2 + size
    return tuple(units), at


def split_annex_b(stream: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a byte stream (ITU-T H.264, Annex B), without start codes."""
    marks = list(_START_CODE.finditer(stream))
    ends = [*(mark.start() for mark in marks[1:]), len(stream)]
    for mark, end in zip(marks, ends, strict=False):  # without a start code there is no unit
        unit = stream[mark.end() : end].rstrip(b"\0")
        if unit:
            yield unit


def split_sample(sample: bytes, length_size: int) -> Iterator[bytes]:
    """Yield the NAL units of a length-prefixed sample; the last one may be truncated."""
    at = 0
    while at + length_size < len(sample):
        size = int.from_bytes(sample[at : at + length_size])
        yield sample[at + length_size : at + length_size + size]
        at += length_size + size


def prefixed(units: Iterable[bytes], length_size: int) -> bytes:
    """Join NAL units to a length-prefixed sample."""
    return b"".join(len(unit).to_bytes(length_size) + unit for unit in units)


def is_idr(sample_head: bytes, length_size: int) -> bool:
    """Whether the first slice of a sample belongs to an IDR picture. A few hundred bytes are enough."""
    for unit in split_sample(sample_head, length_size):
        if unit and unit[0] & 31 in {SLICE, 2, 3, 4, IDR}:
            return unit[0] & 31 == IDR
    return False


def is_gradual(sample_head: bytes, length_size: int) -> bool:
    """Whether decoding that begins at this sample is correct only some pictures later (periodic intra refresh).

    This is the meaning of a recovery point SEI message (ITU-T H.264, D.1.8) with a recovery_frame_cnt above 0.
    """
    for unit in split_sample(sample_head, length_size):
        if unit and unit[0] & 31 == SEI:
            payload = unescape(unit[1:])
            at = 0
            while at + 2 < len(payload):
                kind, at = _sei_number(payload, at)
                size, at = _sei_number(payload, at)
                if kind == _RECOVERY_POINT:
                    return _first_exp_golomb(payload[at:]) > 0
                at += size
    return False


def _sei_number(payload: bytes, at: int) -> tuple[int, int]:
    number = 0
    while at < len(payload) - 1 and payload[at] == 255:
        number, at = number + 255, at + 1
    return number + payload[at], at + 1


def is_disposable(sample: bytes, length_size: int) -> bool:
    """Whether no picture refers to this one (nal_ref_idc 0), so that decoding can skip it."""
    slices = [unit for unit in split_sample(sample, length_size) if unit and unit[0] & 31 in {SLICE, 2, 3, 4, IDR}]
    return bool(slices) and all(not unit[0] & 0x60 for unit in slices)


def sps_id(unit: bytes) -> int:
    """Return seq_parameter_set_id of an SPS (7.3.2.1.1: after three fixed bytes)."""
    return _first_exp_golomb(unit[4:])


def pps_id(unit: bytes) -> int:
    """Return pic_parameter_set_id of a PPS (7.3.2.2)."""
    return _first_exp_golomb(unit[1:])


def _first_exp_golomb(payload: bytes) -> int:
    bits = int.from_bytes(payload[:8].ljust(8, b"\0"))
    zeros = 64 - bits.bit_length()
    return (bits >> (63 - 2 * zeros)) - 1 if zeros < 32 else -1
