"""HLS: for players that choose a quality while they play."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.requests.outputs.model import OutputModel, format_field

Height = Annotated[int, Field(strict=True, ge=64, le=8192)]


class HlsOutput(OutputModel):
    """HLS with segments in fragmented MP4. Segments are copied where possible."""

    extension = ".m3u8"

    format: Literal["hls"] = format_field("hls", "HLS.")
    precision: Literal["exact", "keyframe"] = Field(
        "exact", description="`exact`: exactly the requested frames. `keyframe`: extended to keyframes."
    )
    qualities: Annotated[tuple[Height, ...], Field(max_length=8)] = Field(
        (), description="The heights of its qualities, in pixels. Pictures are never enlarged."
    )

    @model_validator(mode="after")
    def _check_precision(self) -> Self:
        if self.qualities and self.precision != "exact":
            raise ValueError("qualities: need the precision exact, because only what is encoded has another height")
        return self
