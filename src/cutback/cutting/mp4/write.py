"""Writes `ftyp` and `moov` before the media data of an MP4: faststart in one pass."""

from __future__ import annotations

import struct
from array import array
from datetime import datetime
from fractions import Fraction
from itertools import groupby, pairwise
from math import lcm
from operator import add

from cutback.cutting.mp4.boxes import box, full_box, packed
from cutback.cutting.mp4.created import seconds_of
from cutback.cutting.mp4.layout import OutTrack, Placed
from cutback.cutting.mp4.tags import written_tags, written_track_title
from cutback.cutting.tags import Tags

NO_TAGS = Tags()
IDENTITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_LARGEST_TIMESCALE = 2**31 - 1
_HANDLERS = {"video": (b"vide", b"Video"), "audio": (b"soun", b"Sound")}


MP4_BRANDS, M4A_BRANDS = b"isomisomiso2avc1mp41", b"M4A M4A isomiso2mp42"
"""The major brand, and all that a file is compatible with."""


def front_matter(
    tracks: list[OutTrack],
    placed: Placed,
    tags: Tags = NO_TAGS,
    created: datetime | None = None,
    brands: bytes = MP4_BRANDS,
) -> bytes:
    """Return everything before the media data, including the media data's header."""
    ftyp = box(b"ftyp", brands[:4], struct.pack(">I", 512), brands[4:])
    wide = placed.size + 16 >= 2**32
    mdat = struct.pack(">I4sQ", 1, b"mdat", placed.size + 16) if wide else struct.pack(">I4s", placed.size + 8, b"mdat")
    # The width of offsets depends on the size of the media data; their values do not change the size of moov.
    moov, tables = _moov(tracks, placed, "Q" if wide or placed.size >= 2**31 else "I", seconds_of(created))
    moov += written_tags(tags)
    struct.pack_into(">I", moov, 0, len(moov))
    begin = len(ftyp) + len(moov) + len(mdat)
    for end, code, chunks in tables:
        offsets = packed(code, [begin + chunk for chunk in chunks])
        moov[end - len(offsets) : end] = offsets
    return ftyp + bytes(moov) + mdat


