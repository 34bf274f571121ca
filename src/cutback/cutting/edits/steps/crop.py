"""`crop`: shows a part of the pictures, which can move.

A part that moves is not rounded to whole pixels, let alone to even ones: it would tremble. It is cut out on even pixels
with a margin, and then moved by the rest, with Lanczos' interpolation.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edits.moving_part import Glide, moved
from cutback.cutting.edits.shape_chain import LEAST, ShapeChain, even
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import anchored, in_pixels


class CropStep(EditStep[Crop]):
    """Cuts a rectangle out of the picture, on even pixels."""

    edit = Crop
    changes_shape = True

    def moves(self, edit: Crop) -> bool:
        """See `EditStep`."""
        return bool(edit.path)

    def shape(self, edit: Crop, canvas: ShapeChain, said: list[str], scene: PaintedClip | None = None) -> ShapeChain:
        """See `EditStep`."""
        if edit.path:
            assert scene is not None
            return _moving(edit, canvas, scene, said)
        x, y, width, height = (even(each) for each in _rectangle(edit, canvas))
        # Rounding must not lead outside of a picture of odd size.
        width, height = min(width, canvas.width - canvas.width % 2), min(height, canvas.height - canvas.height % 2)
        x, y = min(x, canvas.width - width) // 2 * 2, min(y, canvas.height - height) // 2 * 2
        if width < LEAST or height < LEAST:
            raise EditImpossibleError(f"crop: {width}×{height} pixels are left; at least {LEAST}×{LEAST} are needed.")
        if (width, height) == (canvas.width, canvas.height):
            said.append(f"crop: all of {canvas.size} pixels, unchanged")
            return canvas
        said.append(f"crop: {width}×{height} pixels at {x}, {y} of {canvas.size}")
        return canvas.cropped(width, height, x, y)


def _moving(edit: Crop, canvas: ShapeChain, scene: PaintedClip, said: list[str]) -> ShapeChain:
    times = [scene.time.cut(point.at, "crop", scene.retiming) for point in edit.path]
    if any(after <= before for before, after in pairwise(times)):
        raise EditImpossibleError("crop: the points of its path are not in order of time.")
    boxes = [_rectangle(replace(edit, x=point.x, y=point.y, path=()), canvas) for point in edit.path]
    width, height = (even(each) for each in boxes[0][2:])
    width, height = min(width, canvas.width - canvas.width % 2), min(height, canvas.height - canvas.height % 2)
    if width < LEAST or height < LEAST:
        raise EditImpossibleError(f"crop: {width}×{height} pixels are left; at least {LEAST}×{LEAST} are needed.")
    across = Glide(times, [min(max(box[0], Fraction(0)), Fraction(canvas.width - width)) for box in boxes])
    down = Glide(times, [min(max(box[1], Fraction(0)), Fraction(canvas.height - height)) for box in boxes])
    said.append(f"crop: {width}×{height} pixels that move over {canvas.size}, by {len(times)} points")
    return moved(canvas, width, height, across, down)


def _rectangle(edit: Crop, canvas: ShapeChain) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    whole_width, whole_height = Fraction(canvas.width), Fraction(canvas.height)
    x = None if edit.x is None else in_pixels(edit.x, canvas.width)
    y = None if edit.y is None else in_pixels(edit.y, canvas.height)
    if edit.aspect is not None:
        width = min(whole_width, whole_height * edit.aspect)
        height = width / edit.aspect
    else:
        width = in_pixels(edit.width, canvas.width) if edit.width is not None else whole_width - (x or 0)
        height = in_pixels(edit.height, canvas.height) if edit.height is not None else whole_height - (y or 0)
    left, top = anchored(edit.gravity or "center", whole_width - width, whole_height - height)
    x, y = left if x is None else x, top if y is None else y
    if min(x, y) < 0 or x + width > whole_width or y + height > whole_height:
        raise EditImpossibleError(
            f"crop: {float(width):g}×{float(height):g} pixels at {float(x):g}, {float(y):g} are not within the "
            f"picture, which has {canvas.size}."
        )
    return x, y, width, height
