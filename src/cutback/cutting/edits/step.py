"""What a kind of edit knows: which pictures it changes, and how it changes pictures and sound."""

from __future__ import annotations

from typing import Generic, TypeVar

from cutback.cutting.edits.sound_stream import Sound

E = TypeVar("E")


class EditStep(Generic[E]):
    """A kind of edit. These defaults change nothing."""

    changes_sound = False
    """Whether the sound must be decoded."""
    mutes = False
    """Whether the clip has no sound."""

    def sound(self, edit: E, sound: Sound, said: list[str]) -> Sound:
        """Return the changed sound; say in `said` what was done."""
        del edit, said
        return sound
