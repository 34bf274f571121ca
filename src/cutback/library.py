"""Cut, probe and plan from Python: one recording, now, without a queue or records.

`cutback.cut`, `cutback.probe` and `cutback.plan` are these functions; the commands of the same names call them, too.
The media is handled by the same sandboxed child process as everywhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cutback.cutting.job import CutJob, CutProgress, CutRange, Limits, Precision, RealSpan
from cutback.domain.errors import (
    Fault,
    InvalidRequestError,
    MediaUnsupportedError,
    NoSuchFileError,
    RecordingNotFoundError,
    WrongUsageError,
)
from cutback.domain.times import FrameNumber, format_seconds
from cutback.storage import clip_file

if TYPE_CHECKING:
    from cutback.cutting.job import Rendition
    from cutback.domain.requests.request import ClipRequest
    from cutback.reading.range_reader import RangeReader
    from cutback.reading.resolve import OpenedSources
    from cutback.sandbox.cutter import ChildCutter
    from cutback.storage.store import Store

Time: TypeAlias = int | float | Decimal | Fraction | str | FrameNumber
"""A time of a recording: seconds from its time zero, `"HH:MM:SS.mmm"`, or `FrameNumber(n)`, counted from 0."""


def never() -> bool:
    """Do not stop."""
    return False


@dataclass(frozen=True, slots=True)
class Location:
    """A recording: the store it is in and its key there."""

    store_url: str
    """A folder's path, or the URL of a bucket with a prefix."""
    key: str


@dataclass(frozen=True, slots=True)
class CutResult:
    """A clip that was written to a file."""

    path: Path
    size: int
    """Bytes."""
    duration: Fraction
    """Seconds."""
    width: int
    height: int
    """Pixels; 0 for sound alone."""
    frames: int
    frames_copied: int
    frames_encoded: int
    spans: tuple[RealSpan, ...]
    """What was really taken of each range."""
    bytes_read: int
    """From the recording's store."""
    requests: int
    """To the recording's store."""
    source_size: int
    """Bytes of the recording."""
    seconds: float
    """How long it took."""
    remade: bool
    """Whether the check at the end refused the copied pictures, so that all of them were encoded."""
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs; the names are those of a clip's `result`. Seconds are decimal strings."""
        return {
            "path": str(self.path),
            "size": self.size,
            "duration": format_seconds(self.duration),
            "width": self.width,
            "height": self.height,
            "frames": self.frames,
            "frames_copied": self.frames_copied,
            "frames_encoded": self.frames_encoded,
            "spans": [
                {"start": format_seconds(span.start), "end": format_seconds(span.end), "clamped": span.clamped}
                for span in self.spans
            ],
            "bytes_read": self.bytes_read,
            "requests": self.requests,
            "source_size": self.source_size,
            "seconds": round(self.seconds, 3),
            "remade": self.remade,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ProbedTrack:
    """A track of a recording."""

    kind: str
    """`video`, `audio` or `other`."""
    codec: str
    language: str
    """ISO 639-2; `und` when the recording does not say."""
    start: Fraction | None
    duration: Fraction | None
    """Seconds; None for a track without samples."""
    samples: int
    width: int | None
    height: int | None
    sample_rate: int | None
    channels: int | None


@dataclass(frozen=True, slots=True)
class Probe:
    """What a recording is."""

    container: str
    size: int | None
    """Bytes; None for a playlist."""
    duration: Fraction
    """Seconds."""
    tracks: tuple[ProbedTrack, ...]
    notes: tuple[str, ...]
    report: Mapping[str, Any]
    """All of it, as `cutback probe --json` prints it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `cut` would do: nothing is written."""

    precision: Precision
    duration: Fraction
    """Seconds of the clip."""
    frames_copied: int
    frames_encoded: int
    frames_hidden: int
    """In the file, but never presented (`precision="instant"`)."""
    bytes_to_read: int
    bytes_of_clip: int
    """An estimate where frames are encoded."""
    notes: tuple[str, ...]
    report: Mapping[str, Any]
    """All of it, as `cutback plan --json` prints it."""


def cut(
    source: str | Path,
    *,
    output: Path | str,
    start: Time | None = None,
    end: Time | None = None,
    ranges: Sequence[tuple[Time, Time]] = (),
    precision: Precision = "exact",
    overwrite: bool = False,
    options: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[CutProgress], None] | None = None,
    stopped: Callable[[], bool] = never,
) -> CutResult:
    """Cut a clip out of a recording and write it to `output`, whole or not at all.

    Args:
        source: a file, or an object's URL such as `s3://bucket/key`. A playlist (`.m3u8`) is one recording.
        output: the MP4 file to write, or a folder for it.
        start: the first moment of the clip, included.
        end: its end, excluded.
        ranges: instead of `start` and `end`, several (start, end) to join in order.
        precision: `exact`, `keyframe` or `instant`; see docs/request.md.
        overwrite: replace `output` if it exists.
        options: of the object store; see `CUTBACK_SOURCE_OPTIONS` in docs/settings.md.
        limits: what the work may take.
        on_progress: called with the fraction done, from this thread.
        stopped: asked at least five times a second; once it answers True, the work ends.

    Raises:
        InvalidRequestError: a time or the precision is wrong; every fault is named.
        RecordingNotFoundError: there is no such recording.
        RangeOutsideRecordingError: the range begins behind the recording's end.
        OutputExistsError: `output` exists; pass `overwrite=True` to replace it.
        OutputIsSourceError: `output` is the recording itself.
        WrongUsageError: `output` ends as the name of another format, or `source` names a folder.
        CutbackError: any other reason in docs/failures.md.
    """
    location = locate_recording(str(source))
    request = request_of(location, start, end, ranges, precision)
    target = clip_file.choose_file(str(output), f"{Path(location.key).stem}.clip.mp4")
    store = open_store(location, options)
    clip_file.check_replaceable(target, files_of(location, store), force=overwrite)
    began = time.monotonic()
    with (
        naming(source),
        open_recording(location, request, store, stopped=stopped) as sources,
        render(request, sources, limits or Limits(), on_progress=on_progress, stopped=stopped) as rendition,
    ):
        clip_file.write(target, rendition.chunks(), force=overwrite, stopped=stopped)
        return result_of(target, rendition, sources, time.monotonic() - began)


