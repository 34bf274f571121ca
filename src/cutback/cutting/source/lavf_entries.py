"""Converts streams of Matroska and MPEG-TS to MP4: sample entries, and the form of samples."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from cutback.cutting.codecs.codec import UnusualStreamError
from cutback.cutting.codecs.h264 import nal as h264
from cutback.cutting.codecs.h264.codec import configuration_of as avc_configuration
from cutback.cutting.codecs.hevc import nal as hevc
from cutback.cutting.codecs.known import codec_of
from cutback.cutting.mp4.audio_config import SAMPLE_RATES
from cutback.cutting.mp4.boxes import box
from cutback.cutting.mp4.entries import aac_entry, aspect_box, colour_box, sound_entry, visual_entry
from cutback.domain.errors import MediaUnreadableError

AUD_H264 = 9
_BIT_RATE = 128_000


def describe(stream: Any, first: bytes) -> tuple[bytes, bytes]:
    """Return an MP4 sample entry and decoder configuration for a stream, both empty if its packets cannot be copied.

    `first` is its first packet.
    """
    context = stream.codec_context
    extradata = context.extradata or b""
    try:
        if context.name in {"h264", "hevc"}:
            return _pictures(stream, extradata)
        if context.name == "aac":
            config = extradata or adts_config(first)
            return aac_entry(context.sample_rate, context.layout.nb_channels, config, _BIT_RATE), config
        if context.name in {"mp3", "mp3float"}:
            entry = aac_entry(context.sample_rate, context.layout.nb_channels, b"", _BIT_RATE, object_type=0x6B)
            return entry, b""
        if context.name in {"opus", "libopus"} and extradata[:8] == b"OpusHead" and extradata[18:19] == b"\0":
            return _opus(extradata), extradata
    except (UnusualStreamError, MediaUnreadableError, IndexError, struct.error):
        return b"", b""
    return b"", b""


def unwrap(stream: Any, extradata: bytes) -> Callable[[bytes], bytes]:
    """Return a function that converts this stream's packets to samples for the entry of `describe`."""
    name = stream.codec_context.name
    if name in {"h264", "hevc"} and (stream.codec_context.extradata or b"")[:1] != b"\1":
        return _Prefixing(name, extradata)
    if name == "aac" and not stream.codec_context.extradata:
        return lambda packet: without_adts(packet, extradata)
    return bytes


def _pictures(stream: Any, extradata: bytes) -> tuple[bytes, bytes]:
    context = stream.codec_context
    name = context.name
    if extradata[:1] != b"\1":
        units = list(h264.split_annex_b(extradata))
        if not units:
            raise UnusualStreamError("no parameter sets")
        record = avc_configuration(extradata, 4) if name == "h264" else hevc.configuration_of(units)
        extradata = record.pack()
    if codec_of(name) is None:
        raise UnusualStreamError(name)
    boxes = colour_box(
        int(context.color_primaries),
        int(context.color_trc),
        int(context.colorspace),
        full_range=int(context.color_range) == 2,
    )
    aspect = context.sample_aspect_ratio
    if aspect and aspect != 1:
        boxes += aspect_box(aspect.numerator, aspect.denominator)
    fourcc, configuration = (b"avc1", b"avcC") if name == "h264" else (b"hvc1", b"hvcC")
    return visual_entry(fourcc, context.width, context.height, configuration, extradata, boxes), extradata


class _Prefixing:
    """Converts Annex B to length prefixes, and drops parameter sets that the sample entry already has.

    Raises UnusualStreamError for other parameter sets, because then the stream changes in the middle.
    """

    def __init__(self, name: str, extradata: bytes) -> None:
        self._hevc = name == "hevc"
        if self._hevc:
            known = [unit for _, units in hevc.parse_configuration(extradata).arrays for unit in units]
        else:
            record = h264.parse_configuration(extradata)
            known = [*record.sps, *record.pps]
        self._known = frozenset(known)

    def __call__(self, packet: bytes) -> bytes:
        kept = []
        for unit in h264.split_annex_b(packet):
            kind = hevc.unit_type(unit) if self._hevc else unit[0] & 31
            parameters = {hevc.VPS, hevc.SPS, hevc.PPS} if self._hevc else {h264.SPS, h264.PPS}
            if kind in parameters:
                if unit not in self._known:
                    raise UnusualStreamError("parameter sets that change")
            elif kind != (hevc.ACCESS_UNIT_DELIMITER if self._hevc else AUD_H264):
                kept.append(unit)
        return h264.prefixed(kept, 4)


def adts_config(packet: bytes) -> bytes:
    """Return the AudioSpecificConfig of an ADTS header (ISO/IEC 14496-3, 1.A.2).

    Raises:
        UnusualStreamError: it is not an ADTS header, or it does not specify its channels.
    """
    if len(packet) < 7 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        raise UnusualStreamError("no ADTS")
    profile, frequency = (packet[2] >> 6) + 1, packet[2] >> 2 & 15
    channels = (packet[2] & 1) << 2 | packet[3] >> 6
    if not channels or frequency >= len(SAMPLE_RATES):
        raise UnusualStreamError("channels described in the stream")
    return (profile << 11 | frequency << 7 | channels << 3).to_bytes(2)


def without_adts(packet: bytes, config: bytes) -> bytes:
    """Remove the ADTS header of an AAC packet.

    Raises:
        UnusualStreamError: it has none, or one that contradicts `config`, because the sound changes in the middle.
    """
    if adts_config(packet) != config:
        raise UnusualStreamError("sound that changes its rate or channels")
    return packet[7 if packet[1] & 1 else 9 :]


def _opus(head: bytes) -> bytes:
    """Build the `Opus` entry for an OpusHead (RFC 7845, 5.1; Encapsulation of Opus in ISO BMFF, 4.3)."""
    channels = head[9]
    pre_skip, rate, gain = struct.unpack_from("<HIh", head, 10)
    specific = box(b"dOps", struct.pack(">BBHIhB", 0, channels, pre_skip, rate, gain, 0))
    return sound_entry(b"Opus", 48000, channels, specific)
