"""`deinterlace`: makes whole pictures of interlaced ones."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from cutback.cutting.edit_values.deinterlace import Deinterlace
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.graph import Filter, deinterlacing
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart
from cutback.cutting.plan.pieces import Located, first_pictures
from cutback.cutting.plan.retiming import Leg, Retiming

_LOOKED_AT = 3
"""Pictures of each recording that tell whether it is interlaced."""


class DeinterlaceStep(EditStep[Deinterlace]):
    """Computes the missing rows of one field from its neighbours; pictures that are not interlaced stay."""

    edit = Deinterlace
    unneeded = "deinterlace: nothing to do, because the pictures are progressive"
    whole_clip = True
    temporal = True
    before_shape = True

    def concerns(self, edit: Deinterlace, pieces: Sequence[Located]) -> bool:
        """See `EditStep`. Decodes the first pictures of each recording."""
        del edit
        return any(picture.frame.interlaced_frame for first in first_pictures(pieces, _LOOKED_AT) for picture in first)

    def painted(self, edit: Deinterlace, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        del edit
        return (PaintedPart(Fraction(0), scene.duration),)

    def retiming(self, edit: Deinterlace, time: ClipTime, rate: Fraction | None) -> Retiming | None:
        """See `EditStep`: the fields of a frame follow each other."""
        if edit.rate == "frame" or rate is None:
            return None
        reason = "edited: deinterlace"
        return Retiming((Leg(Fraction(0), time.duration, Fraction(0), Fraction(1), 1 / (2 * rate), reason, "fields"),))

    def filters(self, edit: Deinterlace) -> list[Filter]:
        """See `EditStep`: one picture a frame."""
        del edit
        return [deinterlacing(fields=False)]

    def described(self, edit: Deinterlace) -> str:
        """See `EditStep`."""
        return f"deinterlace: one picture of each {edit.rate}"
