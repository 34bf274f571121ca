"""The `Range` header of HTTP (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re

from cutback.domain.byte_ranges import coalesced
from cutback.domain.errors import RangeNotSatisfiableError

MOST_RANGES = 10
"""Most ranges in one request. With more, the whole file is sent, as the RFC allows: they are an attack or a mistake."""

_NEAR = 80
"""Ranges this many bytes apart or less are joined: the headers between two parts take as many."""
_LONGEST = 1000
_RANGE = re.compile(r"[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII)


def wanted_ranges(header: str | None, size: int) -> list[tuple[int, int]]:
    """Return the ranges of a file of `size` bytes to send, as (start, end) with the end excluded.

    They are sorted and apart from each other, so that no byte is sent twice. An empty list means the whole file: there
    is no header, it is not understood, or it asks for too many ranges.

    Raises:
        RangeNotSatisfiableError: none of the ranges is in the file.
    """
    if header is None or len(header) > _LONGEST:
        return []
    unit, found, listed = header.partition("=")
    parts = listed.split(",")
    if not found or unit.strip().lower() != "bytes" or len(parts) > MOST_RANGES:
        return []
    ranges: list[tuple[int, int]] = []
    for part in parts:
        match = _RANGE.fullmatch(part)
        if match is None or match[1] == match[2] == "":
            return []
        start, last = match[1], match[2]
        if start and last and int(last) < int(start):
            return []
        begins = int(start) if start else max(size - int(last), 0)
        ends = min(int(last) + 1, size) if start and last else size
        if begins < ends:
            ranges.append((begins, ends))
    if not ranges:
        raise RangeNotSatisfiableError(f"It has {size} bytes.")
    return coalesced(ranges, _NEAR)


def is_same_version(if_range: str | None, *, etag: str, modified: str) -> bool:
    """Whether `If-Range` lets a range be sent: it is missing, or names exactly this version.

    `etag` is strong; `modified` is the `Last-Modified` that the file has.
    """
    return if_range is None or if_range.strip() in {etag, modified}
