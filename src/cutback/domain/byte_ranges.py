"""Joins and splits ranges of bytes, written as (start, end) with the end excluded. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise


def coalesced(ranges: Iterable[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Sort the ranges, and join those that overlap or are at most `gap` bytes apart."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def split(start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Split the range into equal parts (to a byte) of at most `most` bytes."""
    count = -(-(end - start) // most)
    edges = [start + (end - start) * n // count for n in range(count + 1)] if count else []
    return list(pairwise(edges))
