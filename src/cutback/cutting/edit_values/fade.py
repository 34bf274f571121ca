"""The values of the edits of the stage `fade`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cutback.cutting.edit_value import Edit
from cutback.domain.measures import Point


@dataclass(frozen=True, slots=True)
class Fade(Edit):
    """Fade pictures and sound in and out."""

    kind = "fade"

    fade_in: Fraction
    """Seconds in finished time; 0 for none."""
    fade_out: Fraction
    color: Literal["black", "white"]
    poster: Point | None = None
    """Which picture the beginning comes from, instead of the colour: the clip's poster."""
