"""One version of an object, which stays readable while data is appended to the object."""

from __future__ import annotations

from collections.abc import Iterator

from cutback.domain.errors import RecordingGrewError, SourceChangedError
from cutback.storage.store import ObjectInfo, Store

_PIECE = 1024 * 1024
_WITNESS = 4096
"""Bytes at both ends of what was read that are compared again after the file has grown."""


class PinnedObject:
    """Reads of one version of an object, from any number of threads.

    A camera may append to its recording while clips are cut from it. In a folder, every append makes a new version,
    but all bytes of the pinned version are still there. Reads then continue, as long as it is the same file and the
    first and last bytes that were read are unchanged. In stores that replace whole objects, the longer version is
    another object, and the work starts again with it.
    """

    def __init__(self, store: Store, info: ObjectInfo) -> None:
        """Pin the version of `info`, without a request."""
        self._store, self._info = store, info
        self._lowest: tuple[int, bytes] | None = None
        self._highest: tuple[int, bytes] | None = None

    def read(self, start: int, length: int) -> bytes:
        """Read exactly `length` (at least 1) bytes from `start`. One request; none for a file that has grown.

        Raises:
            RecordingGrewError: a longer version has replaced it, which may be cut instead.
            SourceChangedError: the object has another version now.
            ObjectNotFoundError: the object does not exist any more.
            StorageUnavailableError: the store does not answer.
        """
        try:
            data = self._store.read_range(self._info.key, self._info.etag, start, length)
        except SourceChangedError:
            data = self._read_on(start, length)
        self.vouch(start, data)
        return data

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """Yield the same bytes in chunks, few of them in memory at once. One request. Raises like `read` meanwhile."""
        end = start + length
        try:
            for piece in self._store.stream_range(self._info.key, self._info.etag, start, length):
                yield piece
                start += len(piece)
        except SourceChangedError:
            while start < end:
                piece = self._read_on(start, min(_PIECE, end - start))
                yield piece
                start += len(piece)

    def vouch(self, start: int, data: bytes) -> None:
        """Note known bytes of the pinned version; if the file grows, they are compared."""
        if not data:
            return
        if self._lowest is None or start < self._lowest[0]:
            self._lowest = start, data[:_WITNESS]
        end = start + len(data)
        if self._highest is None or end > self._highest[0] + len(self._highest[1]):
            self._highest = max(start, end - _WITNESS), data[-_WITNESS:]

    def _read_on(self, start: int, length: int) -> bytes:
        key, size = self._info.key, self._info.size
        now = self._store.head(key)
        if now.size <= size:
            raise SourceChangedError(f"{key}.")
        found = self._store.read_grown(key, self._info.etag, start, length, unchanged=self._witnesses())
        if found is not None:
            return found
        raise RecordingGrewError(f"{key}.")

    def _witnesses(self) -> list[tuple[int, bytes]]:
        return [witness for witness in (self._lowest, self._highest) if witness is not None]
