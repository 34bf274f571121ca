"""Boxes of ISO/IEC 14496-12: finds, parses and builds them."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from sys import byteorder

from cutback.cutting.job import ByteSource, read_index
from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf"}


MOST_BOXES = 500_000
"""Maximum boxes on one level. A one-day recording with one-second fragments has about 350,000."""

_LITTLE = 256
"""Bytes. After smaller boxes, more than the next header is read at once, because each would need a separate read."""

_LARGEST_WINDOW = 64 * 1024


def top_level(source: ByteSource) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the boxes of a file: (type, offset, header length, size). Reads only headers, several small ones at once.

    Raises:
        MediaUnreadableError: a box is smaller than its own header. One that reaches beyond the end of the
            file (a truncated file) is yielded with the size it claims.
        MediaTooLargeError: there are more than `MOST_BOXES`.
    """
    offset = count = 0
    window, at, ahead = b"", 0, 16
    while offset + 8 <= source.size:
        count += 1
        if count > MOST_BOXES:
            raise MediaTooLargeError(f"It has more than {MOST_BOXES} boxes.")
        if offset < at or offset + 16 > at + len(window):
            window, at = read_index(source, offset, ahead), offset
        header = window[offset - at : offset - at + 16]
        size, kind = struct.unpack_from(">I4s", header)
        length = 8
        if size == 1:
            if len(header) < 16:
                return
            size, length = struct.unpack_from(">Q", header, 8)[0], 16
        elif size == 0:
            size = source.size - offset
        if size < length:
            raise MediaUnreadableError(f"The box at byte {offset} has an impossible size.")
        yield kind, offset, length, size
        offset += size
        ahead = min(2 * ahead, _LARGEST_WINDOW) if size < _LITTLE else 16


def children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the boxes in a box's payload: (type, payload).

    Raises:
        MediaUnreadableError: a box reaches beyond its parent.
        MediaTooLargeError: there are more than `MOST_BOXES`.
    """
    offset = count = 0
    while offset + 8 <= len(data):
        count += 1
        if count > MOST_BOXES:
            raise MediaTooLargeError(f"It has more than {MOST_BOXES} boxes.")
        size, kind = struct.unpack_from(">I4s", data, offset)
        length = 8
        if size == 1 and offset + 16 <= len(data):
            size, length = struct.unpack_from(">Q", data, offset + 8)[0], 16
        elif size == 0:
            size = len(data) - offset
        if size < length or offset + size > len(data):
            if kind == b"\0\0\0\0":  # QuickTime ends some lists with a zero word
                return
            raise MediaUnreadableError(f"The box {kind!r} extends beyond its parent.")
        yield bytes(kind), data[offset + length : offset + size]
        offset += size


def child(data: memoryview, *path: bytes) -> memoryview | None:
    """Return the payload of the first box along a path of types, or None."""
    found: memoryview | None = data
    for kind in path:
        if found is None:
            return None
        found = next((payload for name, payload in children(found) if name == kind), None)
    return found


def words(data: memoryview, code: str) -> array[int]:
    """Parse big-endian integers to an array; `code` is the array's (`I` 32 bits, `Q` 64 bits, `i` signed 32)."""
    numbers = array(code)
    numbers.frombytes(data[: len(data) // numbers.itemsize * numbers.itemsize])
    if byteorder == "little":
        numbers.byteswap()
    return numbers


def packed(code: str, numbers: list[int] | array[int]) -> bytes:
    """Reverse `words`."""
    result = array(code, numbers)
    if byteorder == "little":
        result.byteswap()
    return result.tobytes()


def box(kind: bytes, *payload: bytes) -> bytes:
    """Build a box of less than 4 GiB."""
    body = b"".join(payload)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full_box(kind: bytes, version: int, flags: int, *payload: bytes) -> bytes:
    """Build a box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)
