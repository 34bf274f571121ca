"""Names codecs as playlists do (RFC 6381 and the specifications of the codecs), from sample entries. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from cutback.cutting.mp4.boxes import children

_VISUAL, _SOUND = 86, 36
"""Bytes of a sample entry before its boxes."""

_PLAIN: Mapping[bytes, str] = {b"Opus": "opus", b"fLaC": "fLaC", b"ac-3": "ac-3", b"ec-3": "ec-3", b"alac": "alac"}


def codec_name(entry: bytes) -> str:
    """Return the name of the codec of a sample entry; its four characters if nothing else is known."""
    kind = entry[4:8]
    plain = kind.decode("ascii", "replace")
    if kind in _PLAIN:
        return _PLAIN[kind]
    boxes = _boxes(entry, _SOUND if kind == b"mp4a" else _VISUAL)
    if kind in {b"avc1", b"avc3"} and len(boxes.get(b"avcC", b"")) >= 4:
        return f"{plain}.{boxes[b'avcC'][1:4].hex()}"
    if kind in {b"hvc1", b"hev1"} and len(boxes.get(b"hvcC", b"")) >= 13:
        return f"{plain}.{_hevc(boxes[b'hvcC'])}"
    if kind == b"av01" and len(boxes.get(b"av1C", b"")) >= 3:
        return f"{plain}.{_av1(boxes[b'av1C'])}"
    if kind == b"vp09" and len(boxes.get(b"vpcC", b"")) >= 7:
        profile, level, depth = boxes[b"vpcC"][4:7]
        return f"{plain}.{profile:02}.{level:02}.{depth >> 4:02}"
    if kind == b"mp4a":
        return f"{plain}.{_audio(boxes.get(b'esds', b''))}"
    return plain


def video_range(entry: bytes) -> str:
    """Return the range of a visual sample entry: SDR, PQ or HLG, by its transfer characteristic (ITU-T H.273)."""
    colours = _boxes(entry, _VISUAL).get(b"colr", b"")
    if colours[:4] != b"nclx" or len(colours) < 8:
        return "SDR"
    return {16: "PQ", 18: "HLG"}.get(struct.unpack_from(">H", colours, 6)[0], "SDR")


def channels_of(entry: bytes) -> int:
    """Return the channels of a sample entry of sound."""
    return int(struct.unpack_from(">H", entry, 24)[0])


def _boxes(entry: bytes, begin: int) -> dict[bytes, bytes]:
    return {kind: bytes(data) for kind, data in children(memoryview(entry)[begin:])}


def _hevc(record: bytes) -> str:
    """ISO/IEC 14496-15, E.3."""
    space = ("", "A", "B", "C")[record[1] >> 6]
    tier = "H" if record[1] >> 5 & 1 else "L"
    compatible = int(f"{int.from_bytes(record[2:6]):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\0")
    parts = [
        f"{space}{record[1] & 31}",
        f"{compatible:X}",
        f"{tier}{record[12]}",
        *(f"{byte:X}" for byte in constraints),
    ]
    return ".".join(parts)


def _av1(record: bytes) -> str:
    """AV1 Codec ISO Media File Format Binding, 5."""
    profile, level, tier = record[1] >> 5, record[1] & 31, "H" if record[2] >> 7 else "M"
    depth = (12 if record[2] >> 5 & 1 else 10) if record[2] >> 6 & 1 else 8
    return f"{profile}.{level:02}{tier}.{depth:02}"


def _audio(descriptor: bytes) -> str:
    """The object type of an elementary stream (ISO/IEC 14496-1, 7.2.6) and, for MPEG-4 audio, that of its sound."""
    decoder = _descriptor(descriptor[4:], 3, 3)
    config = _descriptor(decoder, 4, 0)
    if not config:
        return "40.2"
    name = f"{config[0]:02x}"
    specific = _descriptor(config[13:], 5, 0)
    return f"{name}.{specific[0] >> 3}" if specific and name == "40" else name


def _descriptor(data: bytes, tag: int, skipped: int) -> bytes:
    """Return what is in the first descriptor if it has this tag, without the first bytes of its content."""
    if not data or data[0] != tag:
        return b""
    at = 1
    while at < len(data) and data[at] & 0x80:
        at += 1
    return data[at + 1 + skipped :]
