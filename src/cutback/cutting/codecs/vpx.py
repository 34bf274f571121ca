"""Whether a packet of VP8 or VP9 shows a picture. Alternate reference frames are decoded and never shown. Pure."""

from __future__ import annotations

from cutback.cutting.bits import BitReader

CODECS = frozenset({"vp8", "vp9"})

HEAD_BYTES = 4
"""Bytes of a packet that are enough to find whether its first frame is shown."""


def shows(codec: str, packet: memoryview) -> bool:
    """Whether a packet shows a picture; True for other codecs, and where its header cannot be read."""
    if not len(packet):
        return True
    if codec == "vp8":
        return bool(packet[0] & 0x10)  # show_frame (RFC 6386, 9.1)
    return _shows_vp9(packet) if codec == "vp9" else True


def _shows_vp9(packet: memoryview) -> bool:
    return any(_is_shown(packet[begin:]) for begin in _frames(packet))


def _frames(packet: memoryview) -> list[int]:
    """Where the frames of a packet begin: those of a superframe (VP9 bitstream specification, annex B), or the one."""
    marker = packet[-1]
    if marker & 0xE0 != 0xC0:
        return [0]
    count, width = (marker & 7) + 1, (marker >> 3 & 3) + 1
    index = 2 + count * width
    if len(packet) < index or packet[-index] != marker:
        return [0]
    begins, at = [], 0
    for number in range(count):
        begins.append(at)
        first = len(packet) - index + 1 + number * width
        at += int.from_bytes(packet[first : first + width], "little")
    return [begin for begin in begins if begin < len(packet) - index] or [0]


def _is_shown(frame: memoryview) -> bool:
    """show_existing_frame or show_frame of an uncompressed header (6.2)."""
    reader = BitReader(bytes(frame[:2]))
    try:
        if reader.bits(2) != 2:
            return True
        profile = reader.bits(1) | reader.bits(1) << 1
        if profile == 3:
            reader.bits(1)
        if reader.flag():
            return True
        reader.bits(1)  # frame_type
        return reader.flag()
    except IndexError:
        return True
