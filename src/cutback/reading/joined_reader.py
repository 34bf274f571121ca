"""Reads a recording that consists of several objects, such as HLS segments, as one."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

from cutback.domain.errors import ObjectNotFoundError, SourceChangedError
from cutback.reading.missing import missing_recording
from cutback.reading.playlist import ObjectRange
from cutback.reading.range_reader import RangeReader
from cutback.storage.store import MIB, ObjectInfo, Store

_AT_ONCE = 4
"""Maximum concurrent requests for the sizes of objects."""
_MEMORY = 64 * MIB
"""Maximum bytes in memory, for the readers of all objects together."""
_WHOLE = 16 * MIB
"""If everything will be read, parts of up to this size are fetched whole on the first read."""


class JoinedReader:
    """Concatenated parts of objects, each pinned to its version; a `ByteSource` for the cutter."""

    def __init__(self, store: Store, key: str, parts: Sequence[tuple[ObjectRange, ObjectInfo]], *, whole: bool,
                 stopped: Callable[[], bool] | None = None) -> None:  # fmt: skip
        """Use `open`."""
        versions = {info.key: info for _, info in parts}
        memory = max(MIB, _MEMORY // len(versions))
        self._readers = {
            name: RangeReader(store, info, memory=memory, stopped=stopped) for name, info in versions.items()
        }
        self._parts = [(part.key, part.offset, _length(part, info)) for part, info in parts]
        self._starts = list(accumulate((length for _, _, length in self._parts), initial=0))
        self._whole = whole
        self._touched = -1
        self._asked = len(versions)
        self.info = ObjectInfo(key, self._starts[-1], _version(parts), max(info.modified for _, info in parts))

    @classmethod
    def open(
        cls,
        store: Store,
        key: str,
        parts: Sequence[ObjectRange],
        *,
        whole: bool,
        stopped: Callable[[], bool] | None = None,
    ) -> JoinedReader:
        """Pin the current versions, with one request per object, which are counted.

        `key` is the recording's own key. `whole` means that everything will be read, in order.

        Raises:
            RecordingNotFoundError: an object does not exist.
            SourceChangedError: an object ends before the end of its part.
            StorageUnavailableError: the store does not answer.
        """
        names = list(dict.fromkeys(part.key for part in parts))
        try:
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="segments") as pool:
                known = dict(zip(names, pool.map(store.head, names), strict=True))
        except ObjectNotFoundError as error:
            raise missing_recording(error, "A segment is missing: ") from None
        return cls(store, key, [(part, known[part.key]) for part in parts], whole=whole, stopped=stopped)

    @property
    def size(self) -> int:
        """Total bytes of all parts."""
        return self.info.size

    @property
    def bytes_read(self) -> int:
        """Bytes read from the store so far."""
        return sum(reader.bytes_read for reader in self._readers.values())

    @property
    def requests(self) -> int:
        """Requests to the store so far."""
        return self._asked + sum(reader.requests for reader in self._readers.values())

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource.read_at`."""
        pieces = []
        for number, at, count in self._across(offset, length):
            self._announce(number)
            key, start, _ = self._parts[number]
            pieces.append(self._readers[key].read_at(start + at, count))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """See `ByteSource.prefetch`."""
        wanted: dict[str, list[tuple[int, int]]] = {}
        for offset, length in ranges:
            for number, at, count in self._across(offset, length):
                key, start, _ = self._parts[number]
                wanted.setdefault(key, []).append((start + at, count))
        for key, pieces in wanted.items():
            self._readers[key].prefetch(pieces)

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """See `RangeReader.stream`."""
        for number, at, count in self._across(offset, length):
            key, start, _ = self._parts[number]
            yield from self._readers[key].stream(start + at, count)

    def close(self) -> None:
        """Free the memory."""
        for reader in self._readers.values():
            reader.close()

    def _across(self, offset: int, length: int) -> Iterator[tuple[int, int, int]]:
        """Split a range by parts: number of the part, offset in it, bytes."""
        if offset < 0:
            raise ValueError("the offset is negative")
        end = min(offset + length, self.size)
        number = bisect_right(self._starts, offset) - 1
        while offset < end:
            stop = min(end, self._starts[number + 1])
            if stop > offset:
                yield number, offset - self._starts[number], stop - offset
            offset, number = stop, number + 1

    def _announce(self, number: int) -> None:
        """If everything will be read, fetch this part and the next one with one request each."""
        while self._whole and self._touched <= number and self._touched + 1 < len(self._parts):
            self._touched += 1
            key, start, length = self._parts[self._touched]
            if length <= _WHOLE:
                self._readers[key].prefetch([(start, length)])


def _length(part: ObjectRange, info: ObjectInfo) -> int:
    length = info.size - part.offset if part.length is None else part.length
    if length < 0 or part.offset + length > info.size:
        raise SourceChangedError(f"{part.key} is shorter than the playlist says.")
    return length


def _version(parts: Sequence[tuple[ObjectRange, ObjectInfo]]) -> str:
    text = "\n".join(f"{part.key} {part.offset} {part.length} {info.etag}" for part, info in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
