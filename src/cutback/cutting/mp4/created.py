"""Reads a movie's creation time from its headers."""

from __future__ import annotations

import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from cutback.cutting.mp4.boxes import child, children
from cutback.domain.errors import MediaUnreadableError

_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
"""The epoch of ISO/IEC 14496-12."""
_EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
"""Earlier times are not real: writers that do not know the time write 0, of this epoch or of Unix's."""
_QUICKTIME = b"com.apple.quicktime.creationdate"


def created(moov: memoryview) -> datetime | None:
    """Return QuickTime's own date, which has a time zone and fractions, or the movie header's; None without either."""
    found = None
    with suppress(struct.error, IndexError, ValueError, OverflowError, MediaUnreadableError):
        found = _quicktime_date(moov)
    if found is None:
        with suppress(struct.error, OverflowError):
            found = _header_date(moov)
    return found if found is not None and found > _EARLIEST else None


def seconds_of(moment: datetime | None) -> int:
    """Convert a time to the form of headers; 0 if there is none, like other writers."""
    return 0 if moment is None or moment < _EARLIEST else round((moment - _EPOCH).total_seconds())


def _header_date(moov: memoryview) -> datetime | None:
    mvhd = child(moov, b"mvhd")
    if mvhd is None:
        return None
    (seconds,) = struct.unpack_from(">Q" if mvhd[0] == 1 else ">I", mvhd, 4)
    return _EPOCH + timedelta(seconds=seconds)


def _quicktime_date(moov: memoryview) -> datetime | None:
    meta = child(moov, b"meta")
    if meta is None:
        return None
    if bytes(meta[4:8]) != b"hdlr":  # MP4 gives this box a version and flags; QuickTime does not
        meta = meta[4:]
    keys, values = child(meta, b"keys"), child(meta, b"ilst")
    if keys is None or values is None:
        return None
    names = [bytes(name) for _, name in children(keys[8:])]
    wanted = struct.pack(">I", names.index(_QUICKTIME) + 1)
    value = next((payload for kind, payload in children(values) if kind == wanted), None)
    data = None if value is None else child(value, b"data")
    if data is None:
        return None
    moment = datetime.fromisoformat(bytes(data[8:]).decode())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
