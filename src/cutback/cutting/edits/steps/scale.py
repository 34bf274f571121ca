"""`scale`: changes the size of the pictures, never upwards unless asked."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edits.shape_chain import LEAST, ShapeChain, even
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.domain.errors import EditImpossibleError


class ScaleStep(EditStep[Scale]):
    """Scales the picture to even sizes, and crops or pads it."""

    edit = Scale
    changes_shape = True

    def shape(self, edit: Scale, canvas: ShapeChain, said: list[str], scene: PaintedClip | None = None) -> ShapeChain:
        """See `EditStep`."""
        del scene
        made = _scaled(edit, canvas)
        if made.width < LEAST or made.height < LEAST:
            raise EditImpossibleError(f"scale: {made.size} pixels are too small; at least {LEAST}×{LEAST} are needed.")
        kept = "" if made.filters != canvas.filters else ", unchanged"
        said.append(f"scale: {canvas.size} to {made.size} pixels{kept}")
        return made


def _scaled(edit: Scale, canvas: ShapeChain) -> ShapeChain:
    across = Fraction(edit.width, canvas.width) if edit.width is not None else None
    down = Fraction(edit.height, canvas.height) if edit.height is not None else None
    factors = [factor for factor in (across, down) if factor is not None]
    factor = max(factors) if edit.mode == "fill" else min(factors)
    if not edit.enlarge:
        factor = min(factor, Fraction(1))
    width, height = even(canvas.width * factor), even(canvas.height * factor)
    if not edit.enlarge:  # not even by rounding
        width, height = min(width, canvas.width // 2 * 2), min(height, canvas.height // 2 * 2)
    made = canvas if (width, height) == (canvas.width, canvas.height) else canvas.scaled(width, height)
    if edit.mode == "fit" or edit.width is None or edit.height is None:
        return made
    if edit.mode == "pad":
        size = even(Fraction(edit.width)), even(Fraction(edit.height))
        return made if size == (made.width, made.height) else made.padded(*size)
    # Without enlarging, a small picture keeps its size, and only gets the shape.
    shape = Fraction(edit.width, edit.height)
    wide = min(Fraction(made.width), made.height * shape)
    size = min(even(wide), edit.width), min(even(wide / shape), edit.height)
    size = size[0] // 2 * 2, size[1] // 2 * 2
    if size == (made.width, made.height):
        return made
    x, y = (even(Fraction(whole - part, 2)) for whole, part in ((made.width, size[0]), (made.height, size[1])))
    return made.cropped(*size, min(x, made.width - size[0]), min(y, made.height - size[1]))
