"""`blur`: makes a part of the pictures unrecognizable, all the time or for a part of it."""

from __future__ import annotations

import av

from cutback.cutting.edit_values.colour import Blur
from cutback.cutting.edits.graph import Filter, PictureGraph
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import part_between
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import in_pixels

_LEAST = 4
"""Pixels of a region's width or height."""


class BlurStep(EditStep[Blur]):
    """Blurs a rectangle; the rest of the picture stays as it is."""

    edit = Blur
    depends_on_size = True

    def painted(self, edit: Blur, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        return (part_between("blur", edit.start, edit.duration, scene),)

    def paint(
        self, edit: Blur, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        del at
        graph, whole, x, y = scene.graphs.graph((edit, view), frame, lambda: _graphs(edit, frame, view))
        painted = whole.apply(frame)
        painted.make_writable()
        _paste(painted, graph.apply(frame), x, y)
        return painted

    def described(self, edit: Blur) -> str:
        """See `EditStep`."""
        return f"{'blur' if edit.mode == 'blur' else 'blur: pixelate'} a part of the pictures"


def _graphs(edit: Blur, frame: av.VideoFrame, view: Orientation) -> tuple[PictureGraph, PictureGraph, int, int]:
    """Return the graph of the part, one that changes nothing, and the part's place in the coded picture."""
    shown_width, shown_height = view.size(frame)
    x, y = in_pixels(edit.x, shown_width), in_pixels(edit.y, shown_height)
    width, height = in_pixels(edit.width, shown_width), in_pixels(edit.height, shown_height)
    if x + width > shown_width or y + height > shown_height:
        raise EditImpossibleError(
            f"blur: {float(width):g}×{float(height):g} pixels at {float(x):g}, {float(y):g} are not within the "
            f"picture, which has {shown_width}×{shown_height}."
        )
    strength = in_pixels(edit.strength, round(min(width, height)))
    box = view.coded(x, y, x + width, y + height, frame)
    # Outwards to even pixels: a colour that is shared with a pixel outside would show what is hidden.
    left, top = (int(edge // 2 * 2) for edge in box[:2])
    right, bottom = (
        min(int(-(-edge // 2) * 2), side) for edge, side in zip(box[2:], (frame.width, frame.height), strict=True)
    )
    if right - left < _LEAST or bottom - top < _LEAST:
        raise EditImpossibleError(
            f"blur: {right - left}×{bottom - top} pixels are too few; at least {_LEAST}×{_LEAST} are needed."
        )
    part = Filter("crop", {"w": right - left, "h": bottom - top, "x": left, "y": top, "exact": 1})
    size = max(2, round(strength))
    changed = Filter("gblur", {"sigma": size, "steps": 3})
    if edit.mode == "pixelate":
        changed = Filter("pixelize", {"w": min(size, 1024), "h": min(size, 1024)})
    return PictureGraph(frame, [part, changed]), PictureGraph(frame, []), left, top


def _paste(frame: av.VideoFrame, patch: av.VideoFrame, x: int, y: int) -> None:
    """Put a picture of the same format onto another one, whose planes are writable; `x` and `y` are even."""
    size = 2 if frame.format.components[0].bits > 8 else 1
    for number, (plane, part) in enumerate(zip(frame.planes, patch.planes, strict=True)):
        half = 1 if number else 0
        target, source = memoryview(plane), memoryview(part)
        left, top, row = (x >> half) * size, y >> half, part.width * size
        for line in range(part.height):
            at = (top + line) * plane.line_size + left
            target[at : at + row] = source[line * part.line_size : line * part.line_size + row]
