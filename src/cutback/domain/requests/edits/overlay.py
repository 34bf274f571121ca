"""The edits of the stage `overlay`: texts, clocks and pictures on the pictures."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from cutback.domain.cameras.local_time import zone_of
from cutback.domain.measures import Percent, Place
from cutback.domain.requests.edit_fields import Between, LengthField, MeasureField, PointField
from cutback.domain.requests.edit_model import EditModel
from cutback.domain.requests.rules import rules_of
from cutback.domain.requests.sources import Key, Text
from cutback.domain.text_fields import check_clock, check_fields


def _check_length(text: str, info: ValidationInfo) -> str:
    if len(text) > (most := rules_of(info).text):
        raise ValueError(f"must have at most {most} characters")
    return text


def _check_zone(name: str) -> str:
    zone_of(name)
    return name


class OverlayModel(EditModel):
    """What all overlays have in common: where and when they are shown."""

    stage = "overlay"
    repeats = True
    place: Place = Field("bottom", description="Where in the picture.")
    margin: MeasureField = Field(Percent(Fraction(3)), description="From the edges; percent of the shorter side.")
    start: PointField | None = Field(None, alias="from", description="Where it appears; the beginning if left out.")
    duration: LengthField | None = Field(None, description="For how long; to the end if left out.")
    fade_in: LengthField = Field(Fraction(0), description="Seconds in which it appears.")
    fade_out: LengthField = Field(Fraction(0), description="Seconds in which it disappears, at its end.")

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.duration is None:
            return self
        if not self.duration:
            raise ValueError("duration must not be zero")
        if self.fade_in + self.fade_out > self.duration:
            raise ValueError("fade_in and fade_out must not be longer than duration together")
        return self


class _Lettering(OverlayModel):
    """What overlays of letters have in common: how they look."""

    font: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        None, description="The family of a font in the folder of `CUTBACK_FONTS`; DejaVu Sans if left out."
    )
    size: MeasureField = Field(Percent(Fraction(5)), description="Height of a line; percent of the shorter side.")
    weight: Literal["regular", "bold"] = Field("regular", description="The weight of the letters.")
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = Field("#ffffff", description="Such as `#ffcc00`.")
    box: Annotated[bool, Field(strict=True)] = Field(True, description="Whether a dark box is behind the letters.")
    shadow: Annotated[bool, Field(strict=True)] = Field(False, description="Whether the letters cast a shadow.")
    zone: Annotated[str, Field(max_length=64), AfterValidator(_check_zone)] = Field(
        "UTC", description="The time zone, such as `Australia/Sydney`."
    )
    drawn_as: Literal["pictures", "subtitles"] = Field(
        "pictures",
        alias="as",
        description="`subtitles`: a track that players show and hide, without re-encoding pictures.",
    )


class TextEdit(_Lettering):
    """Draw a text on the pictures. Only the pictures that show it are re-encoded, up to the next keyframe."""

    edit: Literal["text"]
    text: Annotated[Text, Field(min_length=1), AfterValidator(_check_length), AfterValidator(check_fields)] = Field(
        description="One line. `{camera}`, `{date}`, `{title}`, `{labels.NAME}` and others are filled in."
    )


class ClockEdit(_Lettering):
    """Draw the clock of the camera on the pictures: the time at which each of them was recorded."""

    edit: Literal["clock"]
    show: Literal["datetime", "date", "time"] = Field("datetime", description="What of it is shown.")
    format: Annotated[Text, Field(min_length=1), AfterValidator(_check_length), AfterValidator(check_clock)] | None = (
        Field(None, description="Instead of `show`: a text with fields, such as `{hour}:{minute}`.")
    )
    camera: Annotated[bool, Field(strict=True)] = Field(True, description="Whether the camera's name is in front.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.format is not None and self.show != "datetime":
            raise ValueError("show and format contradict each other; leave one of them out")
        return self


class ImageEdit(OverlayModel):
    """Draw a picture from the assets, such as a logo. Only the pictures that show it are re-encoded."""

    edit: Literal["image"]
    asset: Key = Field(description="Its name in the assets store: a PNG, JPEG or WebP.")
    place: Place = Field("bottom-right", description="Where in the picture.")
    width: MeasureField | None = Field(None, description="Its width; percent of the picture's. Its own by default.")
    height: MeasureField | None = Field(None, description="Its height; percent of the picture's.")
    opacity: Annotated[Fraction, Between("0", "1")] = Field(Fraction(1), description="0 is invisible, 1 opaque.")

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it needs."""
        return (self.asset,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.opacity:
            raise ValueError("opacity must not be zero")
        for name in ("width", "height"):
            value = getattr(self, name)
            if value == 0 or (isinstance(value, Percent) and not value.percent):
                raise ValueError(f"{name} must not be zero")
        return self
