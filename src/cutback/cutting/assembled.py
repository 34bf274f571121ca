"""A finished clip as one sequence of bytes, before it is written anywhere."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from cutback.cutting.job import ByteSource
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.spool import Spool


class Assembled:
    """A `ByteSource` over a clip's head and the extents that follow it."""

    def __init__(self, head: bytes, extents: Sequence[Extent], sources: Sequence[ByteSource], spool: Spool) -> None:
        """Nothing is read before `read_at`."""
        self._head, self._extents = head, extents
        self._sources, self._spool = sources, spool
        self._starts = list(accumulate((extent.length for extent in extents), initial=len(head)))

    @property
    def size(self) -> int:
        """Bytes."""
        return self._starts[-1]

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource.read_at`."""
        parts = [self._head[offset : offset + length]] if offset < len(self._head) else []
        offset, length = offset + sum(map(len, parts)), length - sum(map(len, parts))
        while length > 0 and offset < self.size:
            number = bisect_right(self._starts, offset) - 1
            extent = self._extents[number]
            inside = offset - self._starts[number]
            size = min(length, extent.length - inside)
            origin = self._spool if extent.origin == SPOOL else self._sources[extent.origin]
            data = origin.read_at(extent.offset + inside, size)
            if len(data) < size:
                break
            parts.append(data)
            offset, length = offset + size, length - size
        return b"".join(parts)

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """See `ByteSource.prefetch`. Does nothing, because the check reads only a little."""

    def extents_of(self, offset: int, length: int) -> Iterator[Extent]:
        """Yield where bytes behind the head are."""
        stop = min(offset + length, self.size)
        offset = max(offset, len(self._head))
        while offset < stop:
            number = bisect_right(self._starts, offset) - 1
            extent, inside = self._extents[number], offset - self._starts[number]
            size = min(stop - offset, extent.length - inside)
            yield Extent(extent.origin, extent.offset + inside, size)
            offset += size


class AssembledAhead(Assembled):
    """The same, for reading much of it: what is announced is announced to the sources."""

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """See `ByteSource.prefetch`."""
        wanted: dict[int, list[tuple[int, int]]] = {}
        for offset, length in ranges:
            for extent in self.extents_of(offset, length):
                if extent.origin != SPOOL:
                    wanted.setdefault(extent.origin, []).append((extent.offset, extent.length))
        for origin, announced in wanted.items():
            self._sources[origin].prefetch(sorted(announced))
