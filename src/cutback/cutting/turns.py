"""How a track's header turns, mirrors and stretches its pictures (ISO/IEC 14496-12, 8.3.2). Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol, TypeAlias

Turn: TypeAlias = tuple[str, str | None]
"""A filter of FFmpeg without a text of anybody else: its name and its number, if it takes one."""

_ONE = 1 << 16
_W = 1 << 30

_CLOCK: tuple[Turn, ...] = (("transpose", "1"),)
_TURNS: dict[tuple[int, int, int, int], tuple[Turn, ...]] = {
    (1, 0, 0, 1): (),
    (0, 1, -1, 0): _CLOCK,
    (0, -1, 1, 0): (("transpose", "2"),),
    (-1, 0, 0, -1): (("hflip", None), ("vflip", None)),
    (-1, 0, 0, 1): (("hflip", None),),
    (1, 0, 0, -1): (("vflip", None),),
    (0, 1, 1, 0): (("transpose", "0"),),
    (0, -1, -1, 0): (("transpose", "3"),),
}
"""The signs of a, b, c and d, and the filters that do the same."""

_BACK = {"1": "2", "2": "1"}
"""What undoes a transposition; the others undo themselves."""

_QUARTERS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
"""a, b, c and d of clockwise rotations."""


def turns_of(matrix: bytes) -> tuple[Turn, ...]:
    """Return the filters that make pictures upright; none for a matrix that is neither rotation nor mirroring."""
    return _TURNS.get(_signs(matrix), ())


def turns_clockwise(degrees: int) -> tuple[Turn, ...]:
    """Return the filters that turn pictures clockwise by 0, 90, 180 or 270 degrees."""
    return _TURNS[_QUARTERS[degrees]]


def undone(turn: Turn) -> Turn:
    """Return the filter that undoes another one."""
    name, how = turn
    return name, how if how is None else _BACK.get(how, how)


def sideways(turns: Sequence[Turn]) -> bool:
    """Whether filters exchange width and height."""
    return any(name == "transpose" for name, _ in turns)


def turned_matrix(matrix: bytes, degrees: int, size: tuple[int, int]) -> bytes:
    """Return a track header's matrix that turns further, clockwise; `size` is the width and height before it."""
    a, b, c, d = _signs(matrix)
    e, f, g, h = _QUARTERS[degrees]
    a, b, c, d = a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
    width, height = size
    corners = [(x * a + y * c, x * b + y * d) for x in (0, width) for y in (0, height)]
    left, top = (-min(corner[axis] for corner in corners) for axis in (0, 1))
    values = (a * _ONE, b * _ONE, 0, c * _ONE, d * _ONE, 0, left * _ONE, top * _ONE, _W)
    return struct.pack(">9i", *values)


def _signs(matrix: bytes) -> tuple[int, int, int, int]:
    if len(matrix) < 36:
        return 1, 0, 0, 1
    numbers = struct.unpack(">9i", matrix)
    a, b, c, d = ((n > 0) - (n < 0) for n in (numbers[0], numbers[1], numbers[3], numbers[4]))
    return (a, b, c, d) if (a, b, c, d) in _TURNS else (1, 0, 0, 1)


class _Displayed(Protocol):
    @property
    def display_size(self) -> tuple[int, int]: ...


def shape_of_pixels(track: _Displayed, width: int, height: int) -> Fraction:
    """Return the pixel aspect ratio, given the display size of the track and the size of its pictures."""
    wide, high = track.display_size
    return Fraction(wide * height, high * width) if wide and high else Fraction(1)
