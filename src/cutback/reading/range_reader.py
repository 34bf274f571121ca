"""Reads a recording by ranges: only what is asked for, ahead where that pays, pinned to one version."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from cutback.domain.byte_ranges import coalesced, split
from cutback.domain.errors import ObjectNotFoundError, RecordingNotFoundError, StoppedError
from cutback.reading.one_ahead import one_ahead
from cutback.reading.pieces_in_memory import CachedRange, CachedRanges
from cutback.reading.pinned_object import PinnedObject
from cutback.storage.store import MIB, ObjectInfo, Store

BLOCK = 64 * 1024
"""An unannounced read fetches whole blocks of this size."""
_MOST_AHEAD = 8 * MIB
"""Where read-ahead stops growing."""
_ASYNC_FROM = MIB
"""From this read-ahead on, the next window is fetched before the current one is used up."""
_PIECE = 4 * MIB
"""The most that one request of `read_at` fetches; more is fetched in several at once."""
_ANNOUNCED = 8 * MIB
"""The same of `prefetch`: what is announced comes in time, so few requests count for more."""
_GAP = 16 * 1024
"""Announced ranges this close are fetched together: a request costs more than the bytes between."""
_IN_FLIGHT = 4
_RUNS = 4
"""Sequential readings followed at once, such as a file's sound and pictures lying apart."""
T = TypeVar("T")

_STOP_CHECK = 0.2
"""Seconds between two looks at `stopped` while bytes are awaited."""


@dataclass(slots=True)
class _SequentialRead:
    """A sequential reading: where it has come to, and how far ahead it is worth fetching."""

    end: int
    window: int = BLOCK
    fetched: int = 0
    """Where what was fetched for it ends."""


