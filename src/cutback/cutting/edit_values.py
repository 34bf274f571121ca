"""The edits of a job: plain values, one class for each kind. Their fields are those of the request's models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from cutback.domain.measures import AtMoment, Finished, Percent
from cutback.domain.times import FromEnd


@dataclass(frozen=True, slots=True)
class Mute:
    """Leave out the sound."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Make the sound louder or quieter."""

    db: Fraction
    """Decibels."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """Bring the sound to a loudness by a constant gain."""

    lufs: Fraction
    """The integrated loudness to reach."""
    true_peak: Fraction
    """The highest true peak, in dBTP."""


Edit: TypeAlias = Mute | Gain | Loudness

KINDS: Mapping[str, type[Edit]] = {"mute": Mute, "gain": Gain, "loudness": Loudness}
"""The classes by the names that requests use."""

PARTS: tuple[type, ...] = (Percent, FromEnd, Finished, AtMoment)
"""The classes of which the fields of edits consist, besides texts, numbers and fractions."""
