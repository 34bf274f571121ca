"""Reads and writes bit fields of codec headers."""

from __future__ import annotations


class BitReader:
    """Reads the bits of a raw byte sequence payload, most significant first."""

    def __init__(self, payload: bytes) -> None:
        """`payload` has no emulation prevention bytes; see `unescape`."""
        self._number = int.from_bytes(payload)
        self._length = len(payload) * 8
        self.position = 0

    def bits(self, count: int) -> int:
        """Read `count` bits as an unsigned number, u(n).

        Raises:
            IndexError: the payload is too short.
        """
        if self.position + count > self._length:
            raise IndexError
        self.position += count
        return self._number >> (self._length - self.position) & ((1 << count) - 1)

    def flag(self) -> bool:
        """Read one bit."""
        return bool(self.bits(1))

    def unsigned(self) -> int:
        """Read an Exp-Golomb coded number, ue(v) (ITU-T H.264, 9.1)."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise IndexError
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """Read a signed Exp-Golomb coded number, se(v)."""
        number = self.unsigned()
        return (number + 1) // 2 if number & 1 else -(number // 2)


class BitWriter:
    """Writes bits, most significant first."""

    def __init__(self) -> None:
        """Empty."""
        self._number = 0
        self._length = 0

    def put(self, value: int, width: int) -> None:
        """Append `value` in `width` bits."""
        self._number = self._number << width | value
        self._length += width

    def copy(self, source: BitReader, end: int) -> None:
        """Append the bits of `source` from its position to `end`, and advance it to `end`."""
        width = end - source.position
        self.put(source.bits(width), width)

    def unsigned(self, value: int) -> None:
        """Append an Exp-Golomb coded number."""
        self.put(value + 1, 2 * (value + 1).bit_length() - 1)

    def align(self, bit: int) -> None:
        """Fill the last byte with copies of `bit`."""
        missing = -self._length % 8
        self.put(((1 << missing) - 1) * bit, missing)

    def bytes(self) -> bytes:
        """Return the complete bytes (see `align`)."""
        return self._number.to_bytes(self._length // 8)


def unescape(unit: bytes) -> bytes:
    """Remove the emulation prevention bytes of a NAL unit (ITU-T H.264, 7.4.1)."""
    return unit.replace(b"\0\0\3", b"\0\0")


def escape(payload: bytes) -> bytes:
    """Insert emulation prevention bytes into a payload (ITU-T H.264, 7.4.1)."""
    if b"\0\0" not in payload:
        return payload
    out = bytearray()
    at = 0
    while (found := payload.find(b"\0\0", at)) >= 0:
        out += payload[at : found + 2]
        at = found + 2
        if at == len(payload) or payload[at] <= 3:
            out.append(3)
    return bytes(out + payload[at:])
