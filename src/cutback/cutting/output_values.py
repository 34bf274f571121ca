"""The outputs of a job: plain values, one class for each format. Their fields are those of the request's models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cutback.domain.measures import Point


@dataclass(frozen=True, slots=True)
class VideoValue:
    """Pictures and sound."""

    codec: str | None = None
    """FFmpeg's name of the codec of its pictures; None for the recording's."""
    quality: Literal["small", "good", "best"] | None = None
    crf: int | None = None
    bitrate: int | None = None
    """Bits a second of its pictures."""
    max_size: int | None = None
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Mp4(VideoValue):
    """An MP4."""

    fragmented: bool = False
    """Whether it is in fragments, each with its own table."""


@dataclass(frozen=True, slots=True)
class Mov(VideoValue):
    """A QuickTime file."""


@dataclass(frozen=True, slots=True)
class WebM(VideoValue):
    """A WebM."""


@dataclass(frozen=True, slots=True)
class M4a:
    """AAC alone."""


@dataclass(frozen=True, slots=True)
class SoundValue:
    """Sound alone that is always encoded."""


class Mp3(SoundValue):
    """MP3."""


class Wav(SoundValue):
    """Uncompressed sound."""


class Opus(SoundValue):
    """Opus in Ogg."""


class Flac(SoundValue):
    """Sound compressed without loss."""


@dataclass(frozen=True, slots=True)
class StillValue:
    """The frame that is shown at a moment."""

    at: Point
    width: int | None
    """Pixels, at most; None: as wide as it is."""


class JpegStill(StillValue):
    """A still as JPEG."""


class PngStill(StillValue):
    """A still as PNG."""


@dataclass(frozen=True, slots=True)
class Gif:
    """A GIF."""

    width: int
    """Pixels, at most."""
    fps: int
    """Frames per second, at most."""
    loop: int
    """How often it is shown; 0: for ever."""
    max_size: int | None
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Webp:
    """An animated WebP or a still."""

    width: int | None
    fps: int
    loop: int
    max_size: int | None
    at: Point | None
    """The moment of a still; None: an animation."""


@dataclass(frozen=True, slots=True)
class Hls:
    """HLS."""

    qualities: tuple[int, ...]
    """Pixels of the heights, at most; empty: one, as high as the pictures are."""


OutputValue: TypeAlias = VideoValue | M4a | SoundValue | StillValue | Gif | Webp | Hls

FORMATS: Mapping[str, type[OutputValue]] = {
    "mp4": Mp4,
    "mov": Mov,
    "webm": WebM,
    "m4a": M4a,
    "mp3": Mp3,
    "wav": Wav,
    "opus": Opus,
    "flac": Flac,
    "jpeg": JpegStill,
    "png": PngStill,
    "gif": Gif,
    "webp": Webp,
    "hls": Hls,
}
"""The classes by the names that requests use."""
