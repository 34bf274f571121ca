"""Cut, probe and plan from Python: one recording, directly, without a queue or records.

`cutback.cut`, `cutback.probe` and `cutback.plan` are these functions; the commands of the same names call them too.
Media is handled in the same sandboxed child process as everywhere else.
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

from cutback.cutting.job import CutProgress, Limits, Precision, RealSpan
from cutback.domain.errors import (
    Fault,
    InvalidRequestError,
    MediaUnsupportedError,
)
from cutback.domain.times import FrameNumber, format_seconds
from cutback.reading.location import (
    Location,
    files_of,
    locate_recording,
    naming,
    never,
    open_reader,
    open_recording,
    open_store,
    recording_name,
)
from cutback.storage import clip_file

if TYPE_CHECKING:
    from cutback.cutting.job import Rendition
    from cutback.domain.requests.request import ClipRequest
    from cutback.reading.resolve import OpenedSources
    from cutback.sandbox.cutter import ChildCutter
    from cutback.storage.store import Store

Time: TypeAlias = int | float | Decimal | Fraction | str | FrameNumber
"""A time of a recording: seconds from its time zero, `"HH:MM:SS.mmm"`, or `FrameNumber(n)`, counted from 0."""


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
    """Pixels; 0 for a clip without video."""
    frames: int
    frames_copied: int
    frames_encoded: int
    spans: tuple[RealSpan, ...]
    """What was actually cut from each range."""
    bytes_read: int
    """Bytes read from the recording's store."""
    requests: int
    """Requests to the recording's store."""
    source_size: int
    """Size of the recording, in bytes."""
    seconds: float
    """How long the cut took, in seconds."""
    remade: bool
    """Whether a first version failed its check, so that the clip was made again by full re-encoding."""
    notes: tuple[str, ...]
    edits: tuple[str, ...] = ()
    """What each edit did, in words."""

    def as_dict(self) -> dict[str, Any]:
        """Return a form for programs, with the names of a clip's `result`. Seconds are decimal strings."""
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
            "edits": list(self.edits),
        }


@dataclass(frozen=True, slots=True)
class ProbedTrack:
    """A track of a recording."""

    kind: str
    """`video`, `audio` or `other`."""
    codec: str
    language: str
    """ISO 639-2; `und` if the recording does not say."""
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
    """A description of a recording."""

    container: str
    size: int | None
    """Bytes; None for a playlist."""
    duration: Fraction
    """Seconds."""
    tracks: tuple[ProbedTrack, ...]
    notes: tuple[str, ...]
    report: Mapping[str, Any]
    """Everything that `cutback probe --json` prints."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `cut` would do."""

    precision: Precision
    duration: Fraction
    """Seconds of the clip."""
    frames_copied: int
    frames_encoded: int
    frames_hidden: int
    """Frames in the file that are never presented (`precision="instant"`)."""
    bytes_to_read: int
    bytes_of_clip: int
    """An estimate if frames are re-encoded."""
    notes: tuple[str, ...]
    report: Mapping[str, Any]
    """Everything that `cutback plan --json` prints."""


