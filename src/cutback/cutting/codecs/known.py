"""The codecs whose pictures Cutback copies and encodes side by side."""

from __future__ import annotations

from cutback.cutting.codecs.codec import Codec
from cutback.cutting.codecs.h264.codec import H264
from cutback.cutting.codecs.hevc.codec import Hevc

_CODECS: dict[str, Codec] = {"h264": H264(), "hevc": Hevc()}


def codec_of(name: str) -> Codec | None:
    """The codec by FFmpeg's name; None for one whose edges cannot be encoded."""
    return _CODECS.get(name)


def codec_for_whole(name: str, depth: int) -> Codec:
    """The codec for a clip that is encoded as a whole: the source's own, else H.264, or HEVC beyond 8 bits."""
    return _CODECS.get(name) or _CODECS["hevc" if depth > 8 else "h264"]
