"""What is known of a finished clip."""

from __future__ import annotations

from cutback.domain.base import Model, Moment
from cutback.domain.requests.sources import GapRule
from cutback.domain.time_fields import SecondsField


class CutSpan(Model):
    """What was really taken from a recording: the times of the first frame and of the end of the last."""

    recording: str
    etag: str
    start: SecondsField
    end: SecondsField
    clamped: bool = False
    """Whether the range asked for reached beyond the recording."""
    camera: str | None = None
    begins: Moment | None = None
    """What the wall clock showed at `start`, where it was a camera's footage that was asked for."""


class Gap(Model):
    """Moments asked for of which the camera has no footage."""

    camera: str
    begins: Moment
    ends: Moment
    filled: GapRule
    """What stands in the clip in their place."""


class PosterFile(Model):
    """A still picture of the clip, as JPEG."""

    key: str
    """In the clip store."""
    width: int
    height: int
    size: int


class ClipResult(Model):
    """A finished clip."""

    key: str
    """In the clip store."""
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
    bytes_read: int = 0
    requests: int = 0
    """To the source store."""
    source_size: int = 0
    """Bytes of the recordings it was cut from."""
    seconds: float = 0.0
    """Wall-clock time of the attempt that made it."""
    remade: bool = False
    """Whether a first version did not pass its check and the clip was made again by full re-encoding."""
    notes: tuple[str, ...] = ()
    """What a person should know, such as a range that was clamped or a track that was dropped."""
    posters: tuple[PosterFile, ...] = ()
    """In ascending width; none of sound alone."""
