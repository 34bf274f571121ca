"""Sizes and places in pictures, and points in a clip's time, as requests write them. Plain data, kept exact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from cutback.domain.times import FromEnd

MAX_PIXELS = 16_384
"""Maximum pixels of a width, a height or a place."""

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", re.ASCII)
_EXPECTED = 'whole pixels (40) or percent ("5%")'


Place = Literal[
    "top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"
]  # fmt: skip
"""The nine anchors, for crops and overlays."""


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of a width, a height or the shorter side."""

    percent: Fraction


Measure: TypeAlias = int | Percent
"""Pixels, or percent."""


def parse_measure(value: object) -> Measure:
    """Parse a measure as a request may write it.

    Raises:
        ValueError: it has neither form, is negative, or is beyond `MAX_PIXELS` or 100 percent.
    """
    if isinstance(value, Percent):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= MAX_PIXELS:
            raise ValueError(f"must be 0 to {MAX_PIXELS} pixels")
        return value
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value.strip())):
        percent = Fraction(match[1])
        if percent > 100:
            raise ValueError("must be at most 100%")
        return Percent(percent)
    raise ValueError(f"expected {_EXPECTED}")


def measure_to_json(value: Measure) -> int | str:
    """Return the canonical form of a measure: `"5%"`, never `"5.0%"`."""
    if isinstance(value, int):
        return value
    scaled = round(value.percent * 10**6)
    whole, part = divmod(scaled, 10**6)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".") + "%"


def in_pixels(value: Measure, whole: int) -> Fraction:
    """Convert a measure to pixels; `whole` is what 100 percent are."""
    return Fraction(value) if isinstance(value, int) else value.percent * whole / 100


@dataclass(frozen=True, slots=True)
class Finished:
    """A point in finished time: seconds since the beginning of the clip as it is shown."""

    seconds: Fraction


@dataclass(frozen=True, slots=True)
class AtMoment:
    """A moment on the wall clock of the camera."""

    epoch: Fraction
    """Seconds since 1970, UTC."""


Point: TypeAlias = Fraction | FromEnd | Finished | AtMoment
"""A point of a clip. A fraction is seconds in cut time: the ranges joined, before any change of speed."""


def anchored(place: Place, free: Fraction, rest: Fraction) -> tuple[Fraction, Fraction]:
    """Return x and y of something at an anchor; `free` and `rest` are the pixels left over beside and above it."""
    across, down = place.rpartition("-")[2], place.partition("-")[0]
    x = {"left": Fraction(0), "right": free}.get(across, free / 2)
    y = {"top": Fraction(0), "bottom": rest}.get(down, rest / 2)
    return x, y
