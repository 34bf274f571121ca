"""The values of the edits of the stage `sound`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cutback.cutting.edit_value import Edit


@dataclass(frozen=True, slots=True)
class AudioTrack(Edit):
    """One of the audio tracks alone. Either field is None."""

    kind = "audio_track"

    number: int | None
    """From 1."""
    language: str | None
    """As ISO 639-2 writes it."""


@dataclass(frozen=True, slots=True)
class Music(Edit):
    """A track from the assets, with the sound of the clip or instead of it."""

    kind = "music"

    asset: str
    mode: Literal["mix", "replace"]
    db: Fraction
    """Decibels by which it is louder."""
    start: Fraction
    """Seconds in the track at which it begins."""
    loop: bool
    fade_in: Fraction
    """Seconds in finished time; 0 for none."""
    fade_out: Fraction
    duck: Fraction
    """Decibels by which it is quieter while the clip's sound is heard; 0 for none."""
    duck_above: Fraction
    """The level of sound that counts as heard, in dBFS."""


@dataclass(frozen=True, slots=True)
class Channels(Edit):
    """Mono or stereo."""

    kind = "channels"

    to: Literal["mono", "stereo"]
    take: Literal["left", "right"] | None
    """The only channel that is heard; None: all."""


@dataclass(frozen=True, slots=True)
class SoundFade(Edit):
    """Fade the sound alone in and out."""

    kind = "sound_fade"

    fade_in: Fraction
    """Seconds in finished time; 0 for none."""
    fade_out: Fraction


@dataclass(frozen=True, slots=True)
class Mute(Edit):
    """Leave out the sound."""

    kind = "mute"


@dataclass(frozen=True, slots=True)
class Gain(Edit):
    """Make the sound louder or quieter."""

    kind = "gain"

    db: Fraction
    """Decibels."""


@dataclass(frozen=True, slots=True)
class Loudness(Edit):
    """Bring the sound to a loudness by a constant gain."""

    kind = "loudness"

    lufs: Fraction
    """The integrated loudness to reach."""
    true_peak: Fraction
    """The highest true peak, in dBTP."""
