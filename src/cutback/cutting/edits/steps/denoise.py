"""`denoise`: reduces noise by the average of each pixel over several pictures, where it does not move."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values.colour import Denoise
from cutback.cutting.edits.graph import Filter
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart

_STRENGTHS = {"light": 1, "medium": 2, "strong": 4}

_ALIKE, _ALIKE_ALL = 0.02, 0.04
"""How far a pixel may differ from that of one neighbour, and of all together, to be averaged (FFmpeg's defaults)."""

_PICTURES = 9


class DenoiseStep(EditStep[Denoise]):
    """Averages over nine pictures; what moves stays sharp."""

    edit = Denoise
    whole_clip = True
    temporal = True

    def painted(self, edit: Denoise, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        del edit
        return (PaintedPart(Fraction(0), scene.duration),)

    def filters(self, edit: Denoise) -> list[Filter]:
        """See `EditStep`."""
        strength = _STRENGTHS[edit.strength]
        options: dict[str, float] = {"s": _PICTURES}
        for plane in range(3):
            options |= {f"{plane}a": _ALIKE * strength, f"{plane}b": _ALIKE_ALL * strength}
        return [Filter("atadenoise", options)]

    def described(self, edit: Denoise) -> str:
        """See `EditStep`."""
        return f"denoise: {edit.strength}"
