"""The values of the edits of the stage `time`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cutback.cutting.edit_value import Edit, EditPart
from cutback.domain.measures import Point


@dataclass(frozen=True, slots=True)
class SpeedSpan(EditPart):
    """A part of the clip with a speed of its own."""

    start: Point
    end: Point
    speed: Fraction


@dataclass(frozen=True, slots=True)
class Speed(Edit):
    """Show the clip, or parts of it, faster or slower."""

    kind = "speed"

    speed: Fraction | None
    """Of the whole clip; None if it has spans."""
    spans: tuple[SpeedSpan, ...]
    sound: Literal["pitch", "resample", "drop"] | None
    between: Literal["repeat", "blend", "interpolate"] = "repeat"
    ramp: Fraction = Fraction(0)
    """Seconds in cut time over which one speed turns into the next."""


@dataclass(frozen=True, slots=True)
class Timelapse(Edit):
    """Show the clip in a certain time."""

    kind = "timelapse"

    duration: Fraction | None
    """Seconds; None if it has a speed."""
    fps: Fraction
    speed: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Reverse(Edit):
    """Show the clip backwards."""

    kind = "reverse"


@dataclass(frozen=True, slots=True)
class Freeze(Edit):
    """Hold a picture for a while."""

    kind = "freeze"

    at: Point
    duration: Fraction
    """Seconds in finished time by which it is shown longer."""


@dataclass(frozen=True, slots=True)
class Loop(Edit):
    """Show the clip, or a part of it, several times."""

    kind = "loop"

    times: int
    start: Point | None
    """None: the beginning."""
    end: Point | None
    """None: the end."""
