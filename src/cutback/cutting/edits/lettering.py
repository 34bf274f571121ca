"""Draws lines of text. No text of a request reaches a filter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from cutback.cutting.edit_values.overlay import Lettering
from cutback.cutting.edits.fonts import FontSet, Run
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import anchored, in_pixels

LEAST = 8
"""Minimum pixels of a line's height."""

_BOX = (0, 0, 0, 140)
_SHADOW = 220
"""The opacity of a shadow, of 255."""


def drawn(edit: Lettering, name: str, text: str, fonts: FontSet, width: int, height: int) -> Image.Image:
    """Return a transparent picture of this size with the text at its place. Type that is too wide is set smaller.

    `name` is the edit's.

    Raises:
        EditImpossibleError: it would be smaller than `LEAST`, or no font has a character.
    """
    runs = fonts.runs(name, text, edit.font, edit.weight)
    shorter = min(width, height)
    margin = round(in_pixels(edit.margin, shorter))
    size = round(in_pixels(edit.size, shorter))
    room = width - 2 * margin
    if min(room, height - 2 * margin) < 1:
        raise EditImpossibleError(f"{name}: a margin of {margin} pixels leaves no room for it in {width}×{height}.")
    wide = _Line(runs, max(LEAST, size)).width + size / 2
    if wide > room:
        size = int(size * room / wide)
    if size < LEAST:
        raise EditImpossibleError(f"{name}: letters of {size} pixels are too small; at least {LEAST} are needed.")
    line = _Line(runs, size)
    pad = max(2, size // 4) if edit.box else 0
    box = round(line.width) + 2 * pad, line.ascent + line.descent + 2 * pad
    x, y = (
        margin + round(place)
        for place in anchored(edit.place, Fraction(room - box[0]), Fraction(height - 2 * margin - box[1]))
    )
    canvas = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    if edit.box:
        ImageDraw.Draw(canvas).rounded_rectangle((x, y, x + box[0] - 1, y + box[1] - 1), radius=pad, fill=_BOX)
    letters = line.drawn(edit.color)
    corner = x + pad - line.around, y + pad - line.around
    if edit.shadow:
        _put(canvas, _shadow_of(letters, size), *corner)
    _put(canvas, letters, *corner)
    return canvas


def _put(canvas: Image.Image, image: Image.Image, x: int, y: int) -> None:
    """Put an image onto another one, as far as it is within it."""
    left, top = max(0, -x), max(0, -y)
    image = image.crop((left, top, min(image.width, canvas.width - x), min(image.height, canvas.height - y)))
    canvas.alpha_composite(image, (x + left, y + top))


@dataclass(frozen=True, slots=True)
class _Part:
    """A run in its size, and where it begins."""

    run: Run
    x: float
    size: int


class _Line:
    """Runs beside each other on one baseline."""

    def __init__(self, runs: Sequence[Run], size: int) -> None:
        self._parts = []
        self.ascent = self.descent = 0
        x = 0.0
        for run in runs:
            font, scale = run.face.sized(size)
            ascent, descent = font.getmetrics()
            self.ascent = max(self.ascent, math.ceil(ascent * scale))
            self.descent = max(self.descent, math.ceil(descent * scale))
            self._parts.append(_Part(run, x, size))
            x += font.getlength(run.text, direction=run.direction) * scale
        self.width = x
        self.around = size // 2
        """Pixels on each side of what is drawn, for parts of letters that stand out."""

    def drawn(self, color: str) -> Image.Image:
        """Return a transparent picture with the line, `around` pixels from its edges."""
        size = math.ceil(self.width) + 2 * self.around, self.ascent + self.descent + 2 * self.around

        def draw(layer: Image.Image) -> None:
            for part in self._parts:
                _draw(layer, part, (self.around + part.x, self.around + self.ascent), color)

        return _transparent(size, draw)


def _draw(layer: Image.Image, part: _Part, at: tuple[float, int], color: str) -> None:
    """Draw a run on an opaque picture; `at` is where its baseline begins."""
    font, scale = part.run.face.sized(part.size)
    if scale == 1:
        _write(layer, at, part, color)
        return
    ascent, descent = font.getmetrics()
    wide = math.ceil(font.getlength(part.run.text, direction=part.run.direction))
    stamp = _transparent((max(1, wide), ascent + descent), lambda large: _write(large, (0, ascent), part, color))
    small = stamp.resize((max(1, round(stamp.width * scale)), max(1, round(stamp.height * scale))))
    layer.paste(small, (round(at[0]), round(at[1] - ascent * scale)), small)


def _write(layer: Image.Image, at: tuple[float, float], part: _Part, color: str) -> None:
    font, _ = part.run.face.sized(part.size)
    run = part.run
    ImageDraw.Draw(layer).text(
        at, run.text, font=font, fill=color, anchor="ls", direction=run.direction, embedded_color=run.face.colour
    )


def _transparent(size: tuple[int, int], draw: Callable[[Image.Image], None]) -> Image.Image:
    """Return what `draw` draws on an opaque picture without what is behind it.

    It is drawn on black and on white: where they differ, the background is seen. Pillow itself draws coloured letters
    on what is transparent with too dark edges.
    """
    black, white = Image.new("RGB", size, "black"), Image.new("RGB", size, "white")
    draw(black)
    draw(white)
    opacity = ImageChops.invert(ImageChops.subtract(white, black)).getchannel("G")
    premultiplied = Image.merge("RGBA", (*black.split(), opacity))
    return Image.frombytes("RGBa", size, premultiplied.tobytes()).convert("RGBA")


def _shadow_of(letters: Image.Image, size: int) -> Image.Image:
    """Return the shadow of letters, below and to the right of them."""
    aside, blur = max(1, round(size / 16)), size / 24
    mask = Image.new("L", letters.size)
    mask.paste(letters.getchannel("A").point(lambda opacity: opacity * _SHADOW // 255), (aside, aside))
    black = Image.new("L", letters.size)
    return Image.merge("RGBA", (black, black, black, _blurred(mask, blur)))


def _blurred(mask: Image.Image, radius: float) -> Image.Image:
    box = mask.getbbox()
    if box is None:
        return mask
    reach = math.ceil(3 * radius)
    box = max(0, box[0] - reach), max(0, box[1] - reach), box[2] + reach, box[3] + reach
    mask.paste(mask.crop(box).filter(ImageFilter.GaussianBlur(radius)), box[:2])
    return mask