class RangeReader:
    """A recording's bytes, for any number of threads; a `ByteSource` of the cutter.

    Every read is of the version found at `open`: when it is replaced or shortened, reads that reach the
    store raise `SourceChangedError`, or `RecordingGrewError` (see `PinnedObject`); when it is gone,
    `RecordingNotFoundError`; when the store does not answer, `StorageUnavailableError`. Once `stopped`
    answers True, reads that have to wait raise `StoppedError` within a fifth of a second.

    Holds at most `memory` bytes, and pieces on their way on top of it.
    """

    def __init__(
        self, store: Store, info: ObjectInfo, *, memory: int = 32 * MIB, stopped: Callable[[], bool] | None = None
    ) -> None:
        """Pins the version of `info`, without a request."""
        self.info = info
        self.pinned = PinnedObject(store, info)
        self._memory = memory
        self._stopped = stopped
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="range-reader")
        self._pieces = CachedRanges()
        self._announced: deque[tuple[int, int]] = deque()
        self._runs: list[_SequentialRead] = []
        self._reads = 0
        self._bytes_read = 0
        self._requests = 0

    @classmethod
    def open(cls, store: Store, key: str, *, stopped: Callable[[], bool] | None = None) -> Self:
        """Pin the version that is there now. One request, which is counted.

        Raises:
            RecordingNotFoundError: there is no such recording.
            InvalidRequestError: the key is none.
            StorageUnavailableError: the store does not answer.
        """
        try:
            reader = cls(store, store.head(key), stopped=stopped)
        except ObjectNotFoundError as error:
            raise RecordingNotFoundError(error.detail) from None
        reader._requests = 1
        return reader

    @property
    def size(self) -> int:
        """Bytes of the recording."""
        return self.info.size

    @property
    def bytes_read(self) -> int:
        """Bytes that came from the store so far, read ahead or announced ones included."""
        with self._lock:
            return self._bytes_read

    @property
    def requests(self) -> int:
        """Requests made to the store so far; repetitions after a fault of the network count as one."""
        with self._lock:
            return self._requests

    @property
    def held(self) -> int:
        """Bytes in memory or on their way into it."""
        with self._lock:
            return self._pieces.total

    # --- reading ---------------------------------------------------------------------------------

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`, fewer only at the end.

        Fetches whole blocks, and more ahead the longer a reading goes on in sequence; announced ranges
        as they were announced. More than 8 MiB at once pass the memory by, as `stream` does.
        """
        if offset < 0:
            raise ValueError("the offset is negative")
        end = min(offset + length, self.size)
        if end <= offset:
            return b""
        if end - offset > _MOST_AHEAD:
            return b"".join(self.stream(offset, end - offset))
        with self._lock:
            pieces = self._wanted(offset, end)
        parts = []
        for piece in pieces:
            data = self._result(piece)
            start, stop = max(offset, piece.start) - piece.start, min(end, piece.end) - piece.start
            parts.append(data if stop - start == len(data) else data[start:stop])
        with self._lock:
            for piece in pieces:
                if end >= piece.end:
                    self._pieces.settle(piece)
            self._fetch_announced()
            self._pieces.shrink(self._memory)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Announce ranges (offset, length) that `read_at` will need; returns at once.

        They are fetched exactly, several at once, in the order of their offsets; near ones together. Only
        half the memory is filled with them: the later ones follow as the earlier ones are read. Errors
        show when they are read. Do not announce what `stream` will read: it would be fetched twice.
        """
        clipped = [(max(0, start), min(start + length, self.size)) for start, length in ranges]
        joined = coalesced([(start, end) for start, end in clipped if start < end], _GAP)
        with self._lock:
            for start, end in joined:
                self._announced.extend(split(start, end, _ANNOUNCED))
            self._fetch_announced()

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """The bytes of a large range, the next piece fetched meanwhile; one request for each gap in what is held."""
        end = min(offset + length, self.size)
        with self._lock:
            steps = self._pieces.steps(offset, end, self.size)
        for start, stop, known in steps:
            yield from [self._result(known)[start:stop]] if known else self._stream_missing(start, stop)

    def _stream_missing(self, start: int, end: int) -> Iterator[bytes]:
        with self._lock:
            self._requests += 1
        try:
            for piece in one_ahead(lambda: self.pinned.stream(start, end - start), self._pool, self._await):
                with self._lock:
                    self._bytes_read += len(piece)
                yield piece
        except ObjectNotFoundError as error:
            raise RecordingNotFoundError(error.detail) from None

    def close(self) -> None:
        """Let go of the memory; requests under way end by themselves. Afterwards reads raise `RuntimeError`."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._announced.clear()
            self._pieces.clear()

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    # --- deciding what to fetch (all with the lock held) -------------------------------------------

    def _wanted(self, start: int, end: int) -> list[CachedRange]:
        """The pieces that hold this range, fetched or about to be, and read-ahead set going."""
        run, sequential = self._follow(start, end)
        missing = self._pieces.gaps(start, end)
        if missing and self._take_announced(start, end):
            missing = self._pieces.gaps(start, end)
        if missing:
            before = self._pieces.within(missing[0][0] - 1, missing[0][0])
            # Where an announced piece ends, the caller's buffer reads on a little but does not go on.
            sequential = sequential and not (before and before[0].announced)
            if sequential:
                run.window = min(run.window * 2, _MOST_AHEAD)
            ahead = missing[0][0] + run.window if sequential else 0
            run.fetched = self._fill(missing[0][0], max(end, ahead))
        elif sequential and run.window >= _ASYNC_FROM and 0 <= run.fetched - end <= run.window // 2:
            run.window = min(run.window * 2, _MOST_AHEAD)
            run.fetched = self._fill(run.fetched, run.fetched + run.window)
        found = self._pieces.within(start, end)
        self._reads += 1
        for piece in found:
            piece.used = self._reads
        return found

    def _follow(self, start: int, end: int) -> tuple[_SequentialRead, bool]:
        """The run that this read goes on with, or a new one; and whether it went on."""
        for run in self._runs:
            if run.end - BLOCK <= start <= run.end + BLOCK:
                run.end = max(run.end, end)
                self._runs.remove(run)
                self._runs.insert(0, run)
                return run, True
        self._runs.insert(0, _SequentialRead(end))
        del self._runs[_RUNS:]
        return self._runs[0], False

    def _fill(self, start: int, end: int) -> int:
        """Fetch what is missing, in whole blocks; returns where the last one ends."""
        start = start // BLOCK * BLOCK
        end = min(-(-end // BLOCK) * BLOCK, self.size)
        for gap in self._pieces.gaps(start, end):
            for part in split(*gap, _PIECE):
                self._start(*part, announced=False)
        return end

    def _take_announced(self, start: int, end: int) -> bool:
        """Fetch now the announced ranges that have bytes of this one."""
        hits = [item for item in self._announced if item[0] < end and item[1] > start]
        for item in hits:
            self._announced.remove(item)
            for gap in self._pieces.gaps(*item):
                self._start(*gap, announced=True)
        return bool(hits)

    def _fetch_announced(self) -> None:
        while self._announced and self._pieces.awaited + _ANNOUNCED <= self._memory // 2:
            start, end = self._announced.popleft()
            for gap in self._pieces.gaps(start, end):
                self._start(*gap, announced=True)

    def _start(self, start: int, end: int, *, announced: bool) -> None:
        self._reads += 1
        data = self._pool.submit(self._fetch, start, end)
        self._pieces.add(CachedRange(start, end, data, announced, announced, self._reads))

    # --- fetching --------------------------------------------------------------------------------

    def _fetch(self, start: int, end: int) -> bytes:
        with self._lock:
            self._requests += 1
        try:
            data = self.pinned.read(start, end - start)
        except ObjectNotFoundError as error:
            raise RecordingNotFoundError(error.detail) from None
        with self._lock:
            self._bytes_read += len(data)
        return data

    def _result(self, piece: CachedRange) -> bytes:
        try:
            return self._await(piece.data)
        except BaseException:
            if piece.data.done():
                with self._lock:
                    self._pieces.remove(piece)
            raise

    def _await(self, future: Future[T]) -> T:
        while self._stopped is not None and not future.done():
            if self._stopped():
                raise StoppedError(f"{self.info.key} was being read.")
            wait([future], _STOP_CHECK)
        return future.result()
