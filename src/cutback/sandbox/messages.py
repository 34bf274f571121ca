"""The messages between the child that cuts and its parent. Both ends use these classes, and no others.

The parent does not trust the child: `parse` accepts only well-formed messages, and references to bytes are checked
against the sources and the spool before they are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal, Protocol, Self, TypeAlias, TypeVar

from cutback.cutting.job import (
    ClipPictures,
    CutGap,
    CutJob,
    CutRange,
    Facts,
    InsetRange,
    Limits,
    Poster,
    RealSpan,
    SpooledPicture,
    WallClock,
)
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.domain.times import FrameNumber, FromEnd, Instant
from cutback.domain.visible import visible
from cutback.sandbox.value_messages import chapter_in, chapter_out, edit_in, edit_out, output_in, output_out

V = TypeVar("V")

LARGEST_READ = 256 * 1024 * 1024
"""Maximum bytes that a child may request at once: as many as a recording's index may have."""
LARGEST_KEPT = 32 * 1024 * 1024
"""Maximum bytes of what is kept of a scan."""

_LARGEST_POSTER = 64 * 1024 * 1024
_LARGEST_NUMBER = 2**63 - 1
_MOST_PREFETCHED = 100_000
"""Maximum ranges in one hint."""
_MOST_SPANS = 10_000
_MOST_NOTES = 100
_MOST_POSTERS = 20
MOST_OUTPUTS = 20
"""Maximum outputs of one job."""
_MOST_FILES = 50_000
"""Maximum files of one output."""
_FILE = re.compile(r"[A-Za-z0-9_-]{1,64}\.[a-z0-9]{1,8}", re.ASCII)
"""The names of files that may be stored below a clip's prefix."""
_MOST_STAGES = 20
_LONGEST_STAGE = 1e6
_MOST_FOUND = 100_000
"""Maximum values in the result of a probe or a preview."""
_DEEPEST_FOUND = 20
_LONGEST_TEXT = 2000
_MOST_TILES = 1000
_DECIMAL = re.compile(r"-?\d{1,20}(?:\.\d{1,40})?", re.ASCII)
_FRACTION = re.compile(r"-?\d{1,40}(?:/\d{1,40})?", re.ASCII)


class WireError(Exception):
    """The other side is gone or violates the protocol."""


class MalformedMessageError(WireError):
    """The other side sent something that a child never sends: it has been compromised."""


class WireMessage(Protocol):
    """A message: JSON, followed by bytes."""

    def fields(self) -> dict[str, Any]:
        """The JSON object that is sent."""
        ...

    @property
    def payload(self) -> bytes:
        """The bytes that follow it."""
        ...

    @classmethod
    def parse(cls, fields: dict[str, Any], payload: bytes) -> Self:
        """Parse a received message.

        Raises:
            LookupError, TypeError, ValueError, ArithmeticError: it is malformed.
        """
        ...


# --- from the parent ---------------------------------------------------------------------------------


TaskKind: TypeAlias = Literal[
    "cut", "probe", "preview", "frames", "excerpt", "activity", "sprites", "slot_sprites", "waveform", "motion"
]


@dataclass(frozen=True, slots=True)
class Task:
    """The first message: what the child must do. The parent sends the spool's descriptor before it."""

    kind: TaskKind
    job: CutJob
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        job = self.job
        return {
            "kind": self.kind,
            "sizes": job.sizes,
            "ranges": [_range_out(wanted) for wanted in job.ranges],
            "precision": job.precision,
            "limits": asdict(job.limits),
            "clocks": [None if clock is None else str(clock) for clock in job.clocks],
            "playlists": job.playlists,
            "keep_location": job.keep_location,
            "edits": [edit_out(edit) for edit in job.edits],
            "fonts": job.fonts,
            "wall_clocks": [_wall_clock_out(clock) for clock in job.wall_clocks],
            "assets": dict(job.assets),
            "insets": [_inset_out(inset) for inset in job.insets],
            "title": job.title,
            "labels": job.labels,
            "chapters": None if job.chapters is None else [chapter_out(each) for each in job.chapters],
            "outputs": [output_out(output) for output in job.outputs],
            "pictures": job.pictures,
        }

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        ranges = tuple(_range_in(wanted) for wanted in fields["ranges"])
        clocks = tuple(None if clock is None else Fraction(clock) for clock in fields["clocks"])
        limits, sizes = Limits(**fields["limits"]), tuple(fields["sizes"])
        edits = tuple(edit_in(edit) for edit in fields["edits"])
        location = bool(fields["keep_location"])
        wall_clocks = tuple(_wall_clock_in(clock) for clock in fields["wall_clocks"])
        assets = fields["assets"]
        fonts = str(fields["fonts"])
        return cls(
            fields["kind"],
            CutJob(
                sizes,
                ranges,
                fields["precision"],
                limits,
                clocks,
                keep_location=location,
                edits=edits,
                wall_clocks=wall_clocks,
                assets=assets,
                playlists=tuple(fields["playlists"]),
                fonts=fonts,
                insets=tuple(_inset_in(inset) for inset in fields["insets"]),
                title=str(fields["title"]),
                labels=tuple((str(name), str(text)) for name, text in fields["labels"]),
                chapters=None if fields["chapters"] is None else tuple(map(chapter_in, fields["chapters"])),
                outputs=tuple(output_in(output) for output in fields["outputs"]),
                pictures=tuple(fields["pictures"]),
            ),
        )


