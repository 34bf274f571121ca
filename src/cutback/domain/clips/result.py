"""The facts about a finished clip."""

from __future__ import annotations

from pydantic import Field

from cutback.domain.base import Model, Moment
from cutback.domain.requests.sources import GapRule
from cutback.domain.time_fields import SecondsField


class CutSpan(Model):
    """What was actually cut from a recording: when its first frame begins and its last one ends."""

    recording: str
    etag: str
    start: SecondsField
    end: SecondsField
    clamped: bool = False
    """Whether the requested range extended beyond the recording."""
    camera: str | None = None
    begins: Moment | None = None
    """What the wall clock showed at `start`, if the request named a camera."""
    asset: bool = Field(False, exclude_if=lambda asset: not asset)
    """Whether `recording` is the name of an asset."""


class Gap(Model):
    """A requested period of which the camera has no footage."""

    camera: str
    begins: Moment
    ends: Moment
    filled: GapRule
    """What the clip shows instead."""


class InsetRecording(Model):
    """A recording of which insets show pictures."""

    recording: str
    etag: str
    camera: str | None = None


class PosterFile(Model):
    """A still picture of the clip, as JPEG."""

    key: str
    """The key in the clip store."""
    width: int
    height: int
    size: int


class PictureFile(Model):
    """A file that comes with a clip besides its posters, such as `preview.webp`."""

    name: str
    key: str
    """The key in the clip store."""
    size: int
    """Bytes."""


class OutputResult(Model):
    """A finished output of a request that has several, or whose output is not a plain MP4."""

    name: str
    format: str
    key: str
    """The key of its file in the clip store: of the one that people open, if it has several."""
    files: tuple[str, ...] = Field((), exclude_if=lambda files: not files)
    """The keys of its other files."""
    size: int
    """Bytes, of all of its files."""
    etag: str
    duration: SecondsField
    width: int = 0
    height: int = 0
    frames: int = 0
    frames_copied: int = 0
    frames_encoded: int = 0
    quality: str = Field("", exclude_if=lambda quality: not quality)
    """How all of its pictures were encoded, if the output asked for that: the encoder, its settings, the size."""
    notes: tuple[str, ...] = Field((), exclude_if=lambda notes: not notes)


class ClipResult(Model):
    """A finished clip."""

    key: str
    """The key in the clip store."""
    size: int
    etag: str
    duration: SecondsField
    width: int = 0
    height: int = 0
    frames: int = 0
    frames_copied: int = 0
    frames_encoded: int = 0
    spans: tuple[CutSpan, ...] = ()
    gaps: tuple[Gap, ...] = ()
    insets: tuple[InsetRecording, ...] = Field((), exclude_if=lambda insets: not insets)
    bytes_read: int = 0
    requests: int = 0
    """Requests to the source store."""
    source_size: int = 0
    """Total size of the recordings that it was cut from, in bytes."""
    seconds: float = 0.0
    """Seconds that the successful attempt took, by the wall clock."""
    stages: dict[str, float] = Field(default_factory=dict, exclude_if=lambda stages: not stages)
    """Seconds of each stage of that attempt until the files were stored, by the names that traces have."""
    remade: bool = False
    """Whether a first version failed its check, so that the clip was made again by full re-encoding."""
    notes: tuple[str, ...] = ()
    """Notes for people, such as a range that was clamped or a track that was dropped."""
    edits: tuple[str, ...] = ()
    """What each edit did, in words."""
    posters: tuple[PosterFile, ...] = ()
    """In ascending width; empty for a clip without video."""
    pictures: tuple[PictureFile, ...] = Field((), exclude_if=lambda pictures: not pictures)
    """What else comes with the clip."""
    outputs: tuple[OutputResult, ...] = Field((), exclude_if=lambda outputs: not outputs)
    """The outputs, in the order of the request; the first one is the clip. Empty for a request of one plain MP4."""
