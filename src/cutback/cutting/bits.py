"""Reading bit fields of H.264 and HEVC headers."""

from __future__ import annotations


class BitReader:
    """Reads the bits of a raw byte sequence payload, most significant first."""

    def __init__(self, payload: bytes) -> None:
        """`payload` is without emulation prevention bytes; see `unescape`."""
        self._number = int.from_bytes(payload)
        self._length = len(payload) * 8
        self.position = 0

    def bits(self, count: int) -> int:
        """The next `count` bits as an unsigned number, u(n).

        Raises:
            IndexError: the payload ends before.
        """
        if self.position + count > self._length:
            raise IndexError
        self.position += count
        return self._number >> (self._length - self.position) & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return bool(self.bits(1))

    def unsigned(self) -> int:
        """An Exp-Golomb coded number, ue(v) (ITU-T H.264, 9.1)."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise IndexError
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """A signed Exp-Golomb coded number, se(v)."""
        number = self.unsigned()
        return (number + 1) // 2 if number & 1 else -(number // 2)


def unescape(unit: bytes) -> bytes:
    """A NAL unit without its emulation prevention bytes (ITU-T H.264, 7.4.1)."""
    return unit.replace(b"\0\0\3", b"\0\0")
