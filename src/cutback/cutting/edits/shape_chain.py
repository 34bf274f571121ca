"""The picture on its way through crop, scale and rotation: its size, and the filters so far. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cutback.cutting.edits.graph import FILTER_NAMES, Filter, Value
from cutback.cutting.turns import Turn, sideways

LEAST = 16
"""Minimum pixels of a width or height: encoders take no less."""


@dataclass(frozen=True, slots=True)
class Move:
    """An option of a filter that changes in the course of the clip."""

    filter: int
    """Its number in the chain."""
    option: str
    value: Callable[[Fraction], Value]
    """Its value at a time in cut time, in seconds."""


@dataclass(frozen=True, slots=True)
class ShapeChain:
    """A picture's size after some filters."""

    width: int
    height: int
    filters: tuple[Filter, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def size(self) -> str:
        """Its size in words."""
        return f"{self.width}×{self.height}"

    def through(self, filter_: Filter, width: int, height: int) -> ShapeChain:
        """The picture after one more filter."""
        return replace(self, width=width, height=height, filters=(*self.filters, filter_))

    def moving(self, option: str, value: Callable[[Fraction], Value]) -> ShapeChain:
        """The picture with an option of the last filter that changes in the course of the clip."""
        return replace(self, moves=(*self.moves, Move(len(self.filters) - 1, option, value)))

    def turned(self, turns: Sequence[Turn]) -> ShapeChain:
        """The picture, rotated or mirrored."""
        made = tuple(Filter(FILTER_NAMES[name], {"dir": int(how)} if how else {}) for name, how in turns)
        width, height = (self.height, self.width) if sideways(turns) else (self.width, self.height)
        return replace(self, width=width, height=height, filters=(*self.filters, *made))

    def cropped(self, width: int, height: int, x: int, y: int) -> ShapeChain:
        """A part of the picture, to the pixel."""
        return self.through(Filter("crop", {"w": width, "h": height, "x": x, "y": y, "exact": 1}), width, height)

    def scaled(self, width: int, height: int) -> ShapeChain:
        """The picture in another size."""
        return self.through(Filter("scale", {"w": width, "h": height}), width, height)

    def padded(self, width: int, height: int) -> ShapeChain:
        """The picture in the middle of a black one."""
        x, y = even((width - self.width) / Fraction(2)), even((height - self.height) / Fraction(2))
        return self.through(Filter("pad", {"w": width, "h": height, "x": x, "y": y}), width, height)


def upright(width: int, height: int, aspect: Fraction, turns: Sequence[Turn]) -> ShapeChain:
    """Return a decoded picture upright and with square pixels; what is not square grows in no direction."""
    canvas = ShapeChain(width, height)
    if aspect > 1:
        canvas = canvas.scaled(width, even(height / aspect))
    elif aspect < 1:
        canvas = canvas.scaled(even(width * aspect), height)
    return canvas.turned(turns)


def even(value: Fraction) -> int:
    """Round to an even number of pixels: 4:2:0 has a colour for two."""
    return 2 * round(value / 2)
