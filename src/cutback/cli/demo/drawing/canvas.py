"""The picture being drawn: three planes, 4:2:0, and the size of everything on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast

import av
from PIL import Image

CELL = 16
"""The size in pixels of a cell of the strip that programs read."""

Ink: TypeAlias = tuple[Image.Image, Image.Image, Image.Image] | tuple[int, int, int]
"""Y, U and V: images (U and V of half the size), or one colour."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The picture's size; the scene is laid out for 1920 x 1080 and scaled to it."""

    width: int
    height: int

    @property
    def scale(self) -> float:
        """The factor for sizes and heights."""
        return self.height / 1080

    @property
    def bar(self) -> int:
        """The row where the camera's bar of lettering begins; its cells do not scale."""
        return self.height - CELL - round(48 * self.scale)

    def x(self, column: float) -> int:
        """Return a column of the 1920 pixel layout in this picture's pixels."""
        return round(column * self.width / 1920)

    def y(self, row: float) -> int:
        """Return a row of the 1080 pixel layout in this picture's pixels."""
        return round(row * self.scale)


class Canvas:
    """A video frame to draw on: its planes are Pillow images over the frame's own memory.

    Drawing in place spares three copies of every frame, a tenth of the time a recording takes.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """Make a black picture of `size` pixels, both even."""
        self.size = size
        self.window = (0, size[0])
        """The columns that may be drawn on, both even."""
        self.frame = av.VideoFrame(*size, "yuv420p")
        self._memory = [memoryview(plane).cast("B") for plane in self.frame.planes]
        self._strides = [plane.line_size for plane in self.frame.planes]
        y, u, v = (
            _image_over(memory, (plane.width, plane.height), plane.line_size)
            for memory, plane in zip(self._memory, self.frame.planes, strict=True)
        )
        self.planes = (y, u, v)
        for plane, value in zip(self.planes, (16, 128, 128), strict=True):
            plane.paste(value, (0, 0, *plane.size))
        if (self._memory[0][0], self._memory[1][0]) != (16, 128):
            raise RuntimeError("this Pillow does not draw in place; see Canvas")

    def copy_rows(self, source: Canvas, top: int, bottom: int) -> None:
        """Take the rows `top` (included) to `bottom` (excluded), both even, from `source`."""
        for index, (mine, other) in enumerate(zip(self._memory, source._memory, strict=True)):
            step = self._strides[index] // (1 if index == 0 else 2)
            mine[top * step : bottom * step] = other[top * step : bottom * step]

    def take_window(self, source: Canvas, top: int, bottom: int) -> None:
        """Take the rows `top` to `bottom`, within the window, from `source`."""
        left, right = self.window
        for index, (mine, other) in enumerate(zip(self.planes, source.planes, strict=True)):
            step = 1 if index == 0 else 2
            box = (left // step, top // step, right // step, bottom // step)
            mine.paste(other.crop(box), box)

    def paste(
        self,
        ink: Ink,
        at: tuple[int, int],
        mask: Image.Image | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Lay `ink` over the picture, its top left corner `at`, where `mask` is set.

        Nothing outside the window's columns changes. Chroma is placed on the nearest even pixel.
        A plain colour needs a mask or a `size`.
        """
        x, y = at
        if mask is not None:
            size = mask.size
        elif isinstance(ink[0], Image.Image):
            size = ink[0].size
        if size is None:
            raise ValueError("a plain colour needs a mask or a size")
        width, height = size
        first, last = max(self.window[0] - x, 0), min(self.window[1] - x, width)
        if last - first < 2 or height < 2:
            return
        if (first, last) != (0, width):
            if mask is not None:
                mask = mask.crop((first, 0, last, height))
            ink = _columns(ink, first, last)
            x, width = x + first, last - first
        luma, u, v = self.planes
        luma.paste(ink[0], (x, y, x + width, y + height), mask)
        if mask is not None:
            # Nearest is enough: masks are soft and chroma is half as sharp anyway.
            mask = mask.resize((width // 2, height // 2), Image.Resampling.NEAREST)
        box = (x // 2, y // 2, x // 2 + width // 2, y // 2 + height // 2)
        for plane, colour in ((u, ink[1]), (v, ink[2])):
            plane.paste(colour, box, mask)


def _columns(ink: Ink, first: int, last: int) -> Ink:
    """Return the columns `first` to `last` of an ink."""
    y, u, v = ink
    if isinstance(y, int) or isinstance(u, int) or isinstance(v, int):
        return ink
    half = (first // 2, 0, first // 2 + (last - first) // 2, u.height)
    return y.crop((first, 0, last, y.height)), u.crop(half), v.crop(half)


def _image_over(memory: memoryview, size: tuple[int, int], stride: int) -> Image.Image:
    """Return a Pillow image that reads and writes `memory`."""
    # The stubs forget that any buffer will do.
    image = Image.frombuffer("L", size, cast("bytearray", memory), "raw", "L", stride, 1)
    # Pillow copies a shared image before its first change, unless told that it may be changed.
    image.readonly = 0
    return image
