"""Which bytes of an object are held or on their way: pieces that never overlap, the oldest going first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from concurrent.futures import Future
from dataclasses import dataclass

from cutback.domain.byte_ranges import split


@dataclass(slots=True)
class CachedRange:
    """Bytes `start` to `end` (excluded), held or being fetched."""

    start: int
    end: int
    data: Future[bytes]
    announced: bool = False
    """Fetched because a read of it was announced."""
    awaited: bool = False
    """Announced and not read to its end yet: it goes last when room is needed."""
    used: int = 0
    """When it was last wanted, in the reader's own count."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start


class CachedRanges:
    """The pieces of one object, found by offset."""

    def __init__(self) -> None:
        self._by_start: dict[int, CachedRange] = {}
        self._starts: list[int] = []
        self.total = 0
        """Bytes of all pieces, those on their way included."""
        self.awaited = 0
        """Bytes of the pieces that were announced and are not read yet."""

    def within(self, start: int, end: int) -> list[CachedRange]:
        """The pieces that have bytes of this range, in order."""
        first = max(0, bisect_right(self._starts, start) - 1)
        last = bisect_left(self._starts, end)
        found = [self._by_start[at] for at in self._starts[first:last]]
        return [piece for piece in found if piece.end > start]

    def gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        """What no piece has of this range, in order."""
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
        """How to go through a range in order: (from, to) of a piece, held or coming, or, for None, of the object.

        Those of the object have at most `most` bytes.
        """
        steps: list[tuple[int, int, CachedRange | None]] = []
        at = start
        for piece in self.within(start, end):
            steps += [(*step, None) for step in split(at, piece.start, most)] if piece.start > at else []
            begin, at = max(piece.start, start), min(piece.end, end)
            steps.append((begin - piece.start, at - piece.start, piece))
        return steps + ([(*step, None) for step in split(at, end, most)] if at < end else [])

    def add(self, piece: CachedRange) -> None:
        """`piece` must overlap none."""
        insort(self._starts, piece.start)
        self._by_start[piece.start] = piece
        self.total += piece.size
        self.awaited += piece.size if piece.awaited else 0

    def remove(self, piece: CachedRange) -> None:
        """Forget a piece, if it is still there."""
        if self._by_start.get(piece.start) is not piece:
            return
        del self._by_start[piece.start]
        del self._starts[bisect_left(self._starts, piece.start)]
        self.total -= piece.size
        self.settle(piece)

    def settle(self, piece: CachedRange) -> None:
        """An announced piece has been read; it becomes like any other."""
        if piece.awaited:
            piece.awaited = False
            self.awaited -= piece.size

    def shrink(self, limit: int) -> None:
        """Forget the pieces that were wanted longest ago until the others have at most `limit` bytes."""
        if self.total <= limit:
            return
        for piece in sorted(self._by_start.values(), key=lambda piece: (piece.awaited, piece.used)):
            if piece.data.done():
                self.remove(piece)
                if self.total <= limit:
                    return

    def clear(self) -> None:
        """Forget all."""
        self._by_start.clear()
        self._starts.clear()
        self.total = self.awaited = 0
