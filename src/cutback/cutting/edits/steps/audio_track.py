"""`audio_track`: the clip has one of the audio tracks of its recordings."""

from __future__ import annotations

from collections.abc import Sequence

from cutback.cutting.edit_values.sound import AudioTrack
from cutback.cutting.edits.step import EditStep
from cutback.cutting.index import TrackName
from cutback.domain.errors import EditImpossibleError


class AudioTrackStep(EditStep[AudioTrack]):
    """Chooses a track by its number or its language. It stays copied."""

    edit = AudioTrack

    def needs_pictures(self, edit: AudioTrack) -> bool:
        """See `EditStep`."""
        del edit
        return False

    def chosen_track(self, edit: AudioTrack, languages: Sequence[Sequence[str]]) -> TrackName:
        """See `EditStep`. A range without any sound is silent; one with other tracks only is refused."""
        name: TrackName = edit.number - 1 if edit.number is not None else str(edit.language)
        wanted = repr(name) if isinstance(name, str) else str(edit.number)
        among = "in" if isinstance(name, str) else ""
        for number, tracks in enumerate(languages, 1):
            if (tracks or not any(languages)) and not _has(tracks, name):
                where = f"part {number} of the source" if len(languages) > 1 else "the recording"
                has = f"{where} has {len(tracks)}: {', '.join(tracks)}" if tracks else f"{where} has none"
                raise EditImpossibleError(f"audio_track: there is no track {f'{among} {wanted}'.strip()}; {has}.")
        return name

    def described(self, edit: AudioTrack) -> str:
        """See `EditStep`."""
        return f"audio_track: {edit.number if edit.number is not None else edit.language}"


def _has(languages: Sequence[str], name: TrackName) -> bool:
    return name in languages if isinstance(name, str) else name < len(languages)
