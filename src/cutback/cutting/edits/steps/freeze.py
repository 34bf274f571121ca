"""`freeze`: holds a picture for a while. It only gets a longer duration, so nothing is re-encoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av

from cutback.cutting.edit_values.time import Freeze
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.sound_stream import Sound, SoundReader, silence
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.cutting.plan.retiming import Leg, Retiming
from cutback.domain.times import FRAME_TOLERANCE, format_seconds


class FreezeStep(EditStep[Freeze]):
    """Shows everything behind the picture later."""

    edit = Freeze
    changes_sound = True
    changes_length = True

    def needs_pictures(self, edit: Freeze) -> bool:
        """See `EditStep`."""
        del edit
        return True

    def retiming(self, edit: Freeze, time: ClipTime, rate: Fraction | None) -> Retiming:
        """See `EditStep`."""
        del rate
        # A frame that begins at the point is held, too.
        held = min(time.cut(edit.at, "freeze") + 2 * FRAME_TOLERANCE, time.duration)
        one = Fraction(1)
        return Retiming(
            (
                Leg(Fraction(0), held, Fraction(0), one),
                Leg(held, time.duration, held + edit.duration, one),
            )
        )

    def sound(self, edit: Freeze, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        del said
        assert scene.retiming is not None
        before, behind = scene.retiming.legs
        first, then = round(before.end * sound.rate), round(behind.begins * sound.rate)

        def changed() -> Iterator[av.AudioFrame]:
            reader = SoundReader(sound.blocks())
            yield from reader.read(first)
            yield from silence(then - first, sound.rate, sound.layout)
            yield from reader.read(sound.samples - first)

        return replace(sound, duration=sound.duration + edit.duration, blocks=changed)

    def words(self, edit: Freeze, retiming: Retiming) -> str:
        """See `EditStep`."""
        at = max(retiming.legs[0].end - 2 * FRAME_TOLERANCE, Fraction(0))
        return (
            f"freeze: the picture at {format_seconds(at, 3)} s is shown {format_seconds(edit.duration, 3)} s longer, "
            "as one frame; the sound is silent meanwhile"
        )
