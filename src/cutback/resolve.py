"""A request's source becomes spans of recordings, each pinned to the version it has now."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from cutback.cutting.job import CutJob, CutRange, Limits, Source
from cutback.ports import Cache
from cutback.range_reader import RangeReader
from cutback.recording import Recording, Span
from cutback.remembering import RememberingReader
from cutback.request import ClipRequest
from cutback.storage import ObjectInfo, Store


class Reader(Source, Protocol):
    """A recording opened for reading, which counts what it costs."""

    @property
    def info(self) -> ObjectInfo:
        """The version it is pinned to."""
        ...

    @property
    def bytes_read(self) -> int:
        """From the store, so far."""
        ...

    @property
    def requests(self) -> int:
        """To the store, so far."""
        ...

    def close(self) -> None:
        """Let go of what was read."""
        ...


@dataclass(frozen=True, slots=True)
class Footage:
    """What a clip is cut from: its spans in order, and every recording once, opened until this is closed."""

    spans: tuple[Span, ...]
    readers: tuple[Reader, ...]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self.readers:
            reader.close()

    def job(self, request: ClipRequest, limits: Limits) -> CutJob:
        """The work for the cutter."""
        keys = list(dict.fromkeys(span.recording.key for span in self.spans))
        return CutJob(
            sizes=tuple(reader.size for reader in self.readers),
            ranges=tuple(
                CutRange(source=keys.index(span.recording.key), start=span.start, end=span.end) for span in self.spans
            ),
            precision=request.output.precision,
            limits=limits,
        )

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Every recording once, in the order of `readers`."""
        return tuple({span.recording.key: span.recording for span in self.spans}.values())

    @property
    def bytes_read(self) -> int:
        """From the source store, so far."""
        return sum(reader.bytes_read for reader in self.readers)

    @property
    def requests(self) -> int:
        """To the source store, so far."""
        return sum(reader.requests for reader in self.readers)

    @property
    def size(self) -> int:
        """Bytes of all the recordings together."""
        return sum(reader.size for reader in self.readers)


def resolve(request: ClipRequest, store: Store, cache: Cache, *, stopped: Callable[[], bool]) -> Footage:
    """Find the recordings a request names, in the store of sources. Once `stopped`, reads are broken off.

    Their indexes are remembered in `cache`.

    Raises:
        RecordingNotFoundError: a recording is not there.
        StorageUnavailableError: the store does not answer.
    """
    return resolve_with(request, lambda key: RememberingReader(RangeReader.open(store, key, stopped=stopped), cache))


def resolve_with(request: ClipRequest, open_reader: Callable[[str], Reader]) -> Footage:
    """As `resolve`, with any way to open a recording."""
    with ExitStack() as opened:
        readers = {
            key: opened.enter_context(closing(open_reader(key)))
            for key in dict.fromkeys(piece.recording for piece in request.source)
        }
        opened.pop_all()  # all are there: from here on the footage closes them
    recordings = {key: Recording(key, reader.info.etag, reader.size) for key, reader in readers.items()}
    spans = tuple(Span(recordings[piece.recording], piece.start, piece.end) for piece in request.source)
    return Footage(spans=spans, readers=tuple(readers.values()))
