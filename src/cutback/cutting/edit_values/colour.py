"""The values of the edits of the stage `colour`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cutback.cutting.edit_value import Edit
from cutback.domain.measures import Measure, Point


@dataclass(frozen=True, slots=True)
class Colour(Edit):
    """Change the colours of the pictures. Each is in percent; 0 changes nothing."""

    kind = "colour"

    brightness: Fraction
    contrast: Fraction
    saturation: Fraction
    temperature: Fraction


@dataclass(frozen=True, slots=True)
class Denoise(Edit):
    """Reduce noise."""

    kind = "denoise"

    strength: Literal["light", "medium", "strong"]


@dataclass(frozen=True, slots=True)
class Blur(Edit):
    """Make a part of the pictures unrecognizable."""

    kind = "blur"

    x: Measure
    y: Measure
    width: Measure
    height: Measure
    mode: Literal["blur", "pixelate"]
    strength: Measure
    """Of its shorter side."""
    start: Point | None
    duration: Fraction | None
    """Seconds in finished time; None: to the end."""
