"""Parses sample entries (stsd): a track's codec and its decoder configuration."""

from __future__ import annotations

import struct

from cutback.cutting.index import Description, Kind
from cutback.cutting.mp4 import pcm
from cutback.cutting.mp4.audio_config import parse_audio_config
from cutback.cutting.mp4.boxes import child, children
from cutback.domain.errors import MediaUnreadableError, MediaUnsupportedError

CODECS = {
    b"avc1": "h264",
    b"avc3": "h264",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"av01": "av1",
    b"vp09": "vp9",
    b"mp4v": "mpeg4",
    b"jpeg": "mjpeg",
    b"mjpa": "mjpeg",
    b"ac-3": "ac3",
    b"ec-3": "eac3",
    b"Opus": "opus",
    b".mp3": "mp3",
    b"alac": "alac",
    b"fLaC": "flac",
    b"mlpa": "truehd",
}
_ENCRYPTED = {b"encv", b"enca", b"drmi", b"drms", b"drmt"}
"""Entries of encrypted samples: common encryption (ISO/IEC 23001-7) and Apple's."""
ENCRYPTED = "It is encrypted, and Cutback has no keys."
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
"""The channels of the audio coding mode, without the low-frequency one (ETSI TS 102 366, 4.4.2.3)."""

_CONFIGURATIONS = {b"avcC", b"hvcC", b"av1C", b"vpcC"}
# Object types of MPEG-4 systems, ISO/IEC 14496-1 table 5.
_OBJECT_TYPES = {
    0x20: "mpeg4",
    0x6C: "mjpeg",
    0x40: "aac",
    0x66: "aac",
    0x67: "aac",
    0x68: "aac",
    0x69: "mp3",
    0x6B: "mp3",
}


def parse_descriptions(stsd: memoryview, kind: Kind) -> tuple[Description, ...]:
    """Parse the entries of a sample description box.

    Raises:
        MediaUnreadableError: the box is truncated.
        MediaUnsupportedError: the samples of video or audio are encrypted.
    """
    entries = []
    for fourcc, payload in children(stsd[8:]):
        if kind != "other" and fourcc in _ENCRYPTED:
            raise MediaUnsupportedError(ENCRYPTED)
        raw = struct.pack(">I4s", len(payload) + 8, fourcc) + bytes(payload)
        try:
            if kind == "video":
                entries.append(_visual(fourcc, payload, raw))
            elif kind == "audio":
                entries.append(_sound(fourcc, payload, raw))
            else:
                entries.append(Description(fourcc.decode("latin-1"), raw))
        except (struct.error, IndexError):
            raise MediaUnreadableError("A sample description is truncated.") from None
    return tuple(entries)


def _visual(fourcc: bytes, payload: memoryview, raw: bytes) -> Description:
    width, height = struct.unpack_from(">HH", payload, 24)
    codec = CODECS.get(fourcc, fourcc.decode("latin-1"))
    extradata = b""
    for kind, data in children(payload[78:]):
        if kind in _CONFIGURATIONS:
            extradata = bytes(data)
        elif kind == b"esds":
            codec, extradata = _esds(data)
        elif kind == b"sinf":  # a protection scheme, whatever the entry's type
            raise MediaUnsupportedError(ENCRYPTED)
    return Description(codec, raw, extradata, width=width, height=height)


