"""The edits of the stage `time`, of which a request has one."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.measures import Finished
from cutback.domain.requests.edit_fields import Between, LengthField, PointField
from cutback.domain.requests.edit_model import EditModel, EditPartModel

_TIMING = frozenset({"speed", "timelapse", "reverse", "freeze", "loop"})


class SpeedSpanField(EditPartModel):
    """A part of the clip with a speed of its own."""

    part = "SpeedSpan"

    start: PointField = Field(alias="from", description="Where it begins.")
    end: PointField = Field(alias="to", description="Where it ends.")
    speed: Annotated[Fraction, Between("0.0625", "100")] = Field(description="2 is twice as fast, 0.5 half as fast.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.start, Finished) or isinstance(self.end, Finished):
            raise ValueError("its points must be in the time before the change of speed, not finished")  # noqa: TRY004
        if isinstance(self.start, Fraction) and isinstance(self.end, Fraction) and self.end <= self.start:
            raise ValueError("to must be after from")
        return self


class SpeedEdit(EditModel):
    """Show the clip, or parts of it, faster or slower. Up to 60 frames a second, nothing is re-encoded for it."""

    stage = "time"
    contradicts = _TIMING
    edit: Literal["speed"]
    speed: Annotated[Fraction, Between("0.0625", "100")] | None = Field(None, description="Of the whole clip.")
    spans: Annotated[tuple[SpeedSpanField, ...], Field(max_length=100)] = Field(
        (), description="Parts with a speed of their own, in order; the rest keeps its speed."
    )
    sound: Literal["pitch", "resample", "drop"] | None = Field(
        None,
        description="`pitch` keeps the pitch, `resample` changes it like a tape, `drop` is silent. By default, `drop` "
        "below a speed of 0.5 and above 4, and `pitch` between.",
    )

    between: Literal["repeat", "blend", "interpolate"] = Field(
        "repeat",
        description="What slow motion shows between the frames: `repeat` holds each of them, without re-encoding; "
        "`blend` mixes neighbours; `interpolate` computes motion, which takes long.",
    )
    ramp: LengthField = Field(
        Fraction(0), description="Seconds, before the change of speed, over which one speed turns into the next."
    )

    @model_validator(mode="after")
    def _check_ramp(self) -> Self:
        if self.ramp and not self.spans:
            raise ValueError("ramp needs spans")
        if self.ramp > 60:
            raise ValueError("ramp must be at most 60 seconds")
        return self

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.speed is None) == (not self.spans):
            raise ValueError("needs either speed or spans")
        return self


class TimelapseEdit(EditModel):
    """Show the clip in a certain time, without sound. Exactly duration times fps frames; only they are decoded."""

    stage = "time"
    contradicts = _TIMING | {"deinterlace", "denoise"}
    edit: Literal["timelapse"]
    duration: LengthField | None = Field(None, description="Seconds of the finished clip, up to an hour.")
    speed: Annotated[Fraction, Between("1", "1000000")] | None = Field(
        None, description="Instead of `duration`: 600 shows ten minutes in a second."
    )
    fps: Annotated[Fraction, Between("1", "60")] = Field(Fraction(30), description="Frames a second.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.duration is None) == (self.speed is None):
            raise ValueError("needs either duration or speed")
        if self.duration is not None and not Fraction(1, 10) <= self.duration <= 3600:
            raise ValueError("duration must be from 0.1 to 3600 seconds")
        return self


class ReverseEdit(EditModel):
    """Show the clip backwards, without sound. Re-encodes all pictures."""

    stage = "time"
    contradicts = _TIMING
    edit: Literal["reverse"]


class FreezeEdit(EditModel):
    """Hold a picture for a while; the sound is silent meanwhile. Re-encodes no pictures."""

    stage = "time"
    contradicts = _TIMING
    edit: Literal["freeze"]
    at: PointField = Field(description="Which picture: the one that is shown at this point.")
    duration: LengthField = Field(description="For how many seconds longer it is shown, up to an hour.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not Fraction(1, 100) <= self.duration <= 3600:
            raise ValueError("duration must be from 0.01 to 3600 seconds")
        if isinstance(self.at, Finished):
            raise ValueError("its point must be in the time before the change of speed, not finished")  # noqa: TRY004
        return self


class LoopEdit(EditModel):
    """Show the clip, or a part of it, several times. Pictures are copied as often as they are shown."""

    stage = "time"
    contradicts = _TIMING
    edit: Literal["loop"]
    times: Annotated[int, Field(strict=True, ge=2, le=100)] = Field(description="How often it is shown.")
    start: PointField | None = Field(None, alias="from", description="Where the part begins; the beginning by default.")
    end: PointField | None = Field(None, alias="to", description="Where the part ends; the end by default.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.start, Finished) or isinstance(self.end, Finished):
            raise ValueError("its points must be in the time before the change of speed, not finished")  # noqa: TRY004
        if isinstance(self.start, Fraction) and isinstance(self.end, Fraction) and self.end <= self.start:
            raise ValueError("to must be after from")
        return self
