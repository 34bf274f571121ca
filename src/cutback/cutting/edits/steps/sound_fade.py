"""`sound_fade`: the sound alone becomes louder at the beginning and quieter at the end."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.edit_values.sound import SoundFade
from cutback.cutting.edits.sound_stream import Sound, Volume, faded_ends, fading_volume
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import format_seconds


class SoundFadeStep(EditStep[SoundFade]):
    """Lowers the sound at the ends."""

    edit = SoundFade
    changes_sound = True
    needs_sound = True

    def painted(self, edit: SoundFade, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`. Pictures stay as they are."""
        if edit.fade_in + edit.fade_out > scene.duration:
            raise EditImpossibleError(
                f"sound_fade: {format_seconds(edit.fade_in + edit.fade_out, 3)} s are more than the clip has: "
                f"{format_seconds(scene.duration, 3)} s."
            )
        return ()

    def volume(self, edit: SoundFade, duration: Fraction) -> Volume:
        """See `EditStep`."""
        return fading_volume(edit.fade_in, edit.fade_out, duration)

    def sound(self, edit: SoundFade, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        del scene, said
        return faded_ends(sound, edit.fade_in, edit.fade_out)

    def described(self, edit: SoundFade) -> str:
        """See `EditStep`."""
        ends = [(edit.fade_in, "in"), (edit.fade_out, "out")]
        return "sound_fade: " + ", ".join(
            f"{words} in {format_seconds(length, 3)} s" for length, words in ends if length
        )
