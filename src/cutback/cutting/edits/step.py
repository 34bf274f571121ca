"""What a kind of edit knows: which pictures it changes, and how it changes pictures and sound."""

from __future__ import annotations

from typing import Generic, TypeVar

from cutback.cutting.edits.shape_chain import ShapeChain
from cutback.cutting.edits.sound_stream import Sound

E = TypeVar("E")


class EditStep(Generic[E]):
    """A kind of edit. These defaults change nothing."""

    changes_shape = False
    """Whether it rotates, crops or scales."""
    changes_sound = False
    """Whether the sound must be decoded."""
    mutes = False
    """Whether the clip has no sound."""

    def turns_players(self, edit: E) -> int:
        """Return the degrees by which players can turn the pictures instead, if nothing else changes their shape."""
        del edit
        return 0

    def shape(self, edit: E, canvas: ShapeChain, said: list[str]) -> ShapeChain:
        """Return the picture after this edit; say in `said` what was done.

        Raises:
            EditImpossibleError: it does not fit the picture.
        """
        del edit, said
        return canvas

    def sound(self, edit: E, sound: Sound, said: list[str]) -> Sound:
        """Return the changed sound; say in `said` what was done."""
        del edit, said
        return sound
