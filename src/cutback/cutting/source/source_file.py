"""A seekable file with a recording's bytes."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from cutback.cutting.job import ByteSource

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class SourceFile(io.RawIOBase):
    """A position in a source, for libraries that need a file.

    It has no `name`: libavformat would take that for a URL and open it with its protocol.
    """

    def __init__(self, source: ByteSource) -> None:
        """Begin at the start. Closing the file leaves `source` open."""
        super().__init__()
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Bytes from the start."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position. Beyond the end is allowed; before the start raises `ValueError`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError("the position would be negative")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Read `size` bytes, fewer only at the end; everything that is left if `size` is negative or None."""
        if size is None or size < 0:
            size = max(0, self._source.size - self._at)
        data = self._source.read_at(self._at, size)
        self._at += len(data)
        return data

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, as far as there are bytes."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)
