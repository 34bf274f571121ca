"""The codecs whose pictures Cutback copies and encodes side by side."""

from __future__ import annotations

from cutback.cutting.coding import Coding
from cutback.cutting.h264.coding import H264
from cutback.cutting.hevc.coding import Hevc

_CODINGS: dict[str, Coding] = {"h264": H264(), "hevc": Hevc()}


def coding_of(codec: str) -> Coding | None:
    """The coding of a codec by FFmpeg's name; None for one whose edges cannot be encoded."""
    return _CODINGS.get(codec)


def coding_for_whole(codec: str, depth: int) -> Coding:
    """The coding for a clip that is encoded as a whole: the source's own, else H.264, or HEVC beyond 8 bits."""
    return _CODINGS.get(codec) or _CODINGS["hevc" if depth > 8 else "h264"]
