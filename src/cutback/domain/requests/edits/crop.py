"""The edit of the stage `crop`."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.measures import Percent, Place
from cutback.domain.requests.edit_fields import AspectField, MeasureField, PointField
from cutback.domain.requests.edit_model import EditModel, EditPartModel

MAX_PATH = 1000
"""Maximum points of a moving crop."""


class CropPointField(EditPartModel):
    """Where a moving part is at a point of the clip."""

    part = "CropPoint"

    at: PointField = Field(description="When it is there.")
    x: MeasureField | None = Field(None, description="The left edge; in the middle if left out.")
    y: MeasureField | None = Field(None, description="The top edge; in the middle if left out.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.x is None and self.y is None:
            raise ValueError("needs x, y or both")
        return self


class CropEdit(EditModel):
    """Show a part of the pictures, which are measured upright and with square pixels. Re-encodes all of them."""

    stage = "crop"
    edit: Literal["crop"]
    aspect: AspectField | None = Field(None, description="The largest part with this shape, such as `9:16`.")
    gravity: Place | None = Field(None, description="Where the part is, without `x` and `y`; `center` by default.")
    x: MeasureField | None = Field(None, description="The left edge.")
    y: MeasureField | None = Field(None, description="The top edge.")
    width: MeasureField | None = Field(None, description="The width.")
    height: MeasureField | None = Field(None, description="The height.")
    path: Annotated[tuple[CropPointField, ...], Field(max_length=MAX_PATH)] = Field(
        (), description="Where the part is at points of the clip, in order; it moves smoothly from one to the next."
    )

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        for name in ("x", "y", "gravity"):
            if self.path and getattr(self, name) is not None:
                raise ValueError(f"path and {name} contradict each other; leave one of them out")
        for name in ("x", "y"):
            if len({getattr(point, name) is None for point in self.path}) > 1:
                raise ValueError(f"path has {name} at some points only; write it at all of them or at none")
        known = [point.at for point in self.path if isinstance(point.at, Fraction)]
        if any(after <= before for before, after in pairwise(known)):
            raise ValueError("the points of path must be in order of time")
        return self

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("x", "y", "width", "height") if getattr(self, name) is not None]
        if self.aspect is not None and given:
            raise ValueError(f"aspect and {given[0]} contradict each other; leave one of them out")
        if self.aspect is None and not {"width", "height"} & set(given):
            raise ValueError("needs aspect, or width, height or both")
        if {"x", "y"} & set(given) and self.gravity is not None:
            raise ValueError(f"gravity and {given[0]} contradict each other; leave one of them out")
        for name in ("width", "height"):
            value = getattr(self, name)
            if value == 0 or (isinstance(value, Percent) and not value.percent):
                raise ValueError(f"{name} must not be zero")
        return self