@dataclass(frozen=True, slots=True)
class SourceBytes:
    """The answer to `ReadRequest`."""

    payload: bytes

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {}

    @classmethod
    def parse(cls, _: dict[str, Any], payload: bytes) -> Self:
        """See `WireMessage`."""
        return cls(payload)


# --- from the child ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Confinement:
    """What confines the child, for the log."""

    by: tuple[str, ...]
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"by": self.by}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_several(fields["by"], 20, _text))


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Requests bytes of a source. The parent answers with `SourceBytes`."""

    source: int
    offset: int
    length: int
    index: bool
    """Whether they are part of the container's index."""
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"source": self.source, "offset": self.offset, "length": self.length, "index": self.index}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        length = _integer(fields["length"], high=LARGEST_READ)
        return cls(_integer(fields["source"]), _integer(fields["offset"]), length, _flag(fields["index"]))


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Requests what `KeptScan` said about a source in an earlier job. The parent answers with `SourceBytes`."""

    source: int
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"source": self.source}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_integer(fields["source"]))


@dataclass(frozen=True, slots=True)
class KeptScan:
    """See `KeepsScan.keep_scan`. There is no answer."""

    source: int
    payload: bytes

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"source": self.source}

    @classmethod
    def parse(cls, fields: dict[str, Any], payload: bytes) -> Self:
        """See `WireMessage`."""
        if len(payload) > LARGEST_KEPT:
            raise ValueError("too much to keep")
        return cls(_integer(fields["source"]), payload)


@dataclass(frozen=True, slots=True)
class PrefetchHint:
    """See `ByteSource.prefetch`. There is no answer."""

    source: int
    ranges: Sequence[tuple[int, int]]
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"source": self.source, "ranges": self.ranges}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_integer(fields["source"]), list(_several(fields["ranges"], _MOST_PREFETCHED, _byte_range)))


@dataclass(frozen=True, slots=True)
class CopyForecast:
    """See `ReadsAhead.read_ahead`. There is no answer."""

    source: int
    offset: int
    length: int
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"source": self.source, "offset": self.offset, "length": self.length}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_integer(fields["source"]), _integer(fields["offset"]), _integer(fields["length"]))


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """The progress of the cut. See `CutProgress`."""

    fraction: float
    frames: int
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"fraction": self.fraction, "frames": self.frames}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        fraction = fields["fraction"]
        if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not math.isfinite(fraction):
            raise ValueError("a fraction that is not a number")
        return cls(min(1.0, max(0.0, float(fraction))), _integer(fields["frames"]))


@dataclass(frozen=True, slots=True)
class MemoryForecast:
    """How many bytes the child expects to have left of its address space soon: it opens an encoder."""

    left: int
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"left": self.left}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_integer(fields["left"]))


@dataclass(frozen=True, slots=True)
class FailureReport:
    """The task failed. It is the child's last message, except for a probe of several recordings, which goes on."""

    reason: str
    """The reason of a `CutbackError`."""
    detail: str
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"reason": self.reason, "detail": self.detail}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_text(fields["reason"])[:100], _text(fields["detail"])[:500])


