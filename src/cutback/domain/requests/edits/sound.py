"""The edits of the stage `sound`."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.requests.edit_fields import Between, LengthField
from cutback.domain.requests.edit_model import EditModel
from cutback.domain.requests.sources import Key

_SILENT = frozenset({"mute", "timelapse", "reverse"})
"""Kinds that leave no sound."""

_WITH_MUSIC = {"timelapse": "music", "reverse": "music"}
"""Kinds that leave no sound but that of music."""


class AudioTrackEdit(EditModel):
    """Keep one of the audio tracks. It is copied, and so are the pictures."""

    stage = "sound"
    contradicts = _SILENT
    edit: Literal["audio_track"]
    number: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = Field(None, description="Counted from 1.")
    language: Annotated[str, Field(pattern=r"^[a-z]{3}$")] | None = Field(
        None, description="Instead of `number`: its language, three letters such as `eng` (ISO 639-2)."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.number is None) == (self.language is None):
            raise ValueError("needs either number or language")
        return self


class MusicEdit(EditModel):
    """Add a track from the assets to the sound, or replace the sound by it. Pictures stay copied."""

    stage = "sound"
    contradicts = frozenset({"mute"})
    edit: Literal["music"]
    asset: Key = Field(description="The file's name in the assets store: MP3, M4A, WAV, FLAC, Ogg or a video.")
    mode: Literal["mix", "replace"] = Field("mix", description="Whether the clip's own sound is heard, too.")
    db: Annotated[Fraction, Between("-60", "30")] = Field(
        Fraction(0), description="Decibels by which the track is louder; negative is quieter."
    )
    start: LengthField = Field(Fraction(0), description="Where in the track it begins, in seconds.")
    loop: Annotated[bool, Field(strict=True)] = Field(
        True, description="Whether the track is repeated until the end of the clip."
    )
    fade_in: LengthField = Field(Fraction(0), description="Seconds at the beginning of the clip.")
    fade_out: LengthField = Field(Fraction(0), description="Seconds at its end.")
    duck: Annotated[Fraction, Between("0", "60")] = Field(
        Fraction(0), description="Decibels by which the track is quieter while the clip's own sound is heard."
    )
    duck_above: Annotated[Fraction, Between("-80", "0")] = Field(
        Fraction(-40), description="The level (RMS, dBFS) above which the clip's own sound counts as heard."
    )

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it needs."""
        return (self.asset,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.duck and self.mode == "replace":
            raise ValueError("duck and the mode replace contradict each other; leave one of them out")
        return self


class ChannelsEdit(EditModel):
    """Make the sound mono or stereo. Pictures stay copied."""

    stage = "sound"
    contradicts = _SILENT
    reconciled_by = _WITH_MUSIC
    edit: Literal["channels"]
    to: Literal["mono", "stereo"] = Field(description="The channels of the clip.")
    take: Literal["left", "right"] | None = Field(
        None, description="Only this channel of stereo sound is heard; all of them if left out."
    )


class SoundFadeEdit(EditModel):
    """Fade the sound alone in and out. Pictures stay copied."""

    stage = "sound"
    contradicts = _SILENT
    reconciled_by = _WITH_MUSIC
    edit: Literal["sound_fade"]
    fade_in: LengthField = Field(Fraction(0), alias="in", description="Seconds at the beginning of the clip.")
    fade_out: LengthField = Field(Fraction(0), alias="out", description="Seconds at its end.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.fade_in and not self.fade_out:
            raise ValueError("needs in, out or both")
        return self


class MuteEdit(EditModel):
    """Leave out the sound. Pictures stay copied."""

    stage = "sound"
    edit: Literal["mute"]


class GainEdit(EditModel):
    """Make the sound louder or quieter. Pictures stay copied."""

    stage = "sound"
    contradicts = _SILENT | {"loudness"}
    reconciled_by = _WITH_MUSIC
    edit: Literal["gain"]
    db: Annotated[Fraction, Between("-60", "30")] = Field(description="Decibels; negative is quieter.")


class LoudnessEdit(EditModel):
    """Bring the sound to a loudness (EBU R128), by one constant gain. Pictures stay copied."""

    stage = "sound"
    contradicts = _SILENT
    reconciled_by = _WITH_MUSIC
    edit: Literal["loudness"]
    lufs: Annotated[Fraction, Between("-50", "-5")] = Field(description="The integrated loudness to reach, in LUFS.")
    true_peak: Annotated[Fraction, Between("-20", "0")] = Field(
        Fraction(-1), description="The highest true peak, in dBTP. The gain stays below what would exceed it."
    )
