"""`crop`: shows a part of the pictures."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values import Crop
from cutback.cutting.edits.shape_chain import LEAST, ShapeChain, even
from cutback.cutting.edits.step import EditStep
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import anchored, in_pixels


class CropStep(EditStep[Crop]):
    """Cuts a rectangle out of the picture, on even pixels."""

    changes_shape = True

    def shape(self, edit: Crop, canvas: ShapeChain, said: list[str]) -> ShapeChain:
        """See `EditStep`."""
        x, y, width, height = (even(each) for each in _rectangle(edit, canvas))
        # Rounding must not lead outside of a picture of odd size.
        width, height = min(width, canvas.width - canvas.width % 2), min(height, canvas.height - canvas.height % 2)
        x, y = min(x, canvas.width - width) // 2 * 2, min(y, canvas.height - height) // 2 * 2
        if width < LEAST or height < LEAST:
            raise EditImpossibleError(f"crop: {width}×{height} pixels are left; at least {LEAST}×{LEAST} are needed.")
        said.append(f"crop: {width}×{height} pixels at {x}, {y} of {canvas.size}")
        return canvas.cropped(width, height, x, y)


def _rectangle(edit: Crop, canvas: ShapeChain) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    whole_width, whole_height = Fraction(canvas.width), Fraction(canvas.height)
    gravity = edit.gravity or "center"
    if edit.aspect is not None:
        width = min(whole_width, whole_height * edit.aspect)
        height = width / edit.aspect
        return *anchored(gravity, whole_width - width, whole_height - height), width, height
    x = None if edit.x is None else in_pixels(edit.x, canvas.width)
    y = None if edit.y is None else in_pixels(edit.y, canvas.height)
    width = in_pixels(edit.width, canvas.width) if edit.width is not None else whole_width - (x or 0)
    height = in_pixels(edit.height, canvas.height) if edit.height is not None else whole_height - (y or 0)
    left, top = anchored(gravity, whole_width - width, whole_height - height)
    x, y = left if x is None else x, top if y is None else y
    if min(x, y) < 0 or x + width > whole_width or y + height > whole_height:
        raise EditImpossibleError(
            f"crop: {float(width):g}×{float(height):g} pixels at {float(x):g}, {float(y):g} are not within the "
            f"picture, which has {canvas.size}."
        )
    return x, y, width, height
