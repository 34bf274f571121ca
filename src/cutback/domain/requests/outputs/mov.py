"""MOV: what video editors take."""

from __future__ import annotations

from typing import Literal

from cutback.domain.requests.outputs.model import format_field
from cutback.domain.requests.outputs.video import VideoOutput, codec_field


class MovOutput(VideoOutput):
    """A QuickTime file. Pictures and sound are copied where possible."""

    extension = ".mov"

    format: Literal["mov"] = format_field("mov", "A QuickTime file.")
    codec: Literal["h264", "hevc"] | None = codec_field("The codec of its pictures: that of the source.")
