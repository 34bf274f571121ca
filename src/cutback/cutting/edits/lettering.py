"""Draws lines of text with the fonts that are part of Cutback. No text of a request reaches a filter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cutback.cutting.edit_values import Lettering
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import anchored, in_pixels

_FILES = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
_fonts = resources.files("cutback.cutting.edits") / "fonts"
FONTS: Mapping[str, bytes] = {weight: (_fonts / name).read_bytes() for weight, name in _FILES.items()}
"""Read while this module is imported: a confined child cannot open files."""

_UNKNOWN = "\U0010fffe"
"""A character that no font has, so that it shows the glyph for unknown ones."""

LEAST = 8
"""Minimum pixels of a line's height."""

_BOX = (0, 0, 0, 140)
_SHADOW = 220
"""The opacity of a shadow, of 255."""
_INVISIBLE = frozenset(" \u00a0\u200b\u200c\u200d\u200e\u200f\u202f\u3000")


def check_glyphs(name: str, text: str) -> None:
    """Check that the font has all characters of a text; `name` is the edit's.

    Raises:
        EditImpossibleError: it does not.
    """
    font = _font("regular", 20)
    unknown = bytes(font.getmask(_UNKNOWN))
    missing = [each for each in dict.fromkeys(text) if each not in _INVISIBLE and bytes(font.getmask(each)) == unknown]
    if missing:
        raise EditImpossibleError(f"{name}: the font has no {' '.join(missing[:10])}")


@lru_cache(maxsize=8)
def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(BytesIO(FONTS[weight]), size, layout_engine=ImageFont.Layout.RAQM)


def drawn(edit: Lettering, text: str, width: int, height: int) -> Image.Image:
    """Return a transparent picture of this size with the text at its place. Type that is too wide is set smaller.

    Raises:
        EditImpossibleError: it would be smaller than `LEAST`.
    """
    shorter = min(width, height)
    margin = round(in_pixels(edit.margin, shorter))
    size = round(in_pixels(edit.size, shorter))
    room = width - 2 * margin
    font = _font(edit.weight, max(LEAST, size))
    wide = font.getlength(text) + size / 2
    if wide > room:
        size = int(size * room / wide)
    if size < LEAST:
        raise EditImpossibleError(f"text: letters of {size} pixels are too small; at least {LEAST} are needed.")
    font = _font(edit.weight, size)
    pad = max(2, size // 4) if edit.box else 0
    ascent, descent = font.getmetrics()
    box = round(font.getlength(text)) + 2 * pad, ascent + descent + 2 * pad
    x, y = (
        margin + round(place)
        for place in anchored(edit.place, Fraction(room - box[0]), Fraction(height - 2 * margin - box[1]))
    )
    canvas = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    if edit.box:
        draw.rounded_rectangle((x, y, x + box[0] - 1, y + box[1] - 1), radius=pad, fill=_BOX)
    if edit.shadow:
        _cast_shadow(canvas, (x + pad, y + pad), text, font)
    draw.text((x + pad, y + pad), text, font=font, fill=edit.color)
    return canvas


def _cast_shadow(canvas: Image.Image, at: tuple[int, int], text: str, font: ImageFont.FreeTypeFont) -> None:
    """Draw the shadow of letters, below and to the right of them."""
    aside, blur = max(1, round(font.size / 16)), font.size / 24
    mask = Image.new("L", canvas.size)
    ImageDraw.Draw(mask).text((at[0] + aside, at[1] + aside), text, font=font, fill=_SHADOW)
    canvas.alpha_composite(Image.merge("RGBA", (*[Image.new("L", canvas.size)] * 3, _blurred(mask, blur))))


def _blurred(mask: Image.Image, radius: float) -> Image.Image:
    box = mask.getbbox()
    if box is None:
        return mask
    reach = math.ceil(3 * radius)
    box = max(0, box[0] - reach), max(0, box[1] - reach), box[2] + reach, box[3] + reach
    mask.paste(mask.crop(box).filter(ImageFilter.GaussianBlur(radius)), box[:2])
    return mask
