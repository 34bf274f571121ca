"""`sdr`: converts HDR to SDR."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from cutback.cutting.codecs.colours import shows_hdr
from cutback.cutting.edit_values.sdr import Sdr
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart
from cutback.cutting.plan.pieces import Located, first_pictures


class SdrStep(EditStep[Sdr]):
    """Converts pictures when they have their shape, before anything is mixed into them or painted on them."""

    edit = Sdr
    unneeded = "sdr: nothing to do, because the pictures are not HDR"
    whole_clip = True
    makes_sdr = True

    def concerns(self, edit: Sdr, pieces: Sequence[Located]) -> bool:
        """See `EditStep`. Decodes the first picture of each recording."""
        del edit
        return any(shows_hdr(picture.frame) for first in first_pictures(pieces, 1) for picture in first)

    def painted(self, edit: Sdr, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        del edit
        return (PaintedPart(Fraction(0), scene.duration),)

    def described(self, edit: Sdr) -> str:
        """See `EditStep`."""
        del edit
        return "sdr: HDR is converted to SDR (BT.709, 8 bits)"
