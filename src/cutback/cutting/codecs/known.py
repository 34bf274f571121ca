"""The codecs in which Cutback can join copied and encoded pictures."""

from __future__ import annotations

from cutback.cutting.codecs.codec import Codec
from cutback.cutting.codecs.h264.codec import H264
from cutback.cutting.codecs.hevc.codec import Hevc

_CODECS: dict[str, Codec] = {"h264": H264(), "hevc": Hevc()}


def codec_of(name: str) -> Codec | None:
    """Return the codec with FFmpeg's name `name`; None if its edges cannot be encoded."""
    return _CODECS.get(name)


def codec_for_whole(name: str, depth: int) -> Codec:
    """Return the codec of a fully encoded clip: the source's own, or else H.264, or HEVC for more than 8 bits."""
    return _CODECS.get(name) or _CODECS["hevc" if depth > 8 else "h264"]
