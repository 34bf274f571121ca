"""The values of the edits of the stage `crop`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cutback.cutting.edit_value import Edit, EditPart
from cutback.domain.measures import Measure, Place, Point


@dataclass(frozen=True, slots=True)
class CropPoint(EditPart):
    """Where a moving part is at a point of the clip."""

    at: Point
    x: Measure | None
    y: Measure | None


@dataclass(frozen=True, slots=True)
class Crop(Edit):
    """Show a part of the picture."""

    kind = "crop"

    aspect: Fraction | None
    """Width divided by height of the largest part with that shape."""
    gravity: Place | None
    """Which part, if it has no place; None: in the middle."""
    x: Measure | None
    y: Measure | None
    width: Measure | None
    height: Measure | None
    path: tuple[CropPoint, ...] = ()
    """If it moves: where it is when, in order."""
