"""Plans how a clip is assembled inside the store: what is sent, and what the store copies from recordings itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from cutback.cutting.mp4.layout import Extent
from cutback.storage.multipart import MOST_PARTS, SMALLEST_PART, WORTH_COPYING, CopiedRange

_SENT = 8 * 1024 * 1024
"""Bytes of a part that is sent, about: up to twice as many."""
_LARGEST_COPIED = 64 * 1024 * 1024
"""Bytes. The store copies several parts side by side."""
_MOST_COPIED = 9_000
"""Copied parts of one run, at most: an upload has 10,000 parts at most."""

CopySource: TypeAlias = Callable[[Extent], CopiedRange | None]
"""Names the bytes of an extent for the store that shall copy them; None if it cannot."""


@dataclass(frozen=True, slots=True)
class SentPart:
    """Bytes that this process sends."""

    extents: tuple[Extent, ...]


def plan_parts(extents: Sequence[Extent], source: CopySource) -> list[SentPart | CopiedRange] | None:
    """Return the parts of a file that consists of these extents; None if copying inside the store does not pay.

    Each part but the last has `SMALLEST_PART` bytes: where what is sent before a run is smaller, the run's first bytes
    are sent with it. Pure.
    """
    parts: list[SentPart | CopiedRange] = []
    held: list[Extent] = []
    size = 0
    for extent in extents:
        missing = max(0, SMALLEST_PART - size) if held else 0
        run = Extent(extent.origin, extent.offset + missing, extent.length - missing)
        if extent.length >= WORTH_COPYING and run.length >= SMALLEST_PART and source(run) is not None:
            if missing:
                held.append(Extent(extent.origin, extent.offset, missing))
            parts += _sent(held)
            parts += [copied for piece in _pieces(run) if (copied := source(piece)) is not None]
            held, size = [], 0
        else:
            held.append(extent)
            size += extent.length
    parts += _sent(held)
    pays = len(parts) <= MOST_PARTS and any(isinstance(part, CopiedRange) for part in parts)
    return parts if pays else None


def _size(extents: Sequence[Extent]) -> int:
    return sum(extent.length for extent in extents)


def _pieces(run: Extent) -> Iterator[Extent]:
    """Split a run into pieces of about the same size, none of which is too small or too large."""
    count = -(-run.length // max(_LARGEST_COPIED, -(-run.length // _MOST_COPIED)))
    bounds = [run.length * number // count for number in range(count + 1)]
    for start, stop in pairwise(bounds):
        yield Extent(run.origin, run.offset + start, stop - start)


def _sent(extents: Sequence[Extent]) -> Iterator[SentPart]:
    """Split what is sent into parts of about the same size, so that few bytes are in memory at once."""
    total = _size(extents)
    count = max(1, total // _SENT)
    held: list[Extent] = []
    at = number = 0
    for whole in extents:
        extent = whole
        while extent.length:
            taken = min(extent.length, total * (number + 1) // count - at)
            held.append(Extent(extent.origin, extent.offset, taken))
            extent = Extent(extent.origin, extent.offset + taken, extent.length - taken)
            at += taken
            if at == total * (number + 1) // count:
                yield SentPart(tuple(held))
                held, number = [], number + 1