@dataclass(frozen=True, slots=True)
class Findings:
    """What a probe or a preview found. It ends the task, or the part of a probe that is about one recording."""

    found: dict[str, Any]
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"found": self.found}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        found = _Cleaner().clean(fields["found"])
        if not isinstance(found, dict):
            raise TypeError("malformed findings")
        return cls(found)


@dataclass(frozen=True, slots=True)
class MadeSheet:
    """A sheet of small pictures and what they show. It ends the task."""

    found: dict[str, Any]
    payload: bytes
    """The sheet, a JPEG."""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"found": self.found}

    @classmethod
    def parse(cls, fields: dict[str, Any], payload: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_tiles_in(fields["found"]), payload)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A child without libavformat cannot tell what this recording is. The probe goes on with the next one."""

    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {}

    @classmethod
    def parse(cls, _: dict[str, Any], __: bytes) -> Self:
        """See `WireMessage`."""
        return cls()


@dataclass(frozen=True, slots=True)
class FinishedCut:
    """The outputs are made. The child then makes the clip's posters while the parent stores them."""

    outputs: tuple[MadeOutput, ...]
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"outputs": [_output_out(output) for output in self.outputs]}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_several(fields["outputs"], MOST_OUTPUTS, _output_in))

    def check(self, sizes: Sequence[int], spool_size: int, names: Sequence[str] | None = None) -> None:
        """Check that every extent is inside its origin, a source or the spool, and that the facts match them.

        `names` are those of the job's outputs.

        Raises:
            MalformedMessageError: an extent is not, the facts do not, or these are not the outputs of the job.
        """
        if names is not None and [output.name for output in self.outputs] != list(names):
            raise MalformedMessageError("other outputs than those of the job")
        files = [file for output in self.outputs for file in output.files]
        if not all(output.files for output in self.outputs) or not files:
            raise MalformedMessageError("an output without a file")
        if len({file.name for file in files}) < len(files) or not all(_FILE.fullmatch(file.name) for file in files):
            raise MalformedMessageError("a file with the name of another, or with one that files never have")
        for output in self.outputs:
            if any(span.source >= len(sizes) for span in output.facts.spans):
                raise MalformedMessageError("a span of no source")
            if output.facts.size != sum(file.size for file in output.files):
                raise MalformedMessageError("a size that is not that of the output")
        for extent in (extent for file in files for extent in file.extents):
            if not SPOOL <= extent.origin < len(sizes):
                raise MalformedMessageError("an extent of no source")
            size = spool_size if extent.origin == SPOOL else sizes[extent.origin]
            if extent.offset < 0 or not 0 < extent.length <= size - extent.offset:
                raise MalformedMessageError("an extent outside its origin")


@dataclass(frozen=True, slots=True)
class DrawnPosters:
    """The clip's posters. What else comes with the clip follows."""

    posters: tuple[Poster, ...]
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"posters": [astuple(poster) for poster in self.posters]}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(_several(fields["posters"], _MOST_POSTERS, _poster_in))

    def check(self, spool_size: int) -> None:
        """Check that every poster is inside the spool.

        Raises:
            MalformedMessageError: one is not, or is too large.
        """
        for poster in self.posters:
            if poster.offset < 0 or not 0 < poster.size <= min(_LARGEST_POSTER, spool_size - poster.offset):
                raise MalformedMessageError("a poster outside the spool")


@dataclass(frozen=True, slots=True)
class MadePictures:
    """What comes with the clip besides its posters. It ends the task."""

    pictures: ClipPictures
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        made = self.pictures
        return {
            "tiles": made.tiles,
            "sheet": None if made.sheet is None else astuple(made.sheet),
            "preview": None if made.preview is None else astuple(made.preview),
            "waveform": made.waveform,
            "notes": made.notes,
        }

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(
            ClipPictures(
                tiles=None if fields["tiles"] is None else _tiles_in(fields["tiles"]),
                sheet=_picture_in(fields["sheet"]),
                preview=_picture_in(fields["preview"]),
                waveform=None if fields["waveform"] is None else _peaks_in(fields["waveform"]),
                notes=_several(fields["notes"], _MOST_NOTES, _text),
            )
        )

    def check(self, spool_size: int) -> None:
        """Check that every picture is inside the spool, and that the sheet and what it shows come together.

        Raises:
            MalformedMessageError: one is not, or is too large.
        """
        made = self.pictures
        if (made.sheet is None) is not (made.tiles is None):
            raise MalformedMessageError("a sheet without tiles, or tiles without a sheet")
        for picture in (made.sheet, made.preview):
            if picture and not 0 < picture.size <= min(_LARGEST_POSTER, spool_size - picture.offset):
                raise MalformedMessageError("a picture outside the spool")


