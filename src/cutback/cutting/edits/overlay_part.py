"""When overlays are shown, and how they appear and disappear."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values import PlacedOverlay
from cutback.cutting.edits.step import PaintedClip, PaintedPart
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import format_seconds


def part_of(name: str, edit: PlacedOverlay, scene: PaintedClip) -> PaintedPart:
    """Return the part of the clip that shows an overlay; `name` is the edit's.

    Raises:
        EditImpossibleError: it is not within the clip, or is too short to appear and disappear.
    """
    start = Fraction(0) if edit.start is None else scene.finished(edit.start, name)
    end = scene.duration if edit.duration is None else min(start + edit.duration, scene.duration)
    if start >= scene.duration:
        raise EditImpossibleError(
            f"{name}: {format_seconds(start, 3)} s is not within the clip, which has "
            f"{format_seconds(scene.duration, 3)} s."
        )
    if edit.fade_in + edit.fade_out > end - start:
        raise EditImpossibleError(
            f"{name}: it is shown for {format_seconds(end - start, 3)} s, which is shorter than fade_in and fade_out "
            f"together: {format_seconds(edit.fade_in + edit.fade_out, 3)} s."
        )
    return PaintedPart(start, end)


def opacity_at(at: Fraction, edit: PlacedOverlay, part: PaintedPart) -> Fraction:
    """Return how much of an overlay is seen at a time of the finished clip, from 0 to 1."""
    opacity = Fraction(1)
    if edit.fade_in:
        opacity = min(opacity, (at - part.start) / edit.fade_in)
    if edit.fade_out:
        opacity = min(opacity, (part.end - at) / edit.fade_out)
    return max(opacity, Fraction(0))
