"""A file within the spool, for FFmpeg's writers of containers, which go back to complete what they wrote."""

from __future__ import annotations

import io

from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.spool import Spool


class SpoolFile:
    """A file that is written at the end of the spool; nothing else may be appended until it is complete.

    It has no name: FFmpeg would take a name for an address.
    """

    def __init__(self, spool: Spool) -> None:
        """Begin it where the spool ends now."""
        self._spool, self._begin, self._at = spool, spool.size, 0

    def write(self, data: bytes) -> int:
        """Write bytes at the current position.

        Raises:
            StorageFullError: there is no space.
        """
        data = bytes(data)
        size = self._spool.size - self._begin
        if self._at > size:
            self._spool.append(bytes(self._at - size))
            size = self._at
        over = data[: size - self._at]
        if over:
            self._spool.overwrite(self._begin + self._at, over)
        if len(data) > len(over):
            self._spool.append(data[len(over) :])
        self._at += len(data)
        return len(data)

    def read(self, size: int) -> bytes:
        """Read bytes from the current position on."""
        data = self._spool.read_at(self._begin + self._at, min(size, self._spool.size - self._begin - self._at))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the current position, as files do."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._spool.size - self._begin}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the current position."""
        return self._at

    @property
    def extent(self) -> Extent:
        """Where it is in the spool."""
        return Extent(SPOOL, self._begin, self._spool.size - self._begin)