def cut(
    source: str | Path,
    *,
    output: Path | str,
    start: Time | None = None,
    end: Time | None = None,
    ranges: Sequence[tuple[Time, Time]] = (),
    precision: Precision = "exact",
    edits: Sequence[Mapping[str, Any]] = (),
    assets: str | Path | None = None,
    overwrite: bool = False,
    options: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    fonts: str = "",
    on_progress: Callable[[CutProgress], None] | None = None,
    stopped: Callable[[], bool] = never,
) -> CutResult:
    """Cut a clip out of a recording and write it to `output`, completely or not at all.

    Args:
        source: a file, or an object's URL such as `s3://bucket/key`. A playlist (`.m3u8`) is one recording.
        output: the MP4 file to write, or a folder for it.
        start: the first moment of the clip, included.
        end: its end, excluded.
        ranges: instead of `start` and `end`, several (start, end) to join in order.
        precision: `exact`, `keyframe` or `instant`; see docs/request.md.
        edits: what to do with the pictures and the sound, as in a request; see docs/edits.md.
        assets: a folder, or a store's URL, with the pictures, videos and sounds that edits name.
        overwrite: replace `output` if it exists.
        options: of the object store; see `CUTBACK_SOURCE_OPTIONS` in docs/settings.md.
        limits: limits on the work.
        fonts: a folder of further fonts; see `CUTBACK_FONTS` in docs/settings.md.
        on_progress: called with the progress, from this thread.
        stopped: called at least five times a second; once it returns True, the work ends.

    Raises:
        InvalidRequestError: a time, an edit or the precision is invalid; the error lists every fault.
        RecordingNotFoundError: there is no such recording.
        RangeOutsideRecordingError: the range begins after the recording's end.
        OutputExistsError: `output` exists; pass `overwrite=True` to replace it.
        OutputIsSourceError: `output` is the recording itself.
        WrongUsageError: `output` has the extension of another format, or `source` is a folder.
        CutbackError: any other reason in docs/failures.md.
    """
    location = locate_recording(str(source))
    request = request_of(location, start, end, ranges, precision, edits)
    target = clip_file.choose_file(str(output), f"{Path(location.key).stem}.clip.mp4")
    store = open_store(location, options)
    clip_file.check_replaceable(target, files_of(location, store), force=overwrite)
    began = time.monotonic()
    with (
        naming(source),
        open_recording(location, request, store, assets=open_assets(assets), stopped=stopped) as sources,
        render(
            request, sources, limits or Limits(), fonts=fonts, on_progress=on_progress, stopped=stopped
        ) as rendition,
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
    """Describe a recording: container, duration, tracks, keyframes. Reads only its index.

    For a playlist, the first segment determines the tracks, and the playlist gives the duration.

    Raises:
        RecordingNotFoundError: there is no such recording.
        MediaUnsupportedError: Cutback does not read this container.
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
    edits: Sequence[Mapping[str, Any]] = (),
    assets: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    fonts: str = "",
    stopped: Callable[[], bool] = never,
) -> Plan:
    """Plan what `cut` would copy, encode and read, without cutting. Arguments and errors are those of `cut`."""
    location = locate_recording(str(source))
    request = request_of(location, start, end, ranges, precision, edits)
    store, found = open_store(location, options), open_assets(assets)
    return plan_request(source, request, location, store, assets=found, limits=limits, fonts=fonts, stopped=stopped)


def plan_request(
    source: str | Path,
    request: ClipRequest,
    location: Location,
    store: Store,
    *,
    assets: Store | None = None,
    limits: Limits | None = None,
    fonts: str = "",
    stopped: Callable[[], bool] = never,
) -> Plan:
    """Like `plan`, for a request whose ranges are all of the recording at `location`."""
    from cutback.reading.open_playlist import is_playlist

    if is_playlist(location.key):
        raise MediaUnsupportedError("A playlist is not a video; name one of its segments.")
    with (
        naming(source),
        open_recording(location, request, store, assets=assets, stopped=stopped) as sources,
        _cutter(fonts) as cutter,
    ):
        found = cutter.preview(sources.job(request, limits or Limits()), sources.readers, stopped=stopped)
        size = sources.readers[0].size
        read = {"bytes_read": sources.bytes_read, "requests": sources.requests}
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
        report={"source": str(source), "size": size, **found, **read},
    )


# --- the request -----------------------------------------------------------------------------------


def request_of(
    location: Location,
    start: Time | None,
    end: Time | None,
    ranges: Sequence[tuple[Time, Time]],
    precision: str,
    edits: Sequence[Mapping[str, Any]] = (),
) -> ClipRequest:
    """Make a validated request for ranges of one recording.

    Raises:
        InvalidRequestError: with every fault.
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
            "edits": [dict(edit) for edit in edits],
        }
    )


def open_assets(assets: str | Path | None) -> Store | None:
    """Open the store of the assets, if there is one. Raises like `Store.open`."""
    from cutback.storage.store import Store

    return None if assets is None else Store.open(str(assets))


# --- cutting ---------------------------------------------------------------------------------------


@contextmanager
def render(
    request: ClipRequest,
    sources: OpenedSources,
    limits: Limits,
    *,
    fonts: str = "",
    on_progress: Callable[[CutProgress], None] | None = None,
    stopped: Callable[[], bool] = never,
) -> Iterator[Rendition]:
    """Make the clip, without writing it yet. Only pictures that the request names come with it."""
    job = sources.job(request, limits, pictures=())
    with (
        _cutter(fonts) as cutter,
        cutter.render(job, sources.readers, on_progress=on_progress or _ignore, stopped=stopped) as rendition,
    ):
        yield rendition


@contextmanager
def _cutter(fonts: str = "") -> Iterator[ChildCutter]:
    from cutback.sandbox.cutter import ChildCutter

    cutter = ChildCutter(warm=False, fonts=fonts)
    try:
        yield cutter
    finally:
        cutter.close()


def _ignore(_progress: CutProgress) -> None:
    pass


def result_of(target: Path, rendition: Rendition, sources: OpenedSources, seconds: float) -> CutResult:
    """Describe what was written, and its cost."""
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
        edits=facts.edits,
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