def _sound(fourcc: bytes, payload: memoryview, raw: bytes) -> Description:
    version, channels, bits, rate = struct.unpack_from(">8xH6xHH4xI", payload)
    sample_rate, flags = rate >> 16, 0
    boxes = payload[28:]
    if version == 1:  # QuickTime's sound descriptions, QTFF "Sound Sample Description (Version 1/2)"
        boxes = payload[44:]
    elif version == 2:
        seconds_rate, channels, bits, flags = struct.unpack_from(">dI4xII", payload, 32)
        sample_rate = int(seconds_rate)
        boxes = payload[64:]
    if child(boxes, b"sinf") is not None:
        raise MediaUnsupportedError(ENCRYPTED)
    codec, extradata = CODECS.get(fourcc, fourcc.decode("latin-1")), b""
    if fourcc in pcm.ENTRIES:
        codec = pcm.pcm_codec(fourcc, bits, flags, boxes)
    elif codec in {"opus", "flac", "alac"}:
        extradata = _lossless_or_opus(codec, boxes)
    esds = child(boxes, b"esds") or child(boxes, b"wave", b"esds")
    if fourcc == b"mp4a" and esds is not None:
        codec, extradata = _esds(esds)
    sample_rate, channels = _decoded(codec, extradata, boxes, sample_rate, channels)
    return Description(codec, raw, extradata, sample_rate=sample_rate, channels=channels)


def _decoded(codec: str, extradata: bytes, boxes: memoryview, rate: int, channels: int) -> tuple[int, int]:
    """Return Hz and channels of the codec's own configuration: writers put 2 channels into every sample entry."""
    if codec == "aac" and (config := parse_audio_config(extradata)) is not None:
        return config.decoded(rate, channels)
    if codec == "flac" and len(extradata) >= 18:  # STREAMINFO (RFC 9639, 8.2); a sample entry cannot contain 96 kHz
        fields = int.from_bytes(extradata[10:14])
        return fields >> 12, (fields >> 9 & 7) + 1
    if codec == "opus" and len(extradata) >= 10:
        return 48_000, extradata[9]
    if codec in {"ac3", "eac3"}:
        # dac3 and dec3 (ETSI TS 102 366, F.4 and F.6): acmod and lfeon; their positions differ by two bytes.
        specific = child(boxes, b"dac3" if codec == "ac3" else b"dec3")
        if specific is not None and len(specific) >= (3 if codec == "ac3" else 5):
            told = int.from_bytes(specific[:3]) >> 10 if codec == "ac3" else int.from_bytes(specific[2:5]) >> 8
            mode, bass = (told >> 1 & 7, told & 1)
            return rate, _AC3_CHANNELS[mode] + bass
    return rate, channels


def _lossless_or_opus(codec: str, boxes: memoryview) -> bytes:
    """Return the configuration for FFmpeg's decoder, from the codec's own box."""
    if codec == "alac":
        data = child(boxes, b"alac") or child(boxes, b"wave", b"alac")
        return b"" if data is None else struct.pack(">I4s", len(data) + 8, b"alac") + bytes(data)
    data = child(boxes, b"dfLa" if codec == "flac" else b"dOps")
    if data is None:
        return b""
    if codec == "flac":
        return bytes(data[8:42])  # STREAMINFO, after version, flags and the header of the metadata block
    # OpusHead is little-endian and has version 1 (RFC 7845, 5.1); dOps is big-endian and has version 0.
    channels, pre_skip, rate, gain = struct.unpack_from(">xBHIh", data)
    return b"OpusHead" + struct.pack("<BBHIh", 1, channels, pre_skip, rate, gain) + bytes(data[10:])


def _esds(data: memoryview) -> tuple[str, bytes]:
    """Return codec and decoder-specific info of an elementary stream descriptor (ISO/IEC 14496-1, 7.2.6)."""
    codec, extradata = "mp4a", b""
    offset = 4
    while offset < len(data):
        tag = data[offset]
        offset += 1
        size = 0
        for _ in range(4):
            byte = data[offset]
            offset += 1
            size = size << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 3:  # ES_Descriptor: its header, then descriptors inside
            flags = data[offset + 2]
            offset += 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
            if flags & 0x40:
                offset += 1 + data[offset]
        elif tag == 4:  # DecoderConfigDescriptor
            codec = _OBJECT_TYPES.get(data[offset], f"mp4a.{data[offset]:02x}")
            offset += 13
        elif tag == 5:  # DecoderSpecificInfo
            extradata = bytes(data[offset : offset + size])
            offset += size
        else:
            offset += size
    return codec, extradata
