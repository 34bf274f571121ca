"""MP4: what every browser and phone plays."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from cutback.domain.requests.outputs.model import format_field
from cutback.domain.requests.outputs.video import VideoOutput, codec_field


class Mp4Output(VideoOutput):
    """An MP4. Pictures and sound are copied where possible."""

    extension = ".mp4"

    # Written with the older name, because workers of earlier versions take messages from the same queue.
    format: Literal["mp4"] = format_field("mp4", "An MP4.", written="container")
    codec: Literal["h264", "hevc", "av1", "vp9"] | None = codec_field("The codec of its pictures: that of the source.")
    fragmented: bool = Field(
        False,
        strict=True,
        exclude_if=lambda fragmented: not fragmented,
        description="Whether it is in fragments of about two seconds, each with its own table.",
    )

    @model_validator(mode="after")
    def _check_fragmented(self) -> Self:
        if self.fragmented and self.precision == "instant":
            raise ValueError("fragmented: needs the precision exact or keyframe, because all of its frames are shown")
        return self
