"""The spool: the temporary file with encoded samples until the clip is stored."""

from __future__ import annotations

from typing import BinaryIO

from cutback.domain.errors import StorageFullError


class Spool:
    """A file without a name, which disappears with the process, however that ends."""

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
        self._write(offset, data)
        self.size += len(data)
        return offset

    def overwrite(self, offset: int, data: bytes) -> None:
        """Replace bytes that were appended before. Raises like `append`.

        Raises:
            ValueError: they are not all within the spool.
        """
        if offset + len(data) > self.size:
            raise ValueError("beyond the end of the spool")
        self._write(offset, data)

    def truncate(self, size: int) -> None:
        """Drop what was appended after the spool had this size, in bytes: nothing refers to it.

        Raises:
            ValueError: it is smaller already.
        """
        if size > self.size:
            raise ValueError("beyond the end of the spool")
        self._file.truncate(size)
        self.size = size

    def _write(self, offset: int, data: bytes) -> None:
        try:
            self._file.seek(offset)
            self._file.write(data)
        except OSError as error:
            raise StorageFullError("The temporary folder is full.") from error

    def read_at(self, offset: int, length: int) -> bytes:
        """Read bytes that were appended before."""
        self._file.seek(offset)
        return self._file.read(length)
