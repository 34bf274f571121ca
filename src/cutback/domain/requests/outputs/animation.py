"""Pictures that move by themselves: GIF and WebP."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.requests.edit_fields import PointField
from cutback.domain.requests.outputs.model import OutputModel, format_field
from cutback.domain.requests.outputs.sizes import SizeField

Width = Annotated[int, Field(strict=True, ge=16, le=1920)]
Rate = Annotated[int, Field(strict=True, ge=1, le=50)]
Loops = Annotated[int, Field(strict=True, ge=0, le=10_000)]


class AnimationOutput(OutputModel):
    """Moving pictures without sound."""

    precision: Literal["exact"] = Field("exact", description="`exact`: exactly the requested frames.")
    fps: Rate = Field(12, description="Frames per second, at most.")
    loop: Loops = Field(0, description="How often it is shown; 0: for ever.")
    max_size: SizeField | None = Field(None, description="Bytes that the file has at most.")


class GifOutput(AnimationOutput):
    """A GIF, with a palette of its own."""

    extension = ".gif"

    format: Literal["gif"] = format_field("gif", "A GIF.")
    width: Width = Field(480, description="Pixels of its width, at most. The pictures are never enlarged.")


class WebpOutput(AnimationOutput):
    """An animated WebP or, with `at`, a still."""

    extension = ".webp"

    format: Literal["webp"] = format_field("webp", "A WebP: animated or, with `at`, a still.")
    width: Annotated[int, Field(strict=True, ge=16, le=16_383)] | None = Field(
        None, description="Pixels of its width, at most. The pictures are never enlarged."
    )
    at: PointField | None = Field(None, description="A still of this moment of the clip, instead of an animation.")

    @model_validator(mode="after")
    def _check_still(self) -> Self:
        # Records hold the defaults too: whether a field is set does not tell whether the request asks for something.
        fields = type(self).model_fields
        moving = [name for name in ("fps", "loop", "max_size") if getattr(self, name) != fields[name].default]
        if self.at is not None and moving:
            raise ValueError(f"{moving[0]}: is for an animation; a still (at) has none")
        if self.at is None and self.width is not None and self.width > 1920:
            raise ValueError("width: must be at most 1920 for an animation")
        return self
