"""The edits of the stage `colour`: colours, noise, blurred parts."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.measures import Percent
from cutback.domain.requests.edit_fields import Between, LengthField, MeasureField, PointField
from cutback.domain.requests.edit_model import EditModel

_Amount = Annotated[Fraction, Between("-100", "100")]


class ColourEdit(EditModel):
    """Change brightness, contrast, saturation and temperature. Re-encodes all pictures."""

    stage = "colour"
    edit: Literal["colour"]
    brightness: _Amount = Field(Fraction(0), description="Percent of the way from black to white that is added.")
    contrast: _Amount = Field(Fraction(0), description="Percent more or less; -100 is grey.")
    saturation: _Amount = Field(Fraction(0), description="Percent more or less; -100 is black and white.")
    temperature: _Amount = Field(Fraction(0), description="Positive is warmer, negative is colder.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.brightness or self.contrast or self.saturation or self.temperature):
            raise ValueError("needs brightness, contrast, saturation or temperature")
        return self


class DenoiseEdit(EditModel):
    """Reduce noise by comparing each picture with its neighbours. Re-encodes all pictures."""

    stage = "colour"
    edit: Literal["denoise"]
    strength: Literal["light", "medium", "strong"] = Field("medium", description="How much noise is reduced.")


class BlurEdit(EditModel):
    """Make a part of the pictures unrecognizable, such as a face. Only the pictures that show it are re-encoded."""

    stage = "colour"
    repeats = True
    edit: Literal["blur"]
    x: MeasureField = Field(description="The left edge.")
    y: MeasureField = Field(description="The top edge.")
    width: MeasureField = Field(description="The width.")
    height: MeasureField = Field(description="The height.")
    mode: Literal["blur", "pixelate"] = Field("blur", description="Whether it is blurred or shown as large squares.")
    strength: MeasureField = Field(
        Percent(Fraction(20)), description="How far it is blurred, or the squares' size; percent of its shorter side."
    )
    start: PointField | None = Field(None, alias="from", description="Where it begins; the beginning if left out.")
    duration: LengthField | None = Field(None, description="For how long; to the end if left out.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("width", "height", "strength"):
            value = getattr(self, name)
            if value == 0 or (isinstance(value, Percent) and not value.percent):
                raise ValueError(f"{name} must not be zero")
        if self.duration is not None and not self.duration:
            raise ValueError("duration must not be zero")
        return self
