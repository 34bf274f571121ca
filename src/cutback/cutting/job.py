"""The cutter's jobs and results: plain data that is sent to and from the child process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Any, Literal, Protocol, Self, runtime_checkable

from cutback.cutting.edit_value import Edit
from cutback.cutting.output_values import Mp4, OutputValue
from cutback.domain.measures import Point
from cutback.domain.times import Instant

Precision = Literal["exact", "keyframe", "instant"]

Fill = Literal["freeze", "black"]
"""What a gap shows: the previous picture, or black."""


class ByteSource(Protocol):
    """The bytes of one recording, pinned to one version."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Read exactly `length` bytes from `offset`, fewer only at the end.

        Raises:
            CutbackError: the recording changed or was removed, or its store does not answer.
        """
        ...

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Announce that these (offset, length) will be read soon, to fetch them together. Never raises."""
        ...


class Memory(Protocol):
    """The memory that a job may still use."""

    def room(self) -> int:
        """Bytes that can be allocated now, after everything that is in use."""
        ...

    def announce(self, amount: int) -> None:
        """Say that this many bytes are about to be allocated."""
        ...


@runtime_checkable
class KeepsIndex(Protocol):
    """A `ByteSource` that caches a recording's index for the next jobs."""

    def read_index(self, offset: int, length: int) -> bytes:
        """Like `ByteSource.read_at`, for parts of the container's index."""
        ...


@runtime_checkable
class KeepsScan(Protocol):
    """A `ByteSource` that keeps what a whole reading of a recording found out about it."""

    def kept_scan(self) -> bytes:
        """Return what `keep_scan` was given for this version of the recording; empty if it is not known any more."""
        ...

    def keep_scan(self, data: bytes) -> None:
        """Keep it, if it is not too large. Never raises."""
        ...


@runtime_checkable
class ReadsAhead(Protocol):
    """A `ByteSource` that can begin to read what will be copied while something else is decoded."""

    def read_ahead(self, offset: int, length: int) -> None:
        """Announce that this range will be read, in order, once the clip is stored. Never raises."""
        ...


def read_index(source: ByteSource, offset: int, length: int) -> bytes:
    """Read a part of a container's index, from the cache if the source has one."""
    read = source.read_index if isinstance(source, KeepsIndex) else source.read_at
    return read(offset, length)


@dataclass(frozen=True, slots=True)
class CutRange:
    """A part of the `source`-th recording, from `start` (included) to `end` (excluded), in seconds since time zero."""

    source: int
    start: Instant
    end: Instant
    seam_before: bool = False
    """Whether the previous range ends at the same moment of a camera's clock. Then nothing is rounded to a frame's time
    here, so that the clip keeps the clock's time over any number of seams."""
    seam_after: bool = False
    """The same for the next range."""
    optional: bool = False
    """Whether it is dropped if no frame begins in it, as long as there are other ranges."""
    crossfade: Fraction = Fraction(0)
    """Seconds over which the previous range turns into this one; 0: a cut."""


@dataclass(frozen=True, slots=True)
class CutGap:
    """A period without footage, between two ranges or at an end of the clip."""

    duration: Fraction
    """Seconds, greater than 0."""
    fill: Fill


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on one job. They apply to what is decoded, not to what a header claims."""

    pixels: int = 8192 * 4352
    """Pixels of one picture."""
    streams: int = 32
    frames: int = 2_000_000
    """Frames decoded and copied by one job."""
    duration: int = 14 * 24 * 3600
    """Duration of one recording, in seconds."""
    index_bytes: int = 256 * 1024 * 1024
    """Bytes of a container's index."""
    image_bytes: int = 16 * 1024 * 1024
    """Bytes of a picture from the assets."""
    image_pixels: int = 25_000_000
    """Pixels of a picture from the assets."""
    subtitles: int = 100_000
    """Subtitles that the edits of one job make: a clock has one for each recorded second."""
    interpolated_pixels: int = 150 * 1920 * 1080
    """Pixels of all pictures that slow motion interpolates: about 70 s of one processor."""
    seconds: int = 3600
    """Wall-clock seconds of one job."""
    stall_seconds: int = 60
    """Wall-clock seconds without a sign of life from the child process."""
    memory: int = 2 * 1024 * 1024 * 1024
    """Bytes of address space that one job may add."""


