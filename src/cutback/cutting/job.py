"""What is asked of the cutter and what it answers: plain data that crosses to the child process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Literal, Protocol, Self, runtime_checkable

from cutback.domain.times import Instant

Precision = Literal["exact", "keyframe", "instant"]

Fill = Literal["freeze", "black"]
"""What is shown where there is no footage: the last picture before, or none."""


class ByteSource(Protocol):
    """The bytes of one recording, pinned to one version."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`, fewer only at the end.

        Raises:
            CutbackError: the recording changed or vanished, or its store does not answer.
        """
        ...

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """These (offset, length) will be read soon: fetch them together. A hint; it raises nothing."""
        ...


@runtime_checkable
class KeepsIndex(Protocol):
    """A `ByteSource` that remembers a recording's index from one job to the next."""

    def read_index(self, offset: int, length: int) -> bytes:
        """As `ByteSource.read_at`, for parts of the container's index."""
        ...


def read_index(source: ByteSource, offset: int, length: int) -> bytes:
    """Read a part of a container's index, from memory where the source keeps it."""
    read = source.read_index if isinstance(source, KeepsIndex) else source.read_at
    return read(offset, length)


@dataclass(frozen=True, slots=True)
class CutRange:
    """A piece of the `source`-th recording: `start` included, `end` excluded, from its time zero."""

    source: int
    start: Instant
    end: Instant
    seam_before: bool = False
    """Whether the piece before ends at this very moment of a camera's clock: then nothing is rounded to a frame's
    time here, so that the clip keeps to that clock over any number of seams."""
    seam_after: bool = False
    """The same of the piece behind."""
    optional: bool = False
    """Whether it is left out if no frame begins in it, as long as there are others."""


@dataclass(frozen=True, slots=True)
class CutGap:
    """Moments of which there is no footage, between the ranges around it or at an end of the clip."""

    duration: Fraction
    """Seconds, more than 0."""
    fill: Fill


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may take. Enforced on what is decoded, not on what a header claims."""

    pixels: int = 8192 * 4352
    """Of one picture."""
    streams: int = 32
    frames: int = 2_000_000
    """Decoded and copied by one job."""
    duration: int = 14 * 24 * 3600
    """Seconds of one recording."""
    index_bytes: int = 256 * 1024 * 1024
    """Of a container's index."""
    seconds: int = 3600
    """Wall clock of one job."""
    stall_seconds: int = 60
    """Wall clock without a sign of life from the child process."""
    memory: int = 2 * 1024 * 1024 * 1024
    """Bytes of address space that one job may add."""


@dataclass(frozen=True, slots=True)
class CutJob:
    """One clip to be made."""

    sizes: tuple[int, ...]
    """Bytes of each source."""
    ranges: tuple[CutRange | CutGap, ...]
    """Joined in order."""
    precision: Precision = "exact"
    limits: Limits = Limits()
    clocks: tuple[Fraction | None, ...] = ()
    """For a source that is a part of something longer: the time of the first picture in it, in seconds; its ranges
    and what was really taken count by that. None, or nothing: a source counts from its own time zero."""

    keep_location: bool = False
    """Whether the clip says where it was recorded, if its recording does."""

    def clock(self, source: int) -> Fraction | None:
        """The time of the first picture of a source, where it does not count from its own zero."""
        return self.clocks[source] if source < len(self.clocks) else None

    @property
    def footage(self) -> tuple[CutRange, ...]:
        """Its ranges without the gaps."""
        return tuple(wanted for wanted in self.ranges if isinstance(wanted, CutRange))


@dataclass(frozen=True, slots=True)
class RealSpan:
    """What was really taken of a range, in seconds from its recording's time zero."""

    source: int
    start: Fraction
    end: Fraction
    clamped: bool


@dataclass(frozen=True, slots=True)
class Poster:
    """A still picture of a clip, a JPEG in the spool."""

    fits: int
    """The width it was made for, in pixels."""
    width: int
    """Its own: that of the picture where the picture is not as wide."""
    height: int
    offset: int
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a finished clip is."""

    size: int
    duration: Fraction
    """Seconds."""
    width: int
    height: int
    frames: int
    frames_copied: int
    frames_encoded: int
    spans: tuple[RealSpan, ...]
    remade: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CutProgress:
    """A sign of life."""

    fraction: float
    frames: int


ProgressHook = Callable[[CutProgress], None]


class Rendition(Protocol):
    """A clip that is finished but not yet stored. Close it, or its temporary file stays open."""

    @property
    def facts(self) -> Facts:
        """What it is."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, in order, `facts.size` of them; may read copied media from the sources."""
        ...

    def posters(self) -> tuple[Poster, ...]:
        """Its posters, in ascending width; none of sound alone. They may still be drawn, so ask for them last.

        Raises:
            CutbackError: what went wrong with them.
        """
        ...

    def read_poster(self, poster: Poster) -> bytes:
        """The JPEG of one of `posters`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Cutter(Protocol):
    """Makes a clip of pieces of recordings."""

    def render(
        self, job: CutJob, sources: Sequence[ByteSource], *, on_progress: ProgressHook, stopped: Callable[[], bool]
    ) -> Rendition:
        """Cut, check and lay out the clip.

        `stopped` is asked at least five times a second, from this thread; once it answers True the work
        is killed and `StoppedError` raised.

        Raises:
            CutbackError: what was wrong with the media, the range or the surroundings.
        """
        ...

    def close(self) -> None:
        """End what runs in the background."""
        ...
