"""Encodes one picture as JPEG, PNG or WebP, in the colours that viewers expect of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import av
from av.video.reformatter import ColorRange, Colorspace

from cutback.cutting.posters.still import OF_JPEG, ImageColours, Still
from cutback.domain.errors import MediaUnsupportedError

ImageKind: TypeAlias = Literal["jpeg", "png", "webp"]

OF_PNG = ImageColours("rgb24", Colorspace.ITU601)
OF_WEBP = ImageColours("yuv420p", Colorspace.ITU601, ColorRange.MPEG)
"""WebP's lossy pictures are BT.601 in limited range (RFC 9649, 2.5)."""


@dataclass(frozen=True, slots=True)
class _ImageEncoder:
    name: str
    colours: ImageColours
    options: Mapping[str, str]
    largest: int
    """Pixels of width and height."""


_ENCODERS: Mapping[ImageKind, _ImageEncoder] = {
    "jpeg": _ImageEncoder("mjpeg", OF_JPEG, {"qmin": "2", "qmax": "2", "huffman": "optimal"}, 65_535),
    "png": _ImageEncoder("png", OF_PNG, {"pred": "mixed"}, 65_535),
    "webp": _ImageEncoder("libwebp", OF_WEBP, {"quality": "90"}, 16_383),
}


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image and its size in pixels."""

    data: bytes
    width: int
    height: int


def image_of(still: Still, kind: ImageKind, width: int | None = None) -> ImageFile:
    """Encode a picture, at most `width` pixels wide.

    Raises:
        MediaUnsupportedError: this kind of image cannot be that large.
    """
    how = _ENCODERS[kind]
    wide, high = still.size_within(width or still.width)
    if max(wide, high) > how.largest:
        raise MediaUnsupportedError(f"An image of this kind has at most {how.largest} pixels in a direction.")
    frame = still.exactly(wide, high, how.colours)
    encoder = av.CodecContext.create(how.name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = wide, high, how.colours.pixels
    encoder.color_range = how.colours.range
    encoder.time_base = Fraction(1)
    encoder.thread_count = 1
    encoder.options = dict(how.options)
    frame.pts, frame.time_base = 0, Fraction(1)
    try:
        data = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    except av.FFmpegError as error:
        raise MediaUnsupportedError(f"An image of {wide}×{high} pixels is not possible.") from error
    return ImageFile(data, wide, high)
