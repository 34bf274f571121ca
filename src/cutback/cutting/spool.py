"""The spool: the temporary file with encoded samples until the clip is stored."""

from __future__ import annotations

from typing import BinaryIO

from cutback.domain.errors import StorageFullError


class Spool:
    """An append-only file without a name, which disappears with the process, however that ends."""

    def __init__(self, file: BinaryIO) -> None:
        """`file` must be empty, and open for reading and writing."""
        self._file = file
        self.size = 0

    def append(self, data: bytes) -> int:
        """Append bytes; return where they begin.

        Raises:
            StorageFullError: there is no space.
        """
        offset = self.size
        try:
            self._file.seek(offset)
            self._file.write(data)
        except OSError as error:
            raise StorageFullError("The temporary folder is full.") from error
        self.size += len(data)
        return offset

    def read_at(self, offset: int, length: int) -> bytes:
        """Read bytes that were appended before."""
        self._file.seek(offset)
        return self._file.read(length)
