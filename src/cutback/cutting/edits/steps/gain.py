"""`gain`: louder or quieter by a number of decibels."""

from __future__ import annotations

from collections.abc import Sequence

from cutback.cutting.edit_values.sound import Gain
from cutback.cutting.edits.graph import Filter
from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.cutting.plan.pieces import Located


class GainStep(EditStep[Gain]):
    """Multiplies the sound by a constant."""

    edit = Gain
    changes_sound = True
    needs_sound = True
    unneeded = "gain: nothing to do, because 0 dB change nothing"

    def concerns(self, edit: Gain, pieces: Sequence[Located]) -> bool:
        """See `EditStep`."""
        del pieces
        return edit.db != 0

    def sound(self, edit: Gain, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        del scene
        said.append(f"gain: {float(edit.db):+g} dB")
        return amplified(sound, float(edit.db))


def amplified(sound: Sound, decibels: float) -> Sound:
    """The same sound, louder by a number of decibels."""
    return sound.filtered(Filter("volume", {"volume": 10 ** (decibels / 20), "precision": 1}))  # 1: float
