"""MP4: what every browser and phone plays."""

from __future__ import annotations

from typing import Literal

from cutback.domain.requests.outputs.model import format_field
from cutback.domain.requests.outputs.video import VideoOutput, codec_field


class Mp4Output(VideoOutput):
    """An MP4. Pictures and sound are copied where possible."""

    extension = ".mp4"

    # Written with the older name, because workers of earlier versions take messages from the same queue.
    format: Literal["mp4"] = format_field("mp4", "An MP4.", written="container")
    codec: Literal["h264", "hevc", "av1", "vp9"] | None = codec_field("The codec of its pictures: that of the source.")
