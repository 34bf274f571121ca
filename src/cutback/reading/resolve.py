"""Resolves a request's source to spans of recordings, each pinned to its current version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

from cutback.cutting.job import ByteSource, CutGap, CutJob, CutRange, InsetRange, Limits, RealSpan, WallClock
from cutback.domain.cameras.coverage import Coverage, Hole, Take
from cutback.domain.cameras.recording import Recording, RecordingSpan
from cutback.domain.errors import EditImpossibleError
from cutback.domain.requests.pictures import PictureKind
from cutback.domain.requests.request import ClipRequest
from cutback.domain.requests.sources import AssetRange, CameraSpan, GapRule, Range
from cutback.domain.times import FromEnd, Instant
from cutback.domain.wallclock import EPOCH, seconds_between
from cutback.reading.assets import asset_opener, no_assets
from cutback.reading.chapter_values import chapters_of
from cutback.reading.edit_values import edits_of
from cutback.reading.index_cache import RememberingReader
from cutback.reading.open_playlist import Opened, is_playlist, open_segments
from cutback.reading.output_values import outputs_of
from cutback.reading.range_reader import RangeReader
from cutback.storage.store import ObjectInfo, Store

if TYPE_CHECKING:
    from cutback.domain.clips.result import Gap, InsetRecording
    from cutback.ports import Cache


class Reader(ByteSource, Protocol):
    """A recording that is open for reading, and counts bytes and requests."""

    @property
    def info(self) -> ObjectInfo:
        """The pinned version."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes read from the store so far."""
        ...

    @property
    def requests(self) -> int:
        """Requests to the store so far."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of a recording that the clip will show."""

    key: str
    start: Instant
    end: Instant
    take: Take | None = None
    """The moments that it shows, if the request names a camera."""
    seam_before: bool = False
    seam_after: bool = False
    is_asset: bool = False
    crossfade: Fraction = Fraction(0)
    """Seconds over which what is before turns into it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A period that the camera did not record, and what the clip shows instead."""

    camera: str
    hole: Hole
    filled: GapRule
    crossfade: Fraction = Fraction(0)

    @property
    def left_out(self) -> bool:
        """Whether the clip shows nothing instead."""
        return self.filled not in {"freeze", "black"}


WantedFootage: TypeAlias = Wanted | Missing


def pieces_of(request: ClipRequest, coverages: Sequence[Coverage]) -> list[WantedFootage]:
    """Return the parts of the clip, in order. Pure. `coverages` belong to the request's camera spans, in order."""
    left = list(coverages)
    made: list[WantedFootage] = []
    for source in request.source:
        match source:
            case Range():
                parts: list[WantedFootage] = [Wanted(source.recording, source.start, source.end)]
            case AssetRange():
                parts = [Wanted(source.asset, source.start, source.end, is_asset=True)]
            case _:
                parts = _pieces_of_span(source, left.pop(0))
        if source.join is not None:
            first = next((n for n, part in enumerate(parts) if not (isinstance(part, Missing) and part.left_out)), 0)
            parts[first : first + 1] = [replace(part, crossfade=source.join.crossfade) for part in parts[first:][:1]]
        made += parts
    return made


def _pieces_of_span(span: CameraSpan, coverage: Coverage) -> list[WantedFootage]:
    made: list[WantedFootage] = []
    stretches = coverage.stretches
    for number, stretch in enumerate(stretches):
        if isinstance(stretch, Hole):
            made.append(Missing(span.camera, stretch, span.gaps))
            continue
        made.append(
            Wanted(
                stretch.recording.key,
                stretch.start,
                stretch.end,
                take=stretch,
                seam_before=number > 0 and _meets(stretches[number - 1], span.gaps),
                seam_after=number + 1 < len(stretches) and _meets(stretches[number + 1], span.gaps),
            )
        )
    return made


def _meets(neighbour: Take | Hole, gaps: GapRule) -> bool:
    """Whether the clip continues without a cut in time; after a skipped gap, it does not."""
    return isinstance(neighbour, Take) or gaps in {"freeze", "black"}


@dataclass(frozen=True, slots=True)
class OpenedInset:
    """A part of a recording that insets show."""

    shows: str
    """The camera or the recording that they name."""
    span: RecordingSpan
    take: Take | None
    """The moments that it shows; None: all of a recording."""


