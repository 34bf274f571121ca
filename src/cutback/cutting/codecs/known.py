"""The codecs in which Cutback can join copied and encoded pictures."""

from __future__ import annotations

from cutback.cutting.codecs.av1 import Av1
from cutback.cutting.codecs.codec import Codec
from cutback.cutting.codecs.h264.codec import H264
from cutback.cutting.codecs.hevc.codec import Hevc
from cutback.cutting.codecs.vp9 import Vp9

_CODECS: dict[str, Codec] = {"h264": H264(), "hevc": Hevc()}


_FOR_WHOLE: dict[str, Codec] = {**_CODECS, "av1": Av1(), "vp9": Vp9()}


def codec_of(name: str) -> Codec | None:
    """Return the codec with FFmpeg's name `name`; None if its edges cannot be encoded."""
    return _CODECS.get(name)


def codec_for_whole(name: str, depth: int) -> Codec:
    """Return the codec of a fully encoded clip: the source's own, or else H.264, or HEVC for more than 8 bits."""
    return _CODECS.get(name) or _CODECS["hevc" if depth > 8 else "h264"]


def codec_named(name: str) -> Codec:
    """Return the codec that an output asks for."""
    return _FOR_WHOLE[name]
