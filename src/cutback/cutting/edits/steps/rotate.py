"""`rotate`: turns and mirrors pictures. Turning alone only changes what the clip's header tells players."""

from __future__ import annotations

from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edits.shape_chain import ShapeChain
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.cutting.turns import turns_clockwise

_MIRRORED = {"horizontal": "hflip", "vertical": "vflip"}


class RotateStep(EditStep[Rotate]):
    """Turns the picture clockwise, then mirrors it."""

    edit = Rotate
    changes_shape = True

    def turns_players(self, edit: Rotate) -> int:
        """See `EditStep`. Browsers do not mirror, so a mirrored picture must be drawn."""
        return 0 if edit.flip else edit.degrees

    def shape(self, edit: Rotate, canvas: ShapeChain, said: list[str], scene: PaintedClip | None = None) -> ShapeChain:
        """See `EditStep`."""
        del scene
        mirrored = f", mirrored {edit.flip}ly" if edit.flip else ""
        said.append(f"rotate: {edit.degrees}° clockwise{mirrored}")
        canvas = canvas.turned(turns_clockwise(edit.degrees))
        return canvas.turned([(_MIRRORED[edit.flip], None)]) if edit.flip else canvas