def probe(
    source: str | Path,
    *,
    options: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    stopped: Callable[[], bool] = never,
) -> Probe:
    """Look into a recording: container, duration, tracks, keyframes. Reads its index alone.

    Of a playlist, the first segment says what tracks there are, and the playlist how long it is.

    Raises:
        RecordingNotFoundError: there is no such recording.
        MediaUnsupportedError: it is no container that is read.
        CutbackError: any other reason in docs/failures.md.
    """
    from cutback.reading.open_playlist import is_playlist, probe_playlist

    location = locate_recording(str(source))
    store = open_store(location, options)
    bounds = limits or Limits()
    with naming(source), _cutter() as cutter:
        if is_playlist(location.key):
            found = probe_playlist(
                store,
                location.key,
                lambda segment: cutter.probe(segment, limits=bounds, stopped=stopped),
                stopped=stopped,
            )
            cost: dict[str, Any] = {"size": None, "bytes_read": None}
        else:
            reader = open_reader(location, store, stopped=stopped)
            found = cutter.probe(reader, limits=bounds, stopped=stopped)
            cost = {"size": reader.size, "bytes_read": reader.bytes_read}
    report = {"source": str(source), **found, **cost}
    return Probe(
        container=found["container"],
        size=cost["size"],
        duration=Fraction(found["duration"]),
        tracks=tuple(_probed(track) for track in found["tracks"]),
        notes=tuple(found["notes"]),
        report=report,
    )


def plan(
    source: str | Path,
    *,
    start: Time | None = None,
    end: Time | None = None,
    ranges: Sequence[tuple[Time, Time]] = (),
    precision: Precision = "exact",
    options: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    stopped: Callable[[], bool] = never,
) -> Plan:
    """Say what `cut` would copy, encode and read, without cutting. Arguments and errors are those of `cut`."""
    location = locate_recording(str(source))
    request = request_of(location, start, end, ranges, precision)
    return plan_request(source, request, location, open_store(location, options), limits=limits, stopped=stopped)


