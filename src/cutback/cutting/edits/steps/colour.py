"""`colour`: brightness, contrast, saturation and temperature, in the picture's own colours and range."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av

from cutback.cutting.edit_values.colour import Colour
from cutback.cutting.edits.graph import Affine, Filter, PictureGraph
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.solid import is_full_range
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.cutting.plan.pieces import Located

_WARMEST = 32
"""How far the most extreme temperature moves both colour differences, of 256."""


class ColourStep(EditStep[Colour]):
    """Maps every luma to another, and every chroma to another: one table each, 2 ms a picture in 1080p."""

    edit = Colour
    whole_clip = True
    unneeded = "colour: nothing to do, because all of its values are 0"

    def concerns(self, edit: Colour, pieces: Sequence[Located]) -> bool:
        """See `EditStep`."""
        del pieces
        return any((edit.brightness, edit.contrast, edit.saturation, edit.temperature))

    def painted(self, edit: Colour, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        del edit
        return (PaintedPart(Fraction(0), scene.duration),)

    def paint(
        self, edit: Colour, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        del at, view
        return scene.graphs.graph(edit, frame, lambda: PictureGraph(frame, [_filter(edit, frame)])).apply(frame)

    def described(self, edit: Colour) -> str:
        """See `EditStep`."""
        names = ("brightness", "contrast", "saturation", "temperature")
        changes = [f"{name} {float(value):+g} %" for name in names if (value := getattr(edit, name))]
        return "colour: " + ", ".join(changes)


def _filter(edit: Colour, like: av.VideoFrame) -> Filter:
    depth = like.format.components[0].bits
    unit = 1 << (depth - 8)
    full = is_full_range(like)
    black, white = (0, 256 * unit - 1) if full else (16 * unit, 235 * unit)
    low, high = (0, 256 * unit - 1) if full else (16 * unit, 240 * unit)
    contrast, saturation = 1 + float(edit.contrast) / 100, 1 + float(edit.saturation) / 100
    middle = (black + white) / 2
    added = float(edit.brightness) / 100 * (white - black)
    warmer = float(edit.temperature) / 100 * _WARMEST * unit
    neutral = 128 * unit
    # Black and white are those of the range, so nothing becomes darker or lighter than what players show.
    luma = Affine(contrast, middle * (1 - contrast) + added, black, white)
    blue = Affine(saturation, neutral * (1 - saturation) - warmer, low, high)
    red = Affine(saturation, neutral * (1 - saturation) + warmer, low, high)
    return Filter("lutyuv", {"y": luma, "u": blue, "v": red})
