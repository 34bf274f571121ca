"""Caches a recording's index by its version, so that the next clip reads only its own bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cutback.reading.range_reader import RangeReader
from cutback.storage.multipart import WORTH_COPYING
from cutback.storage.store import ObjectInfo

if TYPE_CHECKING:
    from cutback.ports import Cache

LARGEST = 32 * 1024 * 1024
"""Maximum bytes of an index that is cached; a larger one is slow for other reasons."""


class RememberingReader:
    """A `RangeReader` that looks for the container's index in a cache first."""

    def __init__(self, reader: RangeReader, cache: Cache, *, copied_in_store: bool = False) -> None:
        """Wrap `reader`. Closing this closes it. With `copied_in_store`, large runs of it need not be read ahead."""
        self._reader, self._cache, self._copied_in_store = reader, cache, copied_in_store

    @property
    def info(self) -> ObjectInfo:
        """The pinned version."""
        return self._reader.info

    @property
    def size(self) -> int:
        """Bytes of the recording."""
        return self._reader.size

    @property
    def bytes_read(self) -> int:
        """Bytes read from the store so far."""
        return self._reader.bytes_read

    @property
    def requests(self) -> int:
        """Requests to the store so far."""
        return self._reader.requests

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource.read_at`."""
        return self._reader.read_at(offset, length)

    def read_index(self, offset: int, length: int) -> bytes:
        """See `KeepsIndex.read_index`."""
        key = f"index:{self.info.key}:{self.info.etag}:{offset}:{length}"
        known = self._cache.get(key)
        if known is not None and len(known) == min(length, self.size - offset):
            self._reader.pinned.vouch(offset, known)
            return known
        data = self._reader.read_at(offset, length)
        if len(data) <= LARGEST:
            self._cache.set(key, data)
        return data

    def kept_scan(self) -> bytes:
        """See `KeepsScan.kept_scan`."""
        return self._cache.get(self._scan) or b""

    def keep_scan(self, data: bytes) -> None:
        """See `KeepsScan.keep_scan`."""
        if len(data) <= LARGEST:
            self._cache.set(self._scan, data)

    @property
    def _scan(self) -> str:
        return f"scan:{self.info.key}:{self.info.etag}"

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """See `ByteSource.prefetch`."""
        self._reader.prefetch(ranges)

    def read_ahead(self, offset: int, length: int) -> None:
        """See `ReadsAhead.read_ahead`."""
        if length < WORTH_COPYING or not self._copied_in_store:
            self._reader.read_ahead(offset, length)

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """See `RangeReader.stream`."""
        return self._reader.stream(offset, length)

    def close(self) -> None:
        """Free the memory."""
        self._reader.close()
