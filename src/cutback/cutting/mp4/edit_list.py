"""Edit lists (ISO/IEC 14496-12, 8.6.6): which part of a track's media is presented, and when."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from cutback.cutting.mp4.boxes import child, children
from cutback.domain.errors import MediaUnreadableError

FOREVER = 2**62
"""Ticks; longer than any track."""


_HEX_FIELDS = 4


def read_priming(moov: memoryview) -> tuple[int, int] | None:
    """Read how many samples of sound are priming, and how many follow that are heard, from the tag iTunSMPB.

    Apple's encoders write it where they write no edit list. None if there is no such tag, or it is damaged.
    """
    with suppress(MediaUnreadableError):  # only the tags are damaged
        return _read_priming(moov)
    return None


def _read_priming(moov: memoryview) -> tuple[int, int] | None:
    meta = child(moov, b"udta", b"meta")
    values = None if meta is None else child(meta[4:], b"ilst")
    for kind, payload in () if values is None else children(values):
        name, data = child(payload, b"name"), child(payload, b"data")
        if kind == b"----" and name is not None and data is not None and bytes(name[4:]) == b"iTunSMPB":
            fields = bytes(data[8:]).decode("latin-1").split()
            try:
                _, priming, _, length = (int(field, 16) for field in fields[:_HEX_FIELDS])
            except ValueError:
                return None
            return (priming, length) if length > 0 else None
    return None


@dataclass(frozen=True, slots=True)
class EditList:
    """An edit list: an initial pause, then one part of the media (the form that `plain` guarantees)."""

    delay: Fraction
    """Seconds of the pause."""
    origin: int
    """The media time that is presented right after the pause, in ticks."""
    first: int
    end: int
    plain: bool


def parse_edit_list(trak: memoryview, movie_timescale: int, timescale: int) -> EditList:
    """Parse an edit list (ISO/IEC 14496-12, 8.6.6). Its pauses are in the movie's time scale."""
    elst = child(trak, b"edts", b"elst")
    entries: list[tuple[int, int]] = []
    plain = True
    if elst is not None:
        (count,) = struct.unpack_from(">I", elst, 4)
        form = ">Qqi" if elst[0] == 1 else ">Iii"
        for row in range(min(count, len(elst) // struct.calcsize(form))):
            duration, media_time, rate = struct.unpack_from(form, elst, 8 + row * struct.calcsize(form))
            entries.append((duration, media_time))
            plain = plain and rate == 0x10000
    delay = Fraction(0)
    while entries and entries[0][1] < 0:
        delay += Fraction(entries.pop(0)[0], movie_timescale)
    if not entries:
        return EditList(delay, 0, -FOREVER, FOREVER, plain)
    duration, first = entries[0]
    # A duration of 0 means "to the end" in fragmented files.
    end = first + round(Fraction(duration * timescale, movie_timescale)) if duration else FOREVER
    return EditList(delay, first, first, end, plain and len(entries) == 1)
