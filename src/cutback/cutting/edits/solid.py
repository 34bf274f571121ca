"""Pictures of one colour."""

from __future__ import annotations

import av
from av.video.reformatter import ColorRange

from cutback.cutting.codecs.hdr_levels import signal_of_white

_WHITE = {False: 235, True: 255}
_BLACK = {False: 16, True: 0}
"""Luma of 8 bits, in limited and in full range."""


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether black and white are the lowest and the highest numbers."""
    return frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")


def fill_with(frame: av.VideoFrame, *, white: bool = False) -> None:
    """Make a 4:2:0 frame with 8 or 10 bits black or white; its other properties stay unchanged."""
    frame.make_writable()
    full = is_full_range(frame)
    depth = frame.format.components[0].bits
    black = _BLACK[full]
    luma: float = black
    if white:  # in HDR, the highest number is far brighter than white
        luma += (_WHITE[full] - black) * signal_of_white(int(frame.color_trc))
    for plane, level in zip(frame.planes, (luma, 128, 128), strict=True):
        value = round(level * (1 << depth - 8))
        unit = value.to_bytes(2, "little") if depth > 8 else bytes([value])
        plane.update(unit * (plane.buffer_size // len(unit)))


def solid_like(frame: av.VideoFrame, *, white: bool = False) -> av.VideoFrame:
    """Return a black or white picture with the size and the colours of another one."""
    made = av.VideoFrame(frame.width, frame.height, frame.format.name)
    made.color_range, made.colorspace = frame.color_range, frame.colorspace
    made.color_primaries, made.color_trc = frame.color_primaries, frame.color_trc
    fill_with(made, white=white)
    return made
