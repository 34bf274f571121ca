"""WebM: VP9 or AV1, and Opus."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cutback.domain.requests.outputs.model import format_field
from cutback.domain.requests.outputs.video import VideoOutput


class WebMOutput(VideoOutput):
    """A WebM. VP9 and AV1 are copied where possible; sound becomes Opus."""

    extension = ".webm"

    format: Literal["webm"] = format_field("webm", "A WebM.")
    codec: Literal["vp9", "av1"] = Field("vp9", description="The codec of its pictures.")
    precision: Literal["exact"] = Field("exact", description="Exactly the requested frames.")
