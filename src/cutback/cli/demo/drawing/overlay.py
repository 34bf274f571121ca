"""What the camera writes over its picture: its name, the wall clock, the frame's number.

The number is there twice: for people, and as 24 cells that programs read back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from cutback.cli.demo.drawing.canvas import CELL
from cutback.cli.demo.drawing.light import RGB, yuv

if TYPE_CHECKING:
    from cutback.cli.demo.drawing.canvas import Canvas, Stage

CELLS = 24
BLACK, WHITE = 16, 235

_BAR: RGB = (9, 14, 26)
_PAPER: RGB = (246, 248, 250)
_GREY: RGB = (142, 154, 172)
_GOLD: RGB = (244, 190, 92)
_RED: RGB = (235, 64, 58)
_DIGITS = "0123456789:.-"


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=max(7.0, size))


def _text(words: str, size: float, spacing: float = 0.0, weight: float = 0.0) -> Image.Image:
    """Return the mask of a line of text, letters `spacing` pixels apart."""
    font = _font(size)
    ascent = round(size * 1.25)
    widths = [font.getlength(letter) + spacing for letter in words]
    image = Image.new("L", (round(sum(widths)) + 6, ascent + round(size * 0.35)))
    draw = ImageDraw.Draw(image)
    x = 2.0
    for letter, width in zip(words, widths, strict=True):
        draw.text((x, ascent), letter, fill=255, font=font, anchor="ls", stroke_width=weight)
        x += width
    return image


class Overlay:
    """Draws the lettering."""

    def __init__(self, stage: Stage, camera: str, start: datetime, fps: int) -> None:
        """Set the type once; `start` is the first frame's time."""
        self.stage = stage
        self.camera = camera
        self.start = start.astimezone(UTC)
        self.fps = fps
        scale = stage.scale
        self.top = stage.bar
        self.text_rows = stage.height - CELL - self.top
        self._masks: dict[str, tuple[Image.Image, Image.Image]] = {}
        self._lines: dict[str, Image.Image] = {}
        self._bytes: dict[int, Image.Image] = {}
        self.clock_size = 33 * scale
        self.clock_tiles, self.clock_step = self._tiles(self.clock_size)
        self.date_tiles, self.date_step = self._tiles(19 * scale, _GREY)
        self.paper_left = round(28 * scale)
        self.clock_left = self.paper_left + round(150 * scale)

    def _tiles(self, size: float, colour: RGB = _PAPER) -> tuple[dict[str, Image.Image], dict[str, int]]:
        """Return each digit drawn on the bar, and how far each advances; digits are as wide."""
        font = _font(size)
        skip = max(1, round(2 * self.stage.scale))  # the line on top of the bar
        digit = max(font.getlength(d) for d in "0123456789")
        tiles, steps = {}, {}
        for letter in _DIGITS:
            wide = round(digit + 0.5) if letter.isdigit() else round(digit * 0.5)
            tile = Image.new("L", (wide, self.text_rows - skip), yuv(_BAR)[0])
            draw = ImageDraw.Draw(tile)
            draw.text((wide / 2, self.text_rows * 0.72 - skip), letter, fill=yuv(colour)[0], font=font, anchor="ms")
            tiles[letter], steps[letter] = tile, wide
        return tiles, steps

    def _put(
        self, canvas: Canvas, words: str, at: tuple[float, float], size: float, colour: RGB,
        *, spacing: float = 0.0, weight: float = 0.0, anchor: str = "left", shadow: bool = False,
    ) -> int:  # fmt: skip
        """Write a line with its baseline at `at`; return its width."""
        mask, dim = self._mask(words, size, spacing, weight)
        x = round(at[0]) - (mask.width if anchor == "right" else 0)
        y = round(at[1]) - round(size * 1.25)
        if shadow:
            canvas.paste(yuv((14, 22, 44)), (x - 10, y - 9), dim)
        canvas.paste(yuv(colour), (x, y), mask)
        return mask.width

    def _mask(self, words: str, size: float, spacing: float, weight: float) -> tuple[Image.Image, Image.Image]:
        """Return a line's mask and its shadow's, which is ten pixels wider on each side."""
        masks = self._masks.get(words)
        if masks is None:
            mask = _text(words, size, spacing, weight)
            soft = ImageFilter.GaussianBlur(3.2 * self.stage.scale)
            shadow = ImageOps.expand(mask, 10).filter(soft)
            masks = mask, shadow.point([min(255, i * 7 // 6) for i in range(256)])
            self._masks[words] = masks
        return masks

    def draw_still(self, canvas: Canvas) -> None:
        """Draw what does not change: the name, the bar and its labels."""
        stage, s = self.stage, self.stage.scale
        left = 44 * s
        rule = Image.new("L", (max(2, round(5 * s)), round(66 * s)), 255)
        canvas.paste(yuv(_GOLD), (round(left), round(42 * s)), rule)
        name = self.camera.replace("-", " ").replace("_", " ").upper()
        self._put(canvas, name, (left + 20 * s, 80 * s), 41 * s, _PAPER, spacing=5 * s, weight=0.5 * s, shadow=True)
        self._put(
            canvas, f"Cutback surf camera  ·  {self.camera}", (left + 22 * s, 107 * s), 19 * s, _PAPER,
            spacing=0.9 * s, shadow=True,
        )  # fmt: skip
        right = stage.width - 44 * s
        wide = self._put(canvas, "REC", (right, 76 * s), 25 * s, _PAPER, spacing=2.5 * s, anchor="right", shadow=True)
        big = 4
        radius = round(8 * s)
        dot = Image.new("L", ((radius * 2 + 2) * big,) * 2)
        ImageDraw.Draw(dot).ellipse((big, big, (radius * 2 + 1) * big, (radius * 2 + 1) * big), fill=255)
        mask = dot.reduce(big)
        canvas.paste(yuv(_RED), (round(right - wide - 12 * s) - mask.width, round(67 * s) - mask.height // 2), mask)
        self._put(
            canvas, f"{stage.width} x {stage.height}  ·  {self.fps} fps", (right, 103 * s), 19 * s, _PAPER,
            spacing=0.9 * s, anchor="right", shadow=True,
        )  # fmt: skip
        canvas.paste(yuv(_BAR), (0, self.top), size=(stage.width, stage.height - self.top))
        hair = Image.new("L", (stage.width, max(1, round(2 * s))), 150)
        canvas.paste(yuv(_GOLD), (0, self.top), hair)
        base = self.top + self.text_rows * 0.72
        step = self.clock_step
        clock_width = 9 * step["0"] + 2 * step[":"] + step["."]
        self._put(canvas, "UTC", (self.clock_left + clock_width + 12 * s, base), 19 * s, _GOLD, spacing=1.5 * s)
        count_left = stage.width - self.paper_left - 6 * step["0"]
        self._put(canvas, "FRAME", (count_left - 12 * s, base), 19 * s, _GREY, spacing=1.5 * s, anchor="right")
        self._put(
            canvas, "frame code", (CELLS * CELL + 12 * s, stage.height - 3.5 * s), 14 * s, (84, 96, 116),
            spacing=1,
        )  # fmt: skip

    def draw(self, canvas: Canvas, number: int) -> None:
        """Draw the clock and the counter of frame `number`."""
        moment = self.start + timedelta(microseconds=round(number * 1_000_000 / self.fps))
        # Rounded to the millisecond, as a reader would compute it.
        moment += timedelta(microseconds=500)
        clock = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
        luma = canvas.planes[0]
        top = self.top + max(1, round(2 * self.stage.scale))
        count = f"{number:06d}"
        count_left = self.stage.width - self.paper_left - 6 * self.clock_step["0"]
        # What changes seldom is kept as one picture.
        for words, left, tiles in (
            (f"{moment:%Y-%m-%d}", self.paper_left, self.date_tiles),
            (clock[:8], self.clock_left, self.clock_tiles),
            (count[:-2], count_left, self.clock_tiles),
        ):
            luma.paste(self._line(words, tiles), (left, top))
        left = self.clock_left + self._width(clock[:8])
        for letter in clock[8:]:
            luma.paste(self.clock_tiles[letter], (left, top))
            left += self.clock_step[letter]
        left = count_left + self._width(count[:-2])
        for letter in count[-2:]:
            luma.paste(self.clock_tiles[letter], (left, top))
            left += self.clock_step[letter]
        for part in range(CELLS // 8):
            at = (part * 8 * CELL, self.stage.height - CELL)
            luma.paste(self._cells(number >> (8 * part) & 255), at)

    def _width(self, words: str) -> int:
        return sum(self.clock_step[letter] for letter in words)

    def _line(self, words: str, tiles: dict[str, Image.Image]) -> Image.Image:
        """Return a line of digits, made anew only if it has changed."""
        line = self._lines.get(words)
        if line is None:
            if len(self._lines) > 64:
                self._lines.clear()
            used = [tiles[letter] for letter in words]
            line = Image.new("L", (sum(tile.width for tile in used), used[0].height))
            left = 0
            for tile in used:
                line.paste(tile, (left, 0))
                left += tile.width
            self._lines[words] = line
        return line

    def _cells(self, byte: int) -> Image.Image:
        """Return eight cells, the lowest bit first; white ones have a dark rim of one pixel."""
        cells = self._bytes.get(byte)
        if cells is None:
            cells = Image.new("L", (8 * CELL, CELL), BLACK)
            for bit in range(8):
                if byte >> bit & 1:
                    cells.paste(WHITE, (bit * CELL + 1, 1, (bit + 1) * CELL - 1, CELL - 1))
            self._bytes[byte] = cells
        return cells