def plan_request(
    source: str | Path,
    request: ClipRequest,
    location: Location,
    store: Store,
    *,
    limits: Limits | None = None,
    stopped: Callable[[], bool] = never,
) -> Plan:
    """As `plan`, for a request whose ranges are all of the recording at `location`."""
    with naming(source):
        reader = open_reader(location, store, stopped=stopped)
    job = CutJob(
        sizes=(reader.size,),
        ranges=tuple(CutRange(0, wanted.start, wanted.end) for wanted in request.ranges),
        precision=request.output.precision,
        limits=limits or Limits(),
    )
    with _cutter() as cutter:
        found = cutter.preview(job, reader, stopped=stopped)
    read = {"bytes_read": reader.bytes_read, "requests": reader.requests}
    frames, sizes = found["frames"], found["bytes"]
    return Plan(
        precision=found["precision"],
        duration=Fraction(found["clip_duration"]),
        frames_copied=frames["copy"],
        frames_encoded=frames["encode"],
        frames_hidden=frames["hide"],
        bytes_to_read=sizes["read"] + sizes["sound"],
        bytes_of_clip=sizes["clip"],
        notes=tuple(found["notes"]),
        report={"source": str(source), "size": reader.size, **found, **read},
    )


# --- the recording ---------------------------------------------------------------------------------


STORES = ("s3://", "gs://", "az://")


def locate_recording(source: str) -> Location:
    """A path or URL as its store and the key in it.

    Raises:
        WrongUsageError: it names a folder, nothing, or a kind of store that is not known.
        RecordingNotFoundError: it is a path, and there is no such file.
    """
    if "://" in source and not source.startswith("file://"):
        store, _, key = source.rpartition("/")
        if not source.startswith(STORES):
            raise WrongUsageError(f"{source}: a source is a file, or an object's URL ({', '.join(STORES)}).")
        if not key or store.endswith(("/", ":")):
            raise WrongUsageError(f"{source} names no object; write it as s3://bucket/key.")
        return Location(store, key)
    if not source:
        raise WrongUsageError("The source is empty; name a file.")
    path = Path(source.removeprefix("file://"))
    if path.is_dir():
        raise WrongUsageError(f"{source} is a folder; name a recording in it.")
    if not path.exists():
        raise NoSuchFileError(f"There is no file {source}.")
    path = path.resolve()
    return Location(str(path.parent), path.name)


@contextmanager
def naming(source: str | Path) -> Iterator[None]:
    """Call a recording that is not there as the caller called it, not by a key of the store of recordings.

    Raises:
        NoSuchFileError: instead of any other `RecordingNotFoundError`.
    """
    try:
        yield
    except NoSuchFileError:
        raise
    except RecordingNotFoundError as error:
        missing = error.detail.rstrip(".")
        same = not missing or str(source).endswith(missing)
        raise NoSuchFileError(
            f"There is nothing at {source}." if same else f"{source} names {missing}, which is not there."
        ) from error


def open_store(location: Location, options: Mapping[str, str] | None = None) -> Store:
    """The store of a recording. Raises as `Store.open`."""
    from cutback.storage.store import Store

    return Store.open(location.store_url, options=options)


def open_reader(location: Location, store: Store, *, stopped: Callable[[], bool] = never) -> RangeReader:
    """The recording, opened for reading. Raises as the store does, and MediaUnsupportedError for a playlist."""
    from cutback.reading.open_playlist import is_playlist
    from cutback.reading.range_reader import RangeReader

    if is_playlist(location.key):
        raise MediaUnsupportedError("A playlist is no video itself; look at one of its segments.")
    return RangeReader.open(store, location.key, stopped=stopped)


