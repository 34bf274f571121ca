"""The edit of the stage `fade`."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from cutback.domain.requests.edit_fields import LengthField, PointField
from cutback.domain.requests.edit_model import EditModel


class FadeEdit(EditModel):
    """Fade pictures and sound in and out. Only what fades is re-encoded, up to the next keyframe."""

    stage = "fade"
    edit: Literal["fade"]
    fade_in: LengthField = Field(Fraction(0), alias="in", description="Seconds at the beginning of the clip.")
    fade_out: LengthField = Field(Fraction(0), alias="out", description="Seconds at its end.")
    color: Literal["black", "white"] = Field("black", description="What the pictures come from and turn into.")
    poster: PointField | None = Field(
        None, description="Instead of the colour, what the beginning comes from: the picture there, the clip's poster."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.fade_in and not self.fade_out:
            raise ValueError("needs in, out or both")
        if self.poster is not None and not self.fade_in:
            raise ValueError("poster needs in")
        return self
