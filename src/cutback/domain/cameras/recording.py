"""Recordings and the pieces cut from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from cutback.domain.base import Model, Moment
from cutback.domain.time_fields import SecondsField
from cutback.domain.times import Instant


@dataclass(frozen=True, slots=True)
class Recording:
    """A long video in the source store, at one version."""

    key: str
    """Where it lies in the source store."""

    etag: str
    """Its version. A read that meets another one fails as `source_changed`."""

    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class RecordingSpan:
    """One contiguous piece of one recording: `start` included, `end` excluded."""

    recording: Recording
    start: Instant
    end: Instant
    seam_before: bool = False
    """Whether the span before ends at the same moment of the camera's clock."""
    seam_after: bool = False
    optional: bool = False
    """Whether it may be left out if no frame begins in it."""


class CameraRecording(Model):
    """A recording as the catalogue knows it: what it is, and which moments of which camera it holds."""

    key: str
    etag: str
    size: int
    """Bytes."""
    camera: str
    start: Moment
    """When its time zero was, by the camera's clock; exact to the millisecond."""
    duration: SecondsField
    """By its container."""
    stored_at: Moment
    """When the store got it, by the store's clock."""
    sequencer: str = ""
    """Of the store's event that brought this version; see `StoreEvent.sequencer`."""
    width: int = 0
    height: int = 0
    codecs: tuple[str, ...] = ()
    """Of its tracks, pictures first."""
    frame_rate: SecondsField = Fraction(0)
    """Frames a second, on average; 0 without pictures."""
    growing: bool = False
    """Whether it was still being written when it was looked at last."""
    index: tuple[tuple[int, int], ...] = ()
    """Where the container's index lies: (offset, length) of what was read to know all this."""
    conflicts: tuple[str, ...] = ()
    """Where key, metadata and container disagree on camera or time; a person should know."""

    @property
    def end(self) -> datetime:
        """When it ends by its container, rounded to the microsecond; the moment itself is not part of it."""
        return self.start + timedelta(microseconds=round(self.duration * 1_000_000))


@dataclass(frozen=True, slots=True)
class Camera:
    """What the catalogue holds of one camera."""

    name: str
    recordings: int
    first: datetime
    """The earliest moment recorded."""
    last: datetime
    """The end of the latest one."""
