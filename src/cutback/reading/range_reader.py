"""Reads a recording by byte ranges, pinned to one version; reads ahead where that pays."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from cutback.domain.byte_ranges import coalesced, split
from cutback.domain.errors import ObjectNotFoundError, StoppedError
from cutback.reading.missing import missing_recording
from cutback.reading.one_ahead import one_ahead
from cutback.reading.pieces_in_memory import CachedRange, CachedRanges
from cutback.reading.pinned_object import PinnedObject
from cutback.storage.store import MIB, ObjectInfo, Store

BLOCK = 64 * 1024
"""An unannounced read fetches whole blocks of this size."""
_MOST_AHEAD = 8 * MIB
"""The maximum read-ahead."""
_ASYNC_FROM = MIB
"""From this read-ahead on, the next window is fetched before the current one is completely read."""
_PIECE = 4 * MIB
"""Maximum bytes of one request for `read_at`; more is fetched with several requests at once."""
_ANNOUNCED = 8 * MIB
"""The same for `prefetch`: announced ranges arrive in time, so fewer requests matter more."""
_CHUNK = 2 * MIB
"""Bytes of a range that is read ahead; each can be freed by itself."""
_GAP = 16 * 1024
"""Announced ranges this close are fetched together: a request costs more than the bytes between them."""
_IN_FLIGHT = 4
_RUNS = 4
"""Maximum sequential reads that are tracked at once, such as those of a file's audio and video."""
T = TypeVar("T")

_STOP_CHECK = 0.2
"""Seconds between checks of `stopped` while waiting for bytes."""


@dataclass(slots=True)
class _SequentialRead:
    """A sequential read: its position, and how far to read ahead."""

    end: int
    window: int = BLOCK
    fetched: int = 0
    """The end of what was fetched for it."""