_KINDS: tuple[type[WireMessage], ...] = (
    Task,
    SourceBytes,
    Confinement,
    ReadRequest,
    ScanRequest,
    KeptScan,
    PrefetchHint,
    CopyForecast,
    ProgressReport,
    MemoryForecast,
    FailureReport,
    Findings,
    MadeSheet,
    Undecided,
    FinishedCut,
    DrawnPosters,
    MadePictures,
)
_BY_NAME = {kind.__name__: kind for kind in _KINDS}


def encode(message: WireMessage) -> dict[str, Any]:
    """Return a message's JSON, including its class."""
    fields = message.fields()
    fields["type"] = type(message).__name__
    return fields


def decode(fields: dict[str, Any], payload: bytes) -> WireMessage:
    """Reverse `encode`. Raises like `WireMessage.parse`."""
    return _BY_NAME[fields["type"]].parse(fields, payload)


# --- values in messages ------------------------------------------------------------------------------


def _integer(value: Any, *, low: int = 0, high: int = _LARGEST_NUMBER) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError("a number with the wrong type or out of range")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _fraction(value: Any) -> Fraction:
    """Parse a fraction. Its length is checked first, because an exponent would be expanded to gigabytes."""
    if not isinstance(value, str) or not _FRACTION.fullmatch(value):
        raise ValueError("not a fraction")
    return Fraction(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return visible(value[:_LONGEST_TEXT])


def _several(values: Any, most: int, read: Callable[[Any], V]) -> tuple[V, ...]:
    if not isinstance(values, list) or len(values) > most:
        raise ValueError("not a list, or too long")
    return tuple(read(value) for value in values)


def _byte_range(value: Any) -> tuple[int, int]:
    offset, length = value
    return _integer(offset), _integer(length)


def _extent_in(value: Any) -> Extent:
    origin, offset, length = value
    return Extent(_integer(origin, low=SPOOL), _integer(offset), _integer(length))


def _output_out(output: MadeOutput) -> dict[str, Any]:
    files = [[file.name, file.extents] for file in output.files]
    return {"name": output.name, "facts": _facts_out(output.facts), "files": files}


def _output_in(value: Any) -> MadeOutput:
    files = _several(value["files"], _MOST_FILES, _file_in)
    return MadeOutput(_text(value["name"]), _facts_in(value["facts"]), files)


def _file_in(value: Any) -> OutputFile:
    name, extents = value
    return OutputFile(_text(name), tuple(_extent_in(extent) for extent in extents))


def _poster_in(value: Any) -> Poster:
    return Poster(*(_integer(number) for number in value))


def _picture_in(value: Any) -> SpooledPicture | None:
    if value is None:
        return None
    width, height, offset, size = (_integer(number) for number in value)
    return SpooledPicture(width, height, offset, size)


def _tiles_in(value: Any) -> dict[str, Any]:
    """Parse what a sheet of pictures shows. Its times become numbers later: their length is checked here."""
    tiles = _several(value["tiles"], _MOST_TILES, _tile_in)
    sizes = {name: _integer(value[name]) for name in ("width", "height", "columns")}
    end = {"end": _decimal(value["end"])} if "end" in value else {}
    if tiles and not sizes["columns"]:
        raise ValueError("tiles in no row")
    return {**sizes, **end, "tiles": list(tiles)}


def _tile_in(value: Any) -> dict[str, Any]:
    numbers = {name: _integer(value[name]) for name in ("slot", "frame") if name in value}
    return {"frame": 0, **numbers, "at": _decimal(value["at"])}


def _decimal(value: Any) -> str:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError("not a number of seconds")
    return value


def _peaks_in(value: Any) -> dict[str, Any]:
    """Parse a waveform."""
    found = {name: _resolution_in(value[name]) for name in ("fine", "coarse")}
    return {"scale": _integer(value["scale"], low=1), **found}


def _resolution_in(value: Any) -> dict[str, Any]:
    low = -_LARGEST_NUMBER
    peaks = _several(value["peaks"], _MOST_FOUND, lambda peak: _integer(peak, low=low))
    if len(peaks) % 2:
        raise ValueError("a lowest value without a highest one")
    return {"seconds": list(_several(value["seconds"], 2, _integer)), "peaks": list(peaks)}


class _Cleaner:
    """Copies a result as plain data: bounded numbers, cleaned texts, not too many of them."""

    def __init__(self) -> None:
        self._left = _MOST_FOUND

    def clean(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST_FOUND:
            raise ValueError("too many values, or nested too deeply")
        match value:
            case None | bool():
                return value
            case int():
                return _integer(value, low=-_LARGEST_NUMBER)
            case float():
                if not math.isfinite(value):
                    raise ValueError("not a finite number")
                return value
            case str():
                return _text(value)
            case list():
                return [self.clean(each, depth + 1) for each in value]
            case dict():
                return {_text(key): self.clean(each, depth + 1) for key, each in value.items()}
        raise TypeError("a value with a wrong type")


def _range_out(wanted: CutRange | CutGap) -> list[Any]:
    if isinstance(wanted, CutGap):
        return [str(wanted.duration), wanted.fill]
    ends = [_instant_out(wanted.start), _instant_out(wanted.end)]
    flags = wanted.seam_before, wanted.seam_after, wanted.optional
    return [wanted.source, *ends, *flags, str(wanted.crossfade)]


def _range_in(data: list[Any]) -> CutRange | CutGap:
    match data:
        case [duration, fill]:
            return CutGap(Fraction(duration), fill)
        case [source, start, end, bool() as before, bool() as after, bool() as optional, str() as crossfade]:
            return CutRange(source, _instant_in(start), _instant_in(end), before, after, optional, Fraction(crossfade))
    raise ValueError("a malformed range")


def _wall_clock_out(clock: WallClock | None) -> list[str] | None:
    return None if clock is None else [str(clock.epoch), str(clock.pace), clock.camera]


def _wall_clock_in(data: list[str] | None) -> WallClock | None:
    return None if data is None else WallClock(Fraction(data[0]), Fraction(data[1]), data[2])


def _inset_out(inset: InsetRange) -> list[Any]:
    return [inset.shows, inset.source, str(inset.start), None if inset.end is None else str(inset.end)]


def _inset_in(data: list[Any]) -> InsetRange:
    shows, source, start, end = data
    return InsetRange(shows, source, Fraction(start), None if end is None else Fraction(end))


_END = "end-"
"""Begins the text of a time before the recording's end."""


def _instant_out(instant: Instant) -> str | int:
    if isinstance(instant, FromEnd):
        return f"{_END}{instant.seconds}"
    return instant.frame if isinstance(instant, FrameNumber) else str(instant)


def _instant_in(value: str | int) -> Instant:
    if isinstance(value, int):
        return FrameNumber(value)
    return FromEnd(Fraction(value.removeprefix(_END))) if value.startswith(_END) else Fraction(value)


def _facts_out(facts: Facts) -> dict[str, Any]:
    spans = [[span.source, str(span.start), str(span.end), span.clamped] for span in facts.spans]
    return {**asdict(facts), "duration": str(facts.duration), "spans": spans}


def _facts_in(data: dict[str, Any]) -> Facts:
    numbers = {
        name: _integer(data[name]) for name in ("size", "width", "height", "frames", "frames_copied", "frames_encoded")
    }
    return Facts(
        duration=_fraction(data["duration"]),
        spans=_several(data["spans"], _MOST_SPANS, _span_in),
        remade=_flag(data["remade"]),
        quality=_text(data["quality"]),
        notes=_several(data["notes"], _MOST_NOTES, _text),
        edits=_several(data["edits"], _MOST_NOTES, _text),
        stages=_several(data["stages"], _MOST_STAGES, _stage_in),
        **numbers,
    )


def _stage_in(value: Any) -> tuple[str, float]:
    name, seconds = value
    if not isinstance(seconds, float) or not 0 <= seconds < _LONGEST_STAGE:
        raise ValueError("a stage's time is not a number of seconds")
    return _text(name), seconds


def _span_in(value: Any) -> RealSpan:
    source, start, end, clamped = value
    return RealSpan(_integer(source), _fraction(start), _fraction(end), _flag(clamped))
