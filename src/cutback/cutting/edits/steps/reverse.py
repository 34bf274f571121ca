"""`reverse`: shows the clip backwards."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values.time import Reverse
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.step import EditStep
from cutback.cutting.plan.retiming import Leg, Retiming
from cutback.domain.times import format_seconds


class ReverseStep(EditStep[Reverse]):
    """Reverses the order of the pictures; there is no sound."""

    edit = Reverse

    def drops_sound(self, edit: Reverse) -> bool:
        """See `EditStep`."""
        del edit
        return True

    def retiming(self, edit: Reverse, time: ClipTime, rate: Fraction | None) -> Retiming:
        """See `EditStep`."""
        del edit, rate
        return Retiming((Leg(Fraction(0), time.duration, Fraction(0), Fraction(1)),), backwards=True)

    def words(self, edit: Reverse, retiming: Retiming) -> str:
        """See `EditStep`."""
        del edit
        return f"reverse: {format_seconds(retiming.length, 3)} s, without sound"