def files_of(location: Location, store: Store) -> list[Path]:
    """The files that a recording in a folder is read from: itself, and the segments of a playlist."""
    from cutback.reading.open_playlist import is_playlist, read_playlist

    if not store.is_folder:
        return []
    keys = [location.key]
    if is_playlist(location.key):
        segments = read_playlist(store, location.key).segments
        keys += [part.key for segment in segments for part in (segment.media, segment.init) if part is not None]
    return [Path(store.url_for(key)) for key in dict.fromkeys(keys)]


@contextmanager
def open_recording(
    location: Location, request: ClipRequest, store: Store, *, stopped: Callable[[], bool] = never
) -> Iterator[OpenedSources]:
    """The recording or playlist at `location`, opened for a request whose ranges are all of it."""
    from cutback.reading.open_playlist import open_segments
    from cutback.reading.range_reader import RangeReader
    from cutback.reading.resolve import resolve_with

    with resolve_with(
        request,
        lambda _: RangeReader.open(store, location.key, stopped=stopped),
        lambda _, first, last: open_segments(store, location.key, first, last, stopped=stopped),
    ) as sources:
        yield sources


# --- the request -----------------------------------------------------------------------------------


def recording_name(location: Location) -> str:
    """What a request calls the recording at `location`: any name will do, as long as a playlist is known as one."""
    from cutback.reading.open_playlist import is_playlist

    return "recording.m3u8" if is_playlist(location.key) else "recording"


def request_of(
    location: Location,
    start: Time | None,
    end: Time | None,
    ranges: Sequence[tuple[Time, Time]],
    precision: str,
) -> ClipRequest:
    """A validated request for ranges of one recording.

    Raises:
        InvalidRequestError: naming every fault.
    """
    from cutback.domain.requests.request import validate_request

    if ranges and (start is not None or end is not None):
        raise InvalidRequestError([Fault("ranges", "give start and end, or ranges, not both")])
    pieces = list(ranges)
    if not pieces:
        if start is None or end is None:
            missing = [name for name, value in (("start", start), ("end", end)) if value is None]
            raise InvalidRequestError([Fault(name, "is missing") for name in missing])
        pieces = [(start, end)]
    name = recording_name(location)
    return validate_request(
        {
            "source": [{"recording": name, "start": first, "end": last} for first, last in pieces],
            "output": {"precision": precision},
        }
    )


# --- cutting ---------------------------------------------------------------------------------------


@contextmanager
def render(
    request: ClipRequest,
    sources: OpenedSources,
    limits: Limits,
    *,
    on_progress: Callable[[CutProgress], None] | None = None,
    stopped: Callable[[], bool] = never,
) -> Iterator[Rendition]:
    """The clip, made but not yet written."""
    job = sources.job(request, limits)
    with (
        _cutter() as cutter,
        cutter.render(job, sources.readers, on_progress=on_progress or _ignore, stopped=stopped) as rendition,
    ):
        yield rendition


@contextmanager
def _cutter() -> Iterator[ChildCutter]:
    from cutback.sandbox.cutter import ChildCutter

    cutter = ChildCutter(warm=False)
    try:
        yield cutter
    finally:
        cutter.close()


def _ignore(_progress: CutProgress) -> None:
    pass


def result_of(target: Path, rendition: Rendition, sources: OpenedSources, seconds: float) -> CutResult:
    """What was written, and what it cost."""
    facts = rendition.facts
    return CutResult(
        path=target,
        size=facts.size,
        duration=facts.duration,
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        frames_copied=facts.frames_copied,
        frames_encoded=facts.frames_encoded,
        spans=facts.spans,
        bytes_read=sources.bytes_read,
        requests=sources.requests,
        source_size=sources.size,
        seconds=seconds,
        remade=facts.remade,
        notes=facts.notes,
    )


def _probed(track: Mapping[str, Any]) -> ProbedTrack:
    return ProbedTrack(
        kind=track["kind"],
        codec=track["codec"],
        language=track["language"],
        start=Fraction(track["start"]) if "start" in track else None,
        duration=Fraction(track["duration"]) if "duration" in track else None,
        samples=track.get("samples", 0),
        width=track.get("width"),
        height=track.get("height"),
        sample_rate=track.get("sample_rate"),
        channels=track.get("channels"),
    )