class RangeReader:
    """A recording's bytes, for any number of threads; a `ByteSource` for the cutter.

    All reads are of the version found by `open`. Reads that reach the store raise `SourceChangedError` or
    `RecordingGrewError` (see `PinnedObject`) if the recording was replaced or shortened, `RecordingNotFoundError` if it
    does not exist any more, and `StorageUnavailableError` if the store does not answer. Once `stopped` returns True,
    reads that have to wait raise `StoppedError` within a fifth of a second.

    Keeps at most `memory` bytes, plus the ranges being fetched.
    """

    def __init__(
        self, store: Store, info: ObjectInfo, *, memory: int = 32 * MIB, stopped: Callable[[], bool] | None = None
    ) -> None:
        """Pin the version of `info`, without a request."""
        self.info = info
        self.pinned = PinnedObject(store, info)
        self._store = store
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
        self._closed = False

    @classmethod
    def open(cls, store: Store, key: str, *, stopped: Callable[[], bool] | None = None) -> Self:
        """Pin the current version, with one request, which is counted.

        Raises:
            RecordingNotFoundError: there is no such recording.
            InvalidRequestError: the key is invalid.
            StorageUnavailableError: the store does not answer.
        """
        try:
            reader = cls(store, store.head(key), stopped=stopped)
        except ObjectNotFoundError as error:
            raise missing_recording(error) from None
        reader._requests = 1
        return reader

    @property
    def size(self) -> int:
        """Bytes of the recording."""
        return self.info.size

    @property
    def bytes_read(self) -> int:
        """Bytes read from the store so far, including read-ahead and announced ranges."""
        with self._lock:
            return self._bytes_read

    @property
    def requests(self) -> int:
        """Requests to the store so far; repetitions after a network error count as one."""
        with self._lock:
            return self._requests

    @property
    def held(self) -> int:
        """Bytes in memory or being fetched."""
        with self._lock:
            return self._pieces.total

    # --- reading ---------------------------------------------------------------------------------

    def read_at(self, offset: int, length: int) -> bytes:
        """Read exactly `length` bytes from `offset`, fewer only at the end.

        Fetches whole blocks, and reads ahead further the longer a sequential read continues; announced ranges are
        fetched as announced. Reads of more than 8 MiB bypass the cache, like `stream`.
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
                    self._pieces.mark_read(piece)
            self._fetch_announced()
            self._pieces.shrink(self._memory)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Announce ranges (offset, length) that `read_at` will need; returns immediately.

        They are fetched exactly, several at once, in the order of their offsets; close ones together. They fill only
        half the memory: later ones are fetched when earlier ones have been read. Errors are raised by `read_at`. Do
        not announce what `stream` will read: it would be fetched twice.
        """
        clipped = [(max(0, start), min(start + length, self.size)) for start, length in ranges]
        joined = coalesced([(start, end) for start, end in clipped if start < end], _GAP)
        with self._lock:
            for start, end in joined:
                self._announced.extend(split(start, end, _ANNOUNCED))
            self._fetch_announced()

    def read_ahead(self, offset: int, length: int) -> None:
        """Begin to read a range that `stream` will read later; returns immediately.

        Each part that is not in memory is read with one request, and no more than three quarters of the memory is used.
        A folder is not read ahead: it has no round trips. Errors are raised by the later read.
        """
        if self._store.is_folder:
            return
        end = min(offset + length, self.size, offset + self._memory * 3 // 4)
        with self._lock:
            following = self._pieces.within(end, end + BLOCK)
            if following:  # what lies before it, mostly sound, is copied as well
                end = max(end, following[0].start)
            for gap in self._pieces.gaps(offset, end):
                self._reads += 1
                pieces = [
                    CachedRange(*part, Future(), announced=True, ahead=True, used=self._reads)
                    for part in split(*gap, _CHUNK)
                ]
                for piece in pieces:
                    self._pieces.add(piece)
                self._pool.submit(self._fetch_in_turn, pieces)

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the bytes of a large range while fetching the next chunk; one request for each part not in memory."""
        end = min(offset + length, self.size)
        with self._lock:
            steps = deque(self._pieces.steps(offset, end, self.size))
        while steps:  # which keeps no chunk alive that has been used
            start, stop, known = steps.popleft()
            if known is None:
                yield from self._stream_missing(start, stop)
                continue
            yield self._result(known)[start:stop]
            if known.ahead and stop == known.size:
                with self._lock:
                    self._pieces.remove(known)

    def _stream_missing(self, start: int, end: int) -> Iterator[bytes]:
        with self._lock:
            self._requests += 1
        try:
            for piece in one_ahead(lambda: self.pinned.stream(start, end - start), self._pool, self._await):
                with self._lock:
                    self._bytes_read += len(piece)
                yield piece
        except ObjectNotFoundError as error:
            raise missing_recording(error) from None

    def close(self) -> None:
        """Free the memory; running requests end by themselves. Later reads raise `RuntimeError`."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
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

    # --- deciding what to fetch (all of this holds the lock) ----------------------------------------

    def _wanted(self, start: int, end: int) -> list[CachedRange]:
        """Return the cached ranges that cover this range, starting fetches and read-ahead if necessary."""
        run, sequential = self._follow(start, end)
        missing = self._pieces.gaps(start, end)
        if missing and self._take_announced(start, end):
            missing = self._pieces.gaps(start, end)
        if missing:
            before = self._pieces.within(missing[0][0] - 1, missing[0][0])
            # At the end of an announced range, the caller's buffer reads a little further, but then stops.
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
        """Return the sequential read that this read continues, or a new one, and whether it continues one."""
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
        """Fetch what is missing, in whole blocks; return the end of the last one."""
        start = start // BLOCK * BLOCK
        end = min(-(-end // BLOCK) * BLOCK, self.size)
        for gap in self._pieces.gaps(start, end):
            for part in split(*gap, _PIECE):
                self._start(*part, announced=False)
        return end

    def _take_announced(self, start: int, end: int) -> bool:
        """Fetch the announced ranges that overlap this one now."""
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
        self._pieces.add(CachedRange(start, end, data, announced, announced, used=self._reads))

    # --- fetching --------------------------------------------------------------------------------

    def _fetch(self, start: int, end: int) -> bytes:
        with self._lock:
            self._requests += 1
        try:
            data = self.pinned.read(start, end - start)
        except ObjectNotFoundError as error:
            raise missing_recording(error) from None
        with self._lock:
            self._bytes_read += len(data)
        return data

    def _fetch_in_turn(self, pieces: list[CachedRange]) -> None:
        """Read adjoining ranges with one request. Each is there as soon as its bytes have come."""
        left, held = deque(pieces), bytearray()
        with self._lock:
            self._requests += 1
        try:
            for chunk in self.pinned.stream(pieces[0].start, pieces[-1].end - pieces[0].start):
                with self._lock:
                    self._bytes_read += len(chunk)
                    if self._closed:
                        return
                held += chunk
                while left and len(held) >= left[0].size:
                    piece = left.popleft()
                    piece.data.set_result(bytes(held[: piece.size]))
                    del held[: piece.size]
        except ObjectNotFoundError as error:
            _fail(left, missing_recording(error))
        except BaseException as error:  # noqa: BLE001 - whoever reads the range gets it
            _fail(left, error)

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


def _fail(pieces: Iterable[CachedRange], error: BaseException) -> None:
    for piece in pieces:
        piece.data.set_exception(error)