@dataclass(frozen=True, slots=True)
class OpenedSources:
    """What a clip is cut from: its spans in order, and each recording once, open until this is closed."""

    spans: tuple[RecordingSpan, ...]
    readers: tuple[Reader, ...]
    pieces: tuple[WantedFootage, ...] = ()
    """The footage or gap of each span, in order."""
    notes: tuple[str, ...] = field(default=())
    clocks: tuple[Fraction | None, ...] = ()
    """See `CutJob.clocks`."""
    assets: Mapping[str, Recording] = field(default_factory=dict)
    """What edits need from the assets store, by name."""
    insets: tuple[OpenedInset, ...] = ()
    """What insets show."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self.readers:
            reader.close()

    def job(
        self,
        request: ClipRequest,
        limits: Limits,
        *,
        keep_location: bool = False,
        pictures: tuple[PictureKind, ...] = ("poster",),
    ) -> CutJob:
        """Return the cutter's job. `pictures` come with the clip if the request does not say which."""
        return CutJob(
            sizes=tuple(reader.size for reader in self.readers),
            ranges=tuple(self._ranges()),
            precision=next(iter(request.wanted_outputs.values())).precision,
            limits=limits,
            clocks=self.clocks,
            playlists=self._playlists(),
            keep_location=keep_location,
            edits=edits_of(request.edits, request.text_field),
            wall_clocks=self._wall_clocks(),
            title=request.title,
            labels=tuple(request.labels.items()),
            chapters=chapters_of(request.chapters),
            outputs=outputs_of(request.wanted_outputs),
            pictures=pictures if request.pictures is None else request.pictures,
            assets={name: self.recordings.index(asset) for name, asset in self.assets.items()},
            insets=tuple(self._inset_ranges()),
        )

    def _playlists(self) -> tuple[int | None, ...]:
        numbers: dict[str, int] = {}
        segments = [
            None if clock is None else recording.key
            for recording, clock in zip(self.recordings, self.clocks, strict=True)
        ]
        return tuple(None if key is None else numbers.setdefault(key, len(numbers)) for key in segments)

    def _wall_clocks(self) -> tuple[WallClock | None, ...]:
        found: dict[Recording, WallClock] = {}
        spans = iter(self.spans)
        for piece in self.pieces:
            if not isinstance(piece, Wanted):
                continue
            span = next(spans)
            if piece.take is not None:
                epoch = seconds_between(EPOCH, piece.take.recording.start)
                found[span.recording] = WallClock(epoch, piece.take.pace, piece.take.recording.camera)
        for inset in self.insets:
            if inset.take is not None:
                epoch = seconds_between(EPOCH, inset.take.recording.start)
                clock = WallClock(epoch, inset.take.pace, inset.take.recording.camera)
                found.setdefault(inset.span.recording, clock)
        return tuple(found.get(recording) for recording in self.recordings)

    def _inset_ranges(self) -> Iterator[InsetRange]:
        for inset in self.insets:
            start, end = (each if isinstance(each, Fraction) else None for each in (inset.span.start, inset.span.end))
            number = self.recordings.index(inset.span.recording)
            yield InsetRange(inset.shows, number, start or Fraction(0), end)

    def _ranges(self) -> Iterator[CutRange | CutGap]:
        spans, recordings = iter(self.spans), self.recordings
        for piece in self.pieces:
            if isinstance(piece, Wanted):
                span = next(spans)
                number = recordings.index(span.recording)
                seams = (span.seam_before, span.seam_after, span.optional)
                yield CutRange(number, span.start, span.end, *seams, crossfade=span.crossfade)
            elif not piece.left_out:
                if piece.crossfade:
                    raise EditImpossibleError("crossfade: a filled gap cannot be part of it.")
                yield CutGap(piece.hole.seconds, "black" if piece.filled == "black" else "freeze")

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Each recording and asset once, in the order of `readers`."""
        return tuple(dict.fromkeys(self._all_recordings))

    @property
    def _all_recordings(self) -> Iterator[Recording]:
        yield from (span.recording for span in self.spans)
        yield from self.assets.values()
        yield from (inset.span.recording for inset in self.insets)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The requested periods that were not recorded."""
        from cutback.domain.clips.result import Gap  # `cutback cut` needs no models of clips

        return tuple(
            Gap(camera=piece.camera, begins=piece.hole.begins, ends=piece.hole.ends, filled=piece.filled)
            for piece in self.pieces
            if isinstance(piece, Missing)
        )

    @property
    def inset_recordings(self) -> tuple[InsetRecording, ...]:
        """The recordings of which insets show pictures, each once."""
        from cutback.domain.clips.result import InsetRecording  # as for gaps

        return tuple(
            dict.fromkeys(
                InsetRecording(
                    recording=inset.span.recording.key,
                    etag=inset.span.recording.etag,
                    camera=None if inset.take is None else inset.take.recording.camera,
                )
                for inset in self.insets
            )
        )

    def wall_clock(self, span: RealSpan) -> tuple[str | None, datetime | None]:
        """Return the camera and the moment at which a span begins; (None, None) if the request names no camera."""
        recording = self.recordings[span.source]
        for piece in self.pieces:
            if (
                isinstance(piece, Wanted)
                and (piece.key, piece.is_asset) == (recording.key, recording.is_asset)
                and piece.take is not None
            ):
                return piece.take.recording.camera, piece.take.moment(span.start)
        return None, None

    @property
    def bytes_read(self) -> int:
        """Bytes read from the source store so far."""
        return sum(reader.bytes_read for reader in self.readers)

    @property
    def requests(self) -> int:
        """Requests to the source store so far."""
        return sum(reader.requests for reader in self.readers)

    @property
    def size(self) -> int:
        """Total bytes of all recordings."""
        return sum(reader.size for reader in self.readers)


