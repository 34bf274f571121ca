"""Where encoders put their samples until the clip is laid out."""

from __future__ import annotations

from typing import BinaryIO

from cutback.domain.errors import StorageFullError


class Spool:
    """An append-only file without a name: it vanishes with the process, however that ends."""

    def __init__(self, file: BinaryIO) -> None:
        """`file` is open for reading and writing, and empty."""
        self._file = file
        self.size = 0

    def append(self, data: bytes) -> int:
        """Add bytes; returns where they begin.

        Raises:
            StorageFullError: there is no room.
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
        """Bytes that were appended before."""
        self._file.seek(offset)
        return self._file.read(length)
