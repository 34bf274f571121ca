"""A still of a moment, and pictures that move by themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cutback.domain.requests.edit_fields import PointField
from cutback.domain.requests.outputs.model import OutputModel, format_field

Width = Annotated[int, Field(strict=True, ge=16, le=16_384)]


class StillOutput(OutputModel):
    """A still."""

    precision: Literal["exact"] = Field("exact", description="`exact`: exactly the requested frame.")
    at: PointField = Field(
        0, validate_default=True, description="Which moment of the clip: the frame that is shown then."
    )
    width: Width | None = Field(None, description="Pixels of its width, at most. The picture is never enlarged.")


class JpegOutput(StillOutput):
    """A still as JPEG."""

    extension = ".jpg"

    format: Literal["jpeg"] = format_field("jpeg", "A still as JPEG.")


class PngOutput(StillOutput):
    """A still as PNG, without loss."""

    extension = ".png"

    format: Literal["png"] = format_field("png", "A still as PNG.")