def resolve(
    request: ClipRequest,
    store: Store,
    cache: Cache,
    *,
    stopped: Callable[[], bool],
    coverages: Sequence[Coverage] = (),
    assets: Store | None = None,
    copied_in_store: bool = False,
) -> OpenedSources:
    """Open what a request needs: recordings in the source store, and assets. Once `stopped` returns True, reads end.

    `coverages` belong to the request's camera spans (`all_spans`), in order. The recordings' indexes are cached in
    `cache`. See `RememberingReader` for `copied_in_store`.

    Raises:
        RecordingNotFoundError: a recording does not exist.
        AssetNotFoundError: an asset does not exist.
        StorageUnavailableError: the store does not answer.
    """
    return resolve_with(
        request,
        lambda key: RememberingReader(
            RangeReader.open(store, key, stopped=stopped), cache, copied_in_store=copied_in_store
        ),
        lambda key, start, end: open_segments(store, key, start, end, stopped=stopped),
        coverages=coverages,
        open_asset=asset_opener(assets, request.tenant, stopped=stopped),
    )


def resolve_with(
    request: ClipRequest,
    open_reader: Callable[[str], Reader],
    open_playlist: Callable[[str, Instant, Instant], list[Opened]],
    *,
    coverages: Sequence[Coverage] = (),
    open_asset: Callable[[str], Reader] = no_assets,
) -> OpenedSources:
    """Like `resolve`, with other functions to open recordings, the segments of playlists and assets."""
    pieces: list[WantedFootage] = []
    readers: dict[Recording, Reader] = {}
    clocks: dict[Recording, Fraction | None] = {}
    whole: dict[str, Recording] = {}
    assets: dict[str, Recording] = {}
    spans: list[RecordingSpan] = []
    with ExitStack() as opened:

        def known(key: str, reader: Reader, clock: Fraction | None = None) -> Recording:
            recording = Recording(key, reader.info.etag, reader.size)
            if recording in readers:  # two ranges that need the same segments
                reader.close()
            else:
                readers[recording] = opened.enter_context(closing(reader))
                clocks[recording] = clock
            return recording

        def asset(name: str) -> Recording:
            if name not in assets:
                reader = opened.enter_context(closing(open_asset(name)))
                assets[name] = Recording(name, reader.info.etag, reader.size, is_asset=True)
                readers[assets[name]] = reader
                clocks[assets[name]] = None
            return assets[name]

        def spans_of(key: str, start: Instant, end: Instant) -> list[RecordingSpan]:
            if is_playlist(key):
                parts = open_playlist(key, start, end)
                return [RecordingSpan(known(key, one.reader, one.clock), one.start, one.end) for one in parts]
            if key not in whole:
                whole[key] = known(key, open_reader(key))
            return [RecordingSpan(whole[key], start, end)]

        for piece in pieces_of(request, coverages):
            if isinstance(piece, Missing):
                pieces.append(piece)
                continue
            if piece.is_asset:
                found = [RecordingSpan(asset(piece.key), piece.start, piece.end)]
            else:
                found = spans_of(piece.key, piece.start, piece.end)
            optional = piece.take is not None or len(found) > 1
            found = [replace(span, optional=optional) for span in found]
            found[0] = replace(found[0], seam_before=piece.seam_before, crossfade=piece.crossfade)
            found[-1] = replace(found[-1], seam_after=piece.seam_after)
            spans += found
            pieces += [piece] * len(found)
        for name in request.assets:
            asset(name)
        insets = [
            OpenedInset(other.camera, one, take)
            for other, coverage in zip(request.inset_spans, coverages[len(request.spans) :], strict=True)
            for take in coverage.takes
            for one in spans_of(take.recording.key, take.start, take.end)
        ]
        for key in request.inset_recordings:
            insets += [OpenedInset(key, one, None) for one in spans_of(key, Fraction(0), FromEnd(Fraction(0)))]
        opened.pop_all()  # all are open: from here on `OpenedSources` closes them
    return OpenedSources(
        spans=tuple(spans),
        readers=tuple(readers.values()),
        pieces=tuple(pieces),
        notes=tuple(dict.fromkeys(note for coverage in coverages for note in coverage.notes)),
        clocks=tuple(clocks.values()),
        assets=assets,
        insets=tuple(insets),
    )
