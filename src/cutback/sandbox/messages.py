"""The messages between the child that cuts and its parent. Both ends use these classes, and no others.

The parent does not trust the child: `parse` accepts only well-formed messages, and references to bytes are checked
against the sources and the spool before they are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal, Protocol, Self

from cutback.cutting.job import CutGap, CutJob, CutRange, Facts, Limits, Poster, RealSpan
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.domain.times import FrameNumber, Instant

_LARGEST_POSTER = 64 * 1024 * 1024


class WireError(Exception):
    """The other side is gone or violates the protocol."""


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


@dataclass(frozen=True, slots=True)
class Task:
    """The first message: what the child must do. The parent sends the spool's descriptor before it."""

    kind: Literal["cut", "probe", "preview"]
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
            "keep_location": job.keep_location,
        }

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        ranges = tuple(_range_in(wanted) for wanted in fields["ranges"])
        clocks = tuple(None if clock is None else Fraction(clock) for clock in fields["clocks"])
        limits, sizes = Limits(**fields["limits"]), tuple(fields["sizes"])
        return cls(
            fields["kind"], CutJob(sizes, ranges, fields["precision"], limits, clocks, bool(fields["keep_location"]))
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
        return cls(tuple(map(str, fields["by"])))


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
        source, offset, length = int(fields["source"]), int(fields["offset"]), int(fields["length"])
        if source < 0 or offset < 0 or length < 0:
            raise ValueError("a negative number")
        return cls(source, offset, length, bool(fields["index"]))


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
        ranges = [(_natural(offset), _natural(length)) for offset, length in fields["ranges"]]
        return cls(_natural(fields["source"]), ranges)


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
        return cls(min(1.0, float(fields["fraction"])), int(fields["frames"]))


@dataclass(frozen=True, slots=True)
class FailureReport:
    """The task failed; this is the child's last message."""

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
        return cls(str(fields["reason"]), str(fields["detail"])[:500])


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of a probe or a preview. It ends the task."""

    found: dict[str, Any]
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"found": self.found}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(dict(fields["found"]))


@dataclass(frozen=True, slots=True)
class FinishedCut:
    """The clip is cut. The child then makes its posters while the parent stores the clip."""

    facts: Facts
    extents: tuple[Extent, ...]
    payload: bytes
    """The clip's head: its bytes before the extents."""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"facts": _facts_out(self.facts), "extents": self.extents}

    @classmethod
    def parse(cls, fields: dict[str, Any], payload: bytes) -> Self:
        """See `WireMessage`."""
        extents = tuple(Extent(int(origin), int(offset), int(length)) for origin, offset, length in fields["extents"])
        return cls(_facts_in(fields["facts"]), extents, payload)

    def check(self, sizes: Sequence[int], spool_size: int) -> None:
        """Check that every extent is inside its origin, a source or the spool.

        Raises:
            WireError: one is not.
        """
        for extent in self.extents:
            if not SPOOL <= extent.origin < len(sizes):
                raise WireError("an extent of no source")
            size = spool_size if extent.origin == SPOOL else sizes[extent.origin]
            if extent.offset < 0 or not 0 < extent.length <= size - extent.offset:
                raise WireError("an extent outside its origin")


@dataclass(frozen=True, slots=True)
class DrawnPosters:
    """The clip's posters. They end the task."""

    posters: tuple[Poster, ...]
    payload: ClassVar[bytes] = b""

    def fields(self) -> dict[str, Any]:
        """See `WireMessage`."""
        return {"posters": [astuple(poster) for poster in self.posters]}

    @classmethod
    def parse(cls, fields: dict[str, Any], _: bytes) -> Self:
        """See `WireMessage`."""
        return cls(tuple(Poster(*map(int, numbers)) for numbers in fields["posters"]))

    def check(self, spool_size: int) -> None:
        """Check that every poster is inside the spool.

        Raises:
            WireError: one is not, or is too large.
        """
        for poster in self.posters:
            if poster.offset < 0 or not 0 < poster.size <= min(_LARGEST_POSTER, spool_size - poster.offset):
                raise WireError("a poster outside the spool")


_KINDS: tuple[type[WireMessage], ...] = (
    Task,
    SourceBytes,
    Confinement,
    ReadRequest,
    PrefetchHint,
    ProgressReport,
    FailureReport,
    Findings,
    FinishedCut,
    DrawnPosters,
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


def _natural(value: Any) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("a negative number")
    return number


def _range_out(wanted: CutRange | CutGap) -> list[Any]:
    if isinstance(wanted, CutGap):
        return [str(wanted.duration), wanted.fill]
    ends = [_instant_out(wanted.start), _instant_out(wanted.end)]
    return [wanted.source, *ends, wanted.seam_before, wanted.seam_after, wanted.optional]


def _range_in(data: list[Any]) -> CutRange | CutGap:
    match data:
        case [duration, fill]:
            return CutGap(Fraction(duration), fill)
        case [source, start, end, *flags]:
            return CutRange(source, _instant_in(start), _instant_in(end), *flags)
    raise ValueError("a malformed range")


def _instant_out(instant: Instant) -> str | int:
    return instant.frame if isinstance(instant, FrameNumber) else str(instant)


def _instant_in(value: str | int) -> Instant:
    return FrameNumber(value) if isinstance(value, int) else Fraction(value)


def _facts_out(facts: Facts) -> dict[str, Any]:
    spans = [[span.source, str(span.start), str(span.end), span.clamped] for span in facts.spans]
    return {**asdict(facts), "duration": str(facts.duration), "spans": spans}


def _facts_in(data: dict[str, Any]) -> Facts:
    spans = tuple(RealSpan(int(n), Fraction(a), Fraction(b), bool(c)) for n, a, b, c in data["spans"])
    numbers = {
        name: int(data[name]) for name in ("size", "width", "height", "frames", "frames_copied", "frames_encoded")
    }
    return Facts(
        duration=Fraction(data["duration"]),
        spans=spans,
        remade=bool(data["remade"]),
        notes=tuple(str(note) for note in data["notes"]),
        **numbers,
    )
