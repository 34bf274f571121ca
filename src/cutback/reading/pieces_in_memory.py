"""The byte ranges of an object that are in memory or being fetched. They never overlap; the oldest go first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from concurrent.futures import Future
from dataclasses import dataclass

from cutback.domain.byte_ranges import split


@dataclass(slots=True)
class CachedRange:
    """The bytes from `start` to `end` (excluded), in memory or being fetched."""

    start: int
    end: int
    data: Future[bytes]
    announced: bool = False
    """Whether it was fetched because a read of it was announced."""
    awaited: bool = False
    """Whether it was announced and is not completely read yet: it is evicted last."""
    ahead: bool = False
    """Whether it will be copied: like `awaited`, but it does not keep other ranges from being fetched."""
    used: int = 0
    """When it was last used, by the reader's counter."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start


class CachedRanges:
    """The cached ranges of one object, found by offset."""

    def __init__(self) -> None:
        self._by_start: dict[int, CachedRange] = {}
        self._starts: list[int] = []
        self.total = 0
        """Bytes of all ranges, including those being fetched."""
        self.awaited = 0
        """Bytes of the ranges that were announced and are not read yet, without those that will be copied."""

    def within(self, start: int, end: int) -> list[CachedRange]:
        """Return the cached ranges that overlap this range, in order."""
        first = max(0, bisect_right(self._starts, start) - 1)
        last = bisect_left(self._starts, end)
        found = [self._by_start[at] for at in self._starts[first:last]]
        return [piece for piece in found if piece.end > start]

    def gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the parts of this range that are not cached, in order."""
        missing = []
        at = start
        for piece in self.within(start, end):
            if piece.start > at:
                missing.append((at, piece.start))
            at = max(at, piece.end)
        if at < end:
            missing.append((at, end))
        return missing

    def steps(self, start: int, end: int, most: int) -> list[tuple[int, int, CachedRange | None]]:
        """Split a range into steps: (from, to) of a cached range or, with None, of the object.

        Steps of the object have at most `most` bytes.
        """
        steps: list[tuple[int, int, CachedRange | None]] = []
        at = start
        for piece in self.within(start, end):
            steps += [(*step, None) for step in split(at, piece.start, most)] if piece.start > at else []
            begin, at = max(piece.start, start), min(piece.end, end)
            steps.append((begin - piece.start, at - piece.start, piece))
        return steps + ([(*step, None) for step in split(at, end, most)] if at < end else [])

    def add(self, piece: CachedRange) -> None:
        """Add a range, which must not overlap another one."""
        insort(self._starts, piece.start)
        self._by_start[piece.start] = piece
        self.total += piece.size
        self.awaited += piece.size if piece.awaited else 0

    def remove(self, piece: CachedRange) -> None:
        """Remove a range, if it is still there."""
        if self._by_start.get(piece.start) is not piece:
            return
        del self._by_start[piece.start]
        del self._starts[bisect_left(self._starts, piece.start)]
        self.total -= piece.size
        self.mark_read(piece)

    def mark_read(self, piece: CachedRange) -> None:
        """Note that an announced range has been read; it is now evicted like any other."""
        piece.ahead = False
        if piece.awaited:
            piece.awaited = False
            self.awaited -= piece.size

    def shrink(self, limit: int) -> None:
        """Remove the least recently used ranges until the others have at most `limit` bytes."""
        if self.total <= limit:
            return
        for piece in sorted(self._by_start.values(), key=lambda piece: (piece.awaited or piece.ahead, piece.used)):
            if piece.data.done():
                self.remove(piece)
                if self.total <= limit:
                    return

    def clear(self) -> None:
        """Remove all ranges."""
        self._by_start.clear()
        self._starts.clear()
        self.total = self.awaited = 0
