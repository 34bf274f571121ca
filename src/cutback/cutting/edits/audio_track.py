"""`audio_track`: the clip has one of the audio tracks of its recordings."""

from __future__ import annotations

from collections.abc import Sequence

from cutback.cutting.edit_values import AudioTrack
from cutback.cutting.edits.step import EditStep
from cutback.domain.errors import EditImpossibleError


class AudioTrackStep(EditStep[AudioTrack]):
    """Chooses a track by its number or its language. It stays copied."""

    def needs_pictures(self, edit: AudioTrack) -> bool:
        """See `EditStep`."""
        del edit
        return False

    def chosen_track(self, edit: AudioTrack, languages: Sequence[str]) -> int:
        """See `EditStep`."""
        has = f"the recording has {len(languages)}: {', '.join(languages)}" if languages else "the recording has none"
        if edit.number is not None:
            if edit.number > len(languages):
                raise EditImpossibleError(f"audio_track: there is no track {edit.number}; {has}.")
            return edit.number - 1
        if edit.language not in languages:
            raise EditImpossibleError(f"audio_track: there is no track in {edit.language!r}; {has}.")
        return languages.index(edit.language)

    def described(self, edit: AudioTrack) -> str:
        """See `EditStep`."""
        return f"audio_track: {edit.number if edit.number is not None else edit.language}"
