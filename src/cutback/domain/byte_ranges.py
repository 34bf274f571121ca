"""Ranges of bytes, (start, end) with the end excluded: joined where they are near, split where they are long. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise


def coalesced(ranges: Iterable[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """The ranges in order, joined where they overlap or no more than `gap` bytes lie between them."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def split(start: int, end: int, most: int) -> list[tuple[int, int]]:
    """The range in equal parts (to a byte) of no more than `most` bytes."""
    count = -(-(end - start) // most)
    edges = [start + (end - start) * n // count for n in range(count + 1)] if count else []
    return list(pairwise(edges))
