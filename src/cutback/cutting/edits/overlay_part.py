"""When overlays are shown, and how they appear and disappear."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values.overlay import PlacedOverlay
from cutback.cutting.edits.step import PaintedClip, PaintedPart
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Point
from cutback.domain.times import format_seconds


def part_between(name: str, start: Point | None, duration: Fraction | None, scene: PaintedClip) -> PaintedPart:
    """Return a part of the clip; without a start it begins with the clip, without a duration it ends with it.

    Raises:
        EditImpossibleError: it is not within the clip; `name` is the edit's.
    """
    begins = Fraction(0) if start is None else scene.finished(start, name)
    if begins >= scene.duration:
        raise EditImpossibleError(
            f"{name}: it would begin at {format_seconds(begins, 3)} s, but the clip ends at "
            f"{format_seconds(scene.duration, 3)} s."
        )
    return PaintedPart(begins, scene.duration if duration is None else min(begins + duration, scene.duration))


def part_of(name: str, edit: PlacedOverlay, scene: PaintedClip) -> PaintedPart:
    """Return the part of the clip that shows an overlay; `name` is the edit's.

    Raises:
        EditImpossibleError: it is not within the clip, or is too short to appear and disappear.
    """
    part = part_between(name, edit.start, edit.duration, scene)
    if edit.fade_in + edit.fade_out > part.end - part.start:
        raise EditImpossibleError(
            f"{name}: it is shown for {format_seconds(part.end - part.start, 3)} s, which is shorter than fade_in "
            f"and fade_out together: {format_seconds(edit.fade_in + edit.fade_out, 3)} s."
        )
    return part


def fades(edit: PlacedOverlay) -> bool:
    """Whether an overlay appears or disappears little by little."""
    return bool(edit.fade_in or edit.fade_out)


def opacity_at(at: Fraction, edit: PlacedOverlay, part: PaintedPart) -> Fraction:
    """Return how much of an overlay is seen at a time of the finished clip, from 0 to 1."""
    opacity = Fraction(1)
    if edit.fade_in:
        opacity = min(opacity, (at - part.start) / edit.fade_in)
    if edit.fade_out:
        opacity = min(opacity, (part.end - at) / edit.fade_out)
    return max(opacity, Fraction(0))
