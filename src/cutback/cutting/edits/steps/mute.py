"""`mute`: the clip has no sound."""

from __future__ import annotations

from cutback.cutting.edit_values.sound import Mute
from cutback.cutting.edits.step import EditStep


class MuteStep(EditStep[Mute]):
    """Leaves the sound out."""

    edit = Mute
    without_sound = "mute: without sound"

    def needs_pictures(self, edit: Mute) -> bool:
        """See `EditStep`."""
        del edit
        return False

    def drops_sound(self, edit: Mute) -> bool:
        """See `EditStep`."""
        del edit
        return True