@dataclass(frozen=True, slots=True)
class WallClock:
    """When a recording was made."""

    epoch: Fraction
    """Seconds since 1970, UTC, at its time zero."""
    pace: Fraction
    """Seconds of its own time per second of the wall clock."""
    camera: str


@dataclass(frozen=True, slots=True)
class JobOutput:
    """One of the files, or groups of files, that a job makes."""

    name: str
    """Its file is named after it."""
    value: OutputValue
    precision: Precision | None = None
    """None for the job's."""


@dataclass(frozen=True, slots=True)
class ChapterMark:
    """Where a chapter begins that the request names."""

    at: Point
    title: str


PictureKind = Literal["poster", "sprites", "preview", "waveform"]
"""What can come with a clip."""

THE_CLIP = (JobOutput("clip", Mp4()),)
"""The output of a job that asks for no other."""


@dataclass(frozen=True, slots=True)
class InsetRange:
    """A part of a source that insets show."""

    shows: str
    """The camera or the recording that the inset names."""
    source: int
    start: Fraction
    """Seconds since its time zero."""
    end: Fraction | None
    """None: to its end."""


@dataclass(frozen=True, slots=True)
class CutJob:
    """One clip to make."""

    sizes: tuple[int, ...]
    """The size of each source, in bytes."""
    ranges: tuple[CutRange | CutGap, ...]
    """Joined in order."""
    precision: Precision = "exact"
    limits: Limits = Limits()
    clocks: tuple[Fraction | None, ...] = ()
    """For each source that is a part of something longer: the time of its first picture, in seconds, to which its
    ranges and results refer. If None or missing, they refer to the source's own time zero."""

    playlists: tuple[int | None, ...] = ()
    """For each source that is a segment of a playlist: the number of that playlist in the job. Else None or missing."""

    keep_location: bool = False
    """Whether to copy the recording's location to the clip."""

    edits: tuple[Edit, ...] = ()
    """What is done to the pictures and the sound, in stage order."""

    wall_clocks: tuple[WallClock | None, ...] = ()
    """For each source, when it was recorded; None or missing if the request names no camera."""

    assets: Mapping[str, int] = field(default_factory=dict)
    """The sources that are assets, by their names: what the edits need from the assets store."""

    insets: tuple[InsetRange, ...] = ()
    """What insets show, in order of time. Ranges of cameras have a wall clock."""

    fonts: str = ""
    """The folder with further fonts, as an absolute path; empty if there is none."""

    title: str = ""
    """The clip's title, in place of its recordings'."""

    labels: tuple[tuple[str, str], ...] = ()
    """Names and values that are written into the files."""

    chapters: tuple[ChapterMark, ...] | None = None
    """The clip's chapters; None: one wherever the footage jumps."""

    outputs: tuple[JobOutput, ...] = THE_CLIP
    """What is made, in order; the first one is the clip."""

    pictures: tuple[PictureKind, ...] = ("poster",)
    """What comes with the clip."""

    def wall_clock(self, source: int) -> WallClock | None:
        """Return when a source was recorded."""
        return self.wall_clocks[source] if source < len(self.wall_clocks) else None

    def clock(self, source: int) -> Fraction | None:
        """Return the time of a source's first picture; None if times refer to the source's own time zero."""
        return self.clocks[source] if source < len(self.clocks) else None

    def playlist(self, source: int) -> int | None:
        """Return the number of the playlist whose segment a source is; None if it is none."""
        return self.playlists[source] if source < len(self.playlists) else None

    @property
    def footage(self) -> tuple[CutRange, ...]:
        """The ranges without the gaps."""
        return tuple(wanted for wanted in self.ranges if isinstance(wanted, CutRange))


