"""Recordings, and spans of them."""

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
    """Its key in the source store."""

    etag: str
    """Its version. A read that finds another version fails with `source_changed`."""

    size: int
    """Bytes."""

    is_asset: bool = False
    """Whether it is in the assets store instead."""


@dataclass(frozen=True, slots=True)
class RecordingSpan:
    """One contiguous part of one recording, from `start` (included) to `end` (excluded)."""

    recording: Recording
    start: Instant
    end: Instant
    seam_before: bool = False
    """Whether the span before ends at the same moment of the camera's clock."""
    seam_after: bool = False
    optional: bool = False
    """Whether to leave it out if no frame begins in it, instead of failing."""
    crossfade: Fraction = Fraction(0)
    """Seconds over which the span before turns into this one."""


class PlaceEvidence(Model):
    """What is known about camera and start time apart from the key, to find them again without reading the file."""

    camera: str = ""
    """As registered by hand."""
    start: Moment | None = None
    """As registered by hand."""
    metadata_camera: str = ""
    metadata_start: str = ""
    """From the object's metadata."""
    created: str = ""
    """The container's creation time, RFC 3339."""

    @property
    def by_hand(self) -> bool:
        """Whether any of it was registered by hand."""
        return bool(self.camera) or self.start is not None


class CameraRecording(Model):
    """A recording in the catalogue: what it is, and which moments of which camera it holds."""

    key: str
    etag: str
    size: int
    """Bytes."""
    camera: str
    start: Moment
    """What the camera's clock showed at time zero, exact to the millisecond."""
    duration: SecondsField
    """Seconds, according to its container."""
    stored_at: Moment
    """When it arrived in the store, by the store's clock."""
    sequencer: str = ""
    """The sequencer of the store's event for this version; see `StoreEvent.sequencer`."""
    width: int = 0
    height: int = 0
    codecs: tuple[str, ...] = ()
    """The codecs of its tracks, video first."""
    frame_rate: SecondsField = Fraction(0)
    """Average frames per second; 0 without video."""
    growing: bool = False
    """Whether it was still being written when it was last examined."""
    index: tuple[tuple[int, int], ...] = ()
    """Where the container's index is: (offset, length) in bytes of what was read to find all this out."""
    conflicts: tuple[str, ...] = ()
    """Notes for people: where key, metadata and container disagree on camera or time."""
    evidence: PlaceEvidence = PlaceEvidence()
    folder: str = ""
    """The folders before the camera's name in the key. Several folders may mean several cameras with the same name."""
    rules: str = ""
    """Fingerprint of the rules that gave camera and start time: `cutback.domain.cameras.placing.Rules.fingerprint`."""

    @property
    def end(self) -> datetime:
        """Its end (excluded) according to its container, rounded to the microsecond."""
        return self.start + timedelta(microseconds=round(self.duration * 1_000_000))


@dataclass(frozen=True, slots=True)
class Camera:
    """What the catalogue holds of one camera."""

    name: str
    recordings: int
    first: datetime
    """The earliest recorded moment."""
    last: datetime
    """The end of its latest recording."""
    folders: tuple[str, ...] = ("",)
    """The folders with this name, sorted. More than one is a conflict: they may be different cameras."""
