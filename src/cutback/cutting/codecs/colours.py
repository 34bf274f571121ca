"""What the numbers of a picture mean, if its tags do not say it."""

from __future__ import annotations

import av
from av.video.reformatter import ColorRange

from cutback.cutting.codecs.hdr_levels import is_hdr

BT709, UNSPECIFIED, SMPTE170M, BT2020_NC = 1, 2, 6, 9
"""Matrix coefficients in ITU-T H.273."""

_ITU601 = 5
"""The matrix of BT.601 in FFmpeg's swscale."""

_HD = 720
"""Pictures with at least this many rows and unspecified colours use the colours of HD television."""


def shows_hdr(frame: av.VideoFrame) -> bool:
    """Whether a picture's tags say that it is HDR."""
    return is_hdr(int(frame.color_trc))


def matrix_of(frame: av.VideoFrame) -> int:
    """Return a picture's matrix, or what players assume if its tags do not say it."""
    matrix = int(frame.colorspace)
    if matrix != UNSPECIFIED:
        return matrix
    if shows_hdr(frame):
        return BT2020_NC
    return BT709 if frame.height >= _HD else SMPTE170M


def for_swscale(matrix: int) -> int:
    """Return the number by which PyAV knows a matrix when it converts pictures; it ignores others without an error."""
    return _ITU601 if matrix == SMPTE170M else matrix


def range_of(frame: av.VideoFrame) -> ColorRange:
    """Return the range of its numbers: limited, if the tags do not say it."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG
