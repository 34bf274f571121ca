"""How each format is written: what Cutback can make, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutback.cutting.output_values import (
    Flac,
    Gif,
    Hls,
    JpegStill,
    M4a,
    Mov,
    Mp3,
    Mp4,
    Opus,
    OutputValue,
    PngStill,
    Wav,
    WebM,
    Webp,
)
from cutback.cutting.outputs.format import Format
from cutback.cutting.outputs.hls import HlsFormat
from cutback.cutting.outputs.moving import AnimationFormat
from cutback.cutting.outputs.mp4 import MovFormat, Mp4Format
from cutback.cutting.outputs.sound import M4aFormat, SoundFormat
from cutback.cutting.outputs.still import StillFormat
from cutback.cutting.outputs.webm import WebMFormat

_FORMATS: Mapping[type[OutputValue], Format[Any]] = {
    Mp4: Mp4Format(),
    Mov: MovFormat(),
    WebM: WebMFormat(),
    # sound alone
    M4a: M4aFormat(),
    Mp3: SoundFormat("mp3"),
    Wav: SoundFormat("wav"),
    Opus: SoundFormat("opus"),
    Flac: SoundFormat("flac"),
    # stills
    JpegStill: StillFormat("jpeg"),
    PngStill: StillFormat("png"),
    # moving pictures
    Gif: AnimationFormat("gif"),
    Webp: AnimationFormat("webp"),
    # streaming
    Hls: HlsFormat(),
}


def format_of(value: OutputValue) -> Format[Any]:
    """Return how an output is written."""
    return _FORMATS[type(value)]
