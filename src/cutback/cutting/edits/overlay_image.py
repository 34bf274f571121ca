"""Images of Pillow as pictures of FFmpeg. Imported only where something is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import av
from av.video.reformatter import ColorRange
from PIL import Image, ImageFilter

from cutback.cutting.codecs.hdr_levels import as_hdr, is_hdr
from cutback.cutting.turns import Turn

_HD = 720
"""Pictures with at least this many rows and unspecified colours use the colours of HD television."""

_UNSPECIFIED, _BT709, _SMPTE170M = 2, 1, 6
"""Matrix coefficients in ITU-T H.273."""

_TABLE = 33
"""Steps of each colour in the table for HDR."""

_BACK = {
    "0": Image.Transpose.TRANSPOSE,
    "1": Image.Transpose.ROTATE_90,
    "2": Image.Transpose.ROTATE_270,
    "3": Image.Transpose.TRANSVERSE,
}
"""What undoes each transposition; Pillow turns counter-clockwise."""

_MIRRORED = {"hflip": Image.Transpose.FLIP_LEFT_RIGHT, "vflip": Image.Transpose.FLIP_TOP_BOTTOM}


def as_coded(image: Image.Image, turns: Sequence[Turn], size: tuple[int, int]) -> Image.Image:
    """Return an image of the shown size as it must be on the decoded picture, which has `size`."""
    for name, how in reversed(turns):
        image = image.transpose(_MIRRORED[name] if how is None else _BACK[how])
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)


def _with_colours_beside(image: Image.Image) -> Image.Image:
    """Give invisible pixels the colour of visible ones beside them: 4:2:0 has one colour for four pixels."""
    if image.getchannel("A").getextrema()[0]:
        return image
    beside = image.reduce(2).resize(image.size, Image.Resampling.NEAREST)
    beside.putalpha(255)
    visible = image.getchannel("A").point(lambda level: 255 * (level > 0))
    coloured = Image.composite(image, beside, visible)
    coloured.putalpha(image.getchannel("A"))
    return coloured


@lru_cache(maxsize=2)
def _table(transfer: int) -> ImageFilter.Color3DLUT:
    """What colours of SDR become in HDR."""
    return ImageFilter.Color3DLUT.generate(_TABLE, lambda red, green, blue: as_hdr(red, green, blue, transfer))


def frame_of(image: Image.Image, like: av.VideoFrame) -> av.VideoFrame:
    """Convert an image to the colours and the depth of a picture, with transparency."""
    image = _with_colours_beside(image)
    transfer = int(like.color_trc)
    if is_hdr(transfer):
        image = image.filter(_table(transfer))
    made = av.VideoFrame(image.width, image.height, "rgba")
    plane, row = made.planes[0], image.width * 4
    data = image.tobytes()
    padding = bytes(plane.line_size - row)
    rows = b"".join(data[at : at + row] + padding for at in range(0, len(data), row))
    plane.update(rows + bytes(plane.buffer_size - len(rows)))
    matrix = int(like.colorspace)
    if matrix == _UNSPECIFIED:
        matrix = _BT709 if like.height >= _HD else _SMPTE170M
    full = like.color_range == ColorRange.JPEG or like.format.name.startswith("yuvj")
    return made.reformat(
        format="yuva420p10le" if like.format.components[0].bits > 8 else "yuva420p",
        dst_colorspace=matrix,
        dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
    )