def as_quicktime(head: bytes) -> bytes:
    """Return `front_matter` with the brand of QuickTime files; nothing else of it moves."""
    size = struct.unpack_from(">I", head)[0]
    return box(b"ftyp", b"qt  ", struct.pack(">I", 512), b"qt  " * ((size - 16) // 4)) + head[size:]


def movie_timescale(timescales: list[int]) -> int:
    """Return a time scale in which all tracks' edits are integers; microseconds if none fits in 31 bits."""
    common = lcm(*timescales)
    return common if common <= _LARGEST_TIMESCALE else 1_000_000


def decode_times(pts: array[int]) -> tuple[list[int], int]:
    """Compute the DTS of pictures in decoding order: never after their PTS, strictly ascending, at any frame rate.

    The DTS are the PTS in ascending order, delayed by the reorder depth in pictures. Returns them, starting at 0, and
    the PTS that corresponds to 0.
    """
    ascending = sorted(pts)
    rank = {value: place for place, value in enumerate(ascending)}
    depth = max((number - rank[value] for number, value in enumerate(pts)), default=0)
    step = max(1, ascending[1] - ascending[0]) if len(ascending) > 1 else 1
    early = [ascending[0] - (depth - number) * step for number in range(depth)]
    times = (early + ascending)[: len(pts)]
    first = times[0] if times else 0
    return [time - first for time in times], first


def _moov(
    tracks: list[OutTrack], placed: Placed, code: str, created: int
) -> tuple[bytearray, list[tuple[int, str, list[int]]]]:
    """Return the box, with chunk offsets relative to the media data's first byte, and where those tables end in it."""
    timescale = movie_timescale([track.timescale for track in tracks])
    duration = max(_ticks(track.delay + track.duration, timescale) for track in tracks)
    mvhd = full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQ", created, created, timescale, duration),
        struct.pack(">IH10x", 0x10000, 0x100),
        IDENTITY,
        bytes(24),
        struct.pack(">I", len(tracks) + 1),
    )
    moov = bytearray(box(b"moov", mvhd))
    tables = []
    for number, track in enumerate(tracks):
        chunks, runs = _chunk(track, placed.places[number])
        moov += _trak(track, number + 1, timescale, chunks, runs, code, created)
        tables.append((len(moov), code, chunks))  # a track ends with its chunk offsets
    return moov, tables


def _ticks(seconds: Fraction, timescale: int) -> int:
    return round(seconds * timescale)


def _trak(
    track: OutTrack,
    number: int,
    timescale: int,
    chunks: list[int],
    runs: list[tuple[int, int, int]],
    code: str,
    created: int,
) -> bytes:
    dts, base = decode_times(track.pts)
    media_duration = dts[-1] + track.last_duration
    presented = _ticks(track.duration, timescale)
    delay = _ticks(track.delay, timescale)
    edits = [(presented, min(track.pts) - base + track.skip)]
    if delay:
        edits.insert(0, (delay, -1))
    stbl = _stbl(track, dts, base, chunks, runs, code)
    return track_box(track, number, delay + presented, media_duration, created, edits, stbl)


def track_box(
    track: OutTrack,
    number: int,
    duration: int,
    media_duration: int,
    created: int,
    edits: list[tuple[int, int]],
    stbl: bytes,
) -> bytes:
    """Build `trak`. `duration` and the durations of `edits` are in the movie's ticks, `media_duration` in the track's.

    Each edit is a duration and the media time at which it begins, -1 for nothing.
    """
    width, height = track.display_size
    volume = 0x100 if track.kind == "audio" else 0
    tkhd = full_box(
        b"tkhd",
        1,
        3,  # enabled, in the movie
        struct.pack(">QQI4xQ", created, created, number, duration),
        struct.pack(">8xhhH2x", 0, 1 if track.kind == "audio" else 0, volume),
        track.matrix or IDENTITY,
        struct.pack(">II", width, height),
    )
    elst = full_box(
        b"elst", 1, 0, struct.pack(">I", len(edits)), *(struct.pack(">Qqi", *edit, 0x10000) for edit in edits)
    )
    edts = box(b"edts", elst) if edits else b""
    language = 0
    for letter in track.language:
        language = language << 5 | ord(letter) - 0x60
    mdhd = full_box(
        b"mdhd", 1, 0, struct.pack(">QQIQHH", created, created, track.timescale, media_duration, language, 0)
    )
    handler, name = _HANDLERS.get(track.kind, (track.handler, b"Text"))
    name = track.title.encode() or name  # most programs look for the title there
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", handler), name + b"\0")
    header = {
        "video": full_box(b"vmhd", 0, 1, bytes(8)),
        "audio": full_box(b"smhd", 0, 0, bytes(4)),
        # The media header of stpp is sthd (ISO/IEC 14496-12, 12.6.2); that of other text is the null one.
        "other": full_box(b"sthd" if track.handler == b"subt" else b"nmhd", 0, 0),
    }[track.kind]
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", header, dinf, stbl)
    return box(b"trak", tkhd, edts, written_track_title(track.title), box(b"mdia", mdhd, hdlr, minf))


def _stbl(
    track: OutTrack, dts: list[int], base: int, chunks: list[int], runs: list[tuple[int, int, int]], code: str
) -> bytes:
    count = len(track)
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", len(track.entries)), *track.entries)
    deltas = [following - time for time, following in pairwise(dts)]
    boxes = [stsd, _run_length(b"stts", 0, [*deltas, track.last_duration])]
    offsets = [pts - base - time for pts, time in zip(track.pts, dts, strict=True)]
    if any(offsets):
        boxes.append(_run_length(b"ctts", 0, offsets))
    if not all(track.sync):
        numbers = [number + 1 for number, sync in enumerate(track.sync) if sync]
        boxes.append(full_box(b"stss", 0, 0, struct.pack(">I", len(numbers)), packed("I", numbers)))
    rows = array("I", [value for row in runs for value in row])
    boxes.append(full_box(b"stsc", 0, 0, struct.pack(">I", len(runs)), packed("I", rows)))
    boxes.append(full_box(b"stsz", 0, 0, struct.pack(">II", 0, count), packed("I", track.sizes)))
    kind = b"co64" if code == "Q" else b"stco"
    boxes.append(full_box(kind, 0, 0, struct.pack(">I", len(chunks)), packed(code, chunks)))
    return box(b"stbl", *boxes)


def _run_length(kind: bytes, version: int, values: list[int]) -> bytes:
    runs = [(len(list(group)), value) for value, group in groupby(values)]
    table = array("I", [number for run in runs for number in run])
    return full_box(kind, version, 0, struct.pack(">I", len(runs)), packed("I", table))


def _chunk(track: OutTrack, places: list[int]) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Return the offsets of chunks (adjacent samples with one entry), and the rows of `stsc`."""
    count, used = len(track), track.entry_of
    follows = map(add, places, track.sizes)  # the offset of the next sample, if it is adjacent
    if len(set(used)) == 1:
        begins = [n for n, (at, due) in enumerate(zip(places[1:], follows, strict=False), 1) if at != due]
    else:
        neighbours = zip(places[1:], follows, pairwise(used), strict=False)
        begins = [n for n, (at, due, (before, now)) in enumerate(neighbours, 1) if at != due or before != now]
    begins.insert(0, 0)
    chunks = [places[begin] for begin in begins]
    counts = [(end - begin, used[begin]) for begin, end in pairwise([*begins, count])]
    rows: list[tuple[int, int, int]] = []
    for number, (samples, entry) in enumerate(counts):
        if not rows or rows[-1][1:] != (samples, entry + 1):
            rows.append((number + 1, samples, entry + 1))
    return chunks, rows
