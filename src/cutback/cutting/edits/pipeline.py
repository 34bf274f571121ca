"""The edits in the order in which they are done: what Cutback can do to a clip, on one screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cutback.cutting.edit_values import KINDS, Crop, Edit, Gain, Loudness, Mute, Rotate, Scale
from cutback.cutting.edits.crop import CropStep
from cutback.cutting.edits.edited_pictures import EditedPictures
from cutback.cutting.edits.gain import GainStep
from cutback.cutting.edits.loudness import LoudnessStep
from cutback.cutting.edits.mute import MuteStep
from cutback.cutting.edits.rotate import RotateStep
from cutback.cutting.edits.scale import ScaleStep
from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.edits.step import EditStep
from cutback.cutting.plan.changed_parts import ChangedPart

STEPS: tuple[tuple[type[Edit], EditStep[Any]], ...] = (
    # rotate, crop, scale
    (Rotate, RotateStep()),
    (Crop, CropStep()),
    (Scale, ScaleStep()),
    # sound
    (Mute, MuteStep()),
    (Gain, GainStep()),
    (Loudness, LoudnessStep()),
)

_NAME_OF = {kind: name for name, kind in KINDS.items()}
_STEP_OF: Mapping[type[Edit], EditStep[Any]] = dict(STEPS)


class Pipeline:
    """The edits of one job, with their steps."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        """`edits` are in stage order, as requests are checked for it."""
        self._steps = [(edit, _STEP_OF[type(edit)]) for edit in edits]

    def pictures(self) -> EditedPictures:
        """Return what is done to the pictures."""
        return EditedPictures(self._steps)

    def changed(self) -> tuple[ChangedPart, ...]:
        """Return the parts of the clip whose pictures are re-encoded, and why."""
        if not self.pictures().shapes:
            return ()
        names = [
            name
            for name, kind in KINDS.items()
            for edit, step in self._steps
            if step.changes_shape and type(edit) is kind
        ]
        return (ChangedPart(None, None, f"edited: {', '.join(names)}"),)

    def silent(self, said: list[str]) -> bool:
        """Whether the clip has no sound; say in `said` what leaves it out."""
        muted = any(step.mutes for _, step in self._steps)
        if muted:
            said.append("mute: without sound")
        return muted

    @property
    def change_sound(self) -> bool:
        """Whether the sound must be decoded, changed and encoded."""
        return any(step.changes_sound for _, step in self._steps)

    def sound(self, sound: Sound, said: list[str]) -> Sound:
        """Return what the edits make of an audio track, to its end; say in `said` what was done."""
        for edit, step in self._steps:
            sound = step.sound(edit, sound, said)
        return sound
