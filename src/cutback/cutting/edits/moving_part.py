"""A part of the picture that moves: to a fraction of a pixel, from one point to the next without a jerk. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from cutback.cutting.edits.graph import Filter, Value
from cutback.cutting.edits.shape_chain import ShapeChain

_MARGIN = 8
"""Pixels around the part, at least as many as interpolation needs of luma and, twice, of chroma."""

_TAPS, _UNIT = 3, 64
"""Interpolation takes so many pixels on each side; its weights are parts of this."""

_STILL: tuple[int, ...] = (0, 0, 0, _UNIT, 0, 0, 0)


class Glide:
    """A position over time: a cubic curve through the points that never overshoots, and rests at both ends."""

    def __init__(self, times: Sequence[Fraction], positions: Sequence[Fraction]) -> None:
        """`times` increase."""
        self._times, self._positions = times, positions
        steps = [
            (after - before) / (end - begin)
            for (before, after), (begin, end) in zip(pairwise(positions), pairwise(times), strict=True)
        ]
        inner = [Fraction(0) if a * b <= 0 else 2 * a * b / (a + b) for a, b in pairwise(steps)]  # Fritsch and Butland
        self._slopes = [Fraction(0), *inner, Fraction(0)]

    @property
    def moves(self) -> bool:
        """Whether it is not at one even pixel all the time."""
        return len(set(self._positions)) > 1 or bool(self._positions[0] % 2)

    def at(self, time: Fraction) -> Fraction:
        """Return the position at a time; before the first point and after the last one, it rests there."""
        place = bisect_right(self._times, time) - 1
        if place < 0 or place >= len(self._times) - 1:
            return self._positions[max(0, place)]
        begin, end = self._times[place : place + 2]
        low, high = self._positions[place : place + 2]
        leaving, arriving = self._slopes[place : place + 2]
        length = end - begin
        part = (time - begin) / length
        rest = 1 - part
        return rest * rest * ((1 + 2 * part) * low + part * length * leaving) + part * part * (
            (3 - 2 * part) * high - rest * length * arriving
        )


def moved(canvas: ShapeChain, width: int, height: int, across: Glide, down: Glide) -> ShapeChain:
    """Return a part of the picture of an even size, whose left and top edges move."""
    wide = min(width + 2 * _MARGIN, canvas.width // 2 * 2)
    high = min(height + 2 * _MARGIN, canvas.height // 2 * 2)

    def outer(glide: Glide, size: int, whole: int, time: Fraction) -> int:
        return max(0, min(_nearest(glide.at(time)) - _MARGIN, (whole - size) // 2 * 2))

    def left(time: Fraction) -> int:
        return outer(across, wide, canvas.width, time)

    def top(time: Fraction) -> int:
        return outer(down, high, canvas.height, time)

    made = canvas.cropped(wide, high, 0, 0).moving("x", left).moving("y", top)
    for glide, mode in ((across, 1), (down, 2)):  # rows, columns
        if glide.moves:
            made = _shifted(made, glide, mode)
    made = made.cropped(width, height, 0, 0)
    made = made.moving("x", lambda time: min(_nearest(across.at(time)) - left(time), wide - width))
    return made.moving("y", lambda time: min(_nearest(down.at(time)) - top(time), high - height))


def _shifted(canvas: ShapeChain, glide: Glide, mode: int) -> ShapeChain:
    """Return the picture moved by what is left of a position beside the nearest even pixel: one at most."""
    options: dict[str, Value] = {}
    for plane in range(3):
        options |= {f"{plane}m": _STILL, f"{plane}rdiv": 1 / _UNIT, f"{plane}mode": mode}
    made = canvas.through(Filter("convolution", options), canvas.width, canvas.height)
    for plane in range(3):
        shrunk = 2 if plane else 1  # 4:2:0 has half as many colours

        def weights(time: Fraction, shrunk: int = shrunk) -> tuple[int, ...]:
            position = glide.at(time)
            return _weights(float(position - _nearest(position)) / shrunk)

        made = made.moving(f"{plane}m", weights)
    return made


def _nearest(position: Fraction) -> int:
    return 2 * round(position / 2)


def _weights(shift: float) -> tuple[int, ...]:
    """Return the weights of the pixels from 3 before to 3 behind, for a shift of up to one pixel (Lanczos, 2 lobes)."""
    found = [_lanczos(place - shift) for place in range(-_TAPS, _TAPS + 1)]
    weights = [round(_UNIT * each / sum(found)) for each in found]
    weights[_TAPS + round(shift)] += _UNIT - sum(weights)
    return tuple(weights)


def _lanczos(x: float) -> float:
    if not x:
        return 1.0
    if abs(x) >= 2:
        return 0.0
    return 2 * math.sin(math.pi * x) * math.sin(math.pi * x / 2) / (math.pi * x) ** 2