@dataclass(frozen=True, slots=True)
class RealSpan:
    """What was actually cut from a range, in seconds since its recording's time zero."""

    source: int
    start: Fraction
    end: Fraction
    clamped: bool


@dataclass(frozen=True, slots=True)
class Poster:
    """A still picture of a clip, a JPEG in the spool."""

    fits: int
    """The requested width, in pixels."""
    width: int
    """The actual width: that of the picture if the picture is narrower."""
    height: int
    offset: int
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class SpooledPicture:
    """A picture in the spool that comes with a clip."""

    width: int
    height: int
    offset: int
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class ClipPictures:
    """What comes with a clip besides its posters; None for what was not wanted or not made."""

    tiles: dict[str, Any] | None = None
    """What the sprites show, in the form of `cutback.cutting.sprites`."""
    sheet: SpooledPicture | None = None
    """The sprites, a JPEG."""
    preview: SpooledPicture | None = None
    """An animated WebP."""
    waveform: dict[str, Any] | None = None
    """In the form of `cutback.cutting.waveform`."""
    notes: tuple[str, ...] = ()
    """What could not be made."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about a finished clip."""

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
    edits: tuple[str, ...] = ()
    """What each edit did, in words, in the order of the job's edits."""
    stages: tuple[tuple[str, float], ...] = ()
    """How long each part of the work took, in seconds, in their order."""
    quality: str = ""
    """How all of its pictures were encoded, if the output asked for that."""
    read_seconds: float = 0.0
    """How long the work waited for bytes of the sources, during all of them."""


@dataclass(frozen=True, slots=True)
class CutProgress:
    """The progress of a cut."""

    fraction: float
    frames: int


ProgressHook = Callable[[CutProgress], None]


class RenderedFile(Protocol):
    """A file of an output that is finished but not stored yet."""

    @property
    def name(self) -> str:
        """Below the clip's prefix."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...


class RenderedOutput(Protocol):
    """An output that is finished but not stored yet."""

    @property
    def name(self) -> str:
        """As in `JobOutput`."""
        ...

    @property
    def facts(self) -> Facts:
        """The facts about it."""
        ...

    @property
    def files(self) -> Sequence[RenderedFile]:
        """Its files; the first one is what people open."""
        ...


class Rendition(Protocol):
    """A clip that is finished but not stored yet. Close it; otherwise its temporary file stays open."""

    @property
    def facts(self) -> Facts:
        """The facts about its first output."""
        ...

    @property
    def outputs(self) -> Sequence[RenderedOutput]:
        """All outputs, in the order of the job."""
        ...

    def chunks(self, file: RenderedFile | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file, by default of the first one; may read copied media from the sources."""
        ...

    def posters(self) -> tuple[Poster, ...]:
        """Return its posters, in ascending width; none without video. It may wait, in another thread than `chunks`.

        Raises:
            CutbackError: they could not be made.
        """
        ...

    def read_poster(self, poster: Poster) -> bytes:
        """Return the JPEG of one of `posters`."""
        ...

    def pictures(self) -> ClipPictures:
        """Return what else comes with it. This may wait, so call it after everything else.

        Raises:
            CutbackError: it could not be made.
        """
        ...

    def read_picture(self, picture: SpooledPicture) -> bytes:
        """Return the bytes of one of `pictures`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Cutter(Protocol):
    """Makes clips of ranges of recordings."""

    def render(
        self, job: CutJob, sources: Sequence[ByteSource], *, on_progress: ProgressHook, stopped: Callable[[], bool]
    ) -> Rendition:
        """Cut, check and lay out the clip.

        `stopped` is called at least five times a second, from this thread; once it returns True, the work is killed
        and `StoppedError` raised.

        Raises:
            CutbackError: something is wrong with the media, the range or a service.
        """
        ...

    def warm_up(self) -> None:
        """Prepare for the next job, so that it need not wait. Never raises."""
        ...

    def close(self) -> None:
        """End background processes."""
        ...
