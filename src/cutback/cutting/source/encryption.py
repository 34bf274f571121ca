"""Detects encrypted recordings in containers that libavformat reads; libavformat itself does not report them."""

from __future__ import annotations

from av.container import InputContainer

from cutback.cutting.endings import TS_PACKET
from cutback.cutting.job import ByteSource
from cutback.cutting.mp4.descriptions import ENCRYPTED
from cutback.domain.errors import MediaUnsupportedError

_LOOKED_AT = 4096
"""Packets of a transport stream that are examined."""
_KEY = "ENC_KEY_ID"
"""The tag in which libavformat provides a Matroska track's ContentEncKeyID."""


def check_clear(container: InputContainer, source: ByteSource) -> None:
    """Refuse a recording with encrypted video or audio.

    Raises:
        MediaUnsupportedError: it is encrypted.
    """
    media = [stream for stream in container.streams if stream.type in {"video", "audio"}]
    if any(_KEY in {key.upper() for key in stream.metadata} for stream in media):
        raise MediaUnsupportedError(ENCRYPTED)
    if container.format.name == "mpegts" and _is_scrambled(source, {stream.id for stream in media}):
        raise MediaUnsupportedError(ENCRYPTED)


def _is_scrambled(source: ByteSource, media: set[int]) -> bool:
    """Whether most packets of a stream have a transport_scrambling_control (ISO/IEC 13818-1, 2.4.3.2)."""
    head = source.read_at(0, _LOOKED_AT * TS_PACKET)
    packets = dict.fromkeys(media, 0)
    scrambled = dict.fromkeys(media, 0)
    for at in range(0, len(head) - 3, TS_PACKET):
        pid = (head[at + 1] & 0x1F) << 8 | head[at + 2]
        if pid in media:
            packets[pid] += 1
            scrambled[pid] += head[at + 3] >> 6 != 0
    return any(2 * scrambled[pid] > packets[pid] for pid in media)
