"""`timelapse`: shows the clip in a certain time. Only the frames that it shows are read and decoded."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values.time import Timelapse
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.step import EditStep
from cutback.cutting.plan.retiming import Leg, Retiming
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import format_seconds

_LONGEST = 3600
"""Seconds."""


class TimelapseStep(EditStep[Timelapse]):
    """Chooses frames at equal distances."""

    edit = Timelapse

    def drops_sound(self, edit: Timelapse) -> bool:
        """See `EditStep`."""
        del edit
        return True

    def retiming(self, edit: Timelapse, time: ClipTime, rate: Fraction | None) -> Retiming:
        """See `EditStep`."""
        del rate  # a speed is kept to half a frame: the last frame is as long as the others
        wanted = edit.duration if edit.speed is None else time.duration / edit.speed
        assert wanted is not None
        if wanted > _LONGEST:
            raise EditImpossibleError(
                f"timelapse: the clip would be {format_seconds(wanted, 3)} s long; at most {_LONGEST} are possible."
            )
        length = max(1, round(wanted * edit.fps)) / edit.fps
        speed = time.duration / length
        leg = Leg(Fraction(0), time.duration, Fraction(0), speed, 1 / edit.fps, "edited: timelapse")
        return Retiming((leg,))

    def words(self, edit: Timelapse, retiming: Retiming) -> str:
        """See `EditStep`."""
        del edit
        [leg] = retiming.legs
        return (
            f"timelapse: {format_seconds(leg.end, 3)} s in {format_seconds(leg.ends, 3)} s, "
            f"{leg.chosen} frames, without sound"
        )
