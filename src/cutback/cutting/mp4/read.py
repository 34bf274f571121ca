"""An MP4's index from its `moov` box and, where it is fragmented, its `moof` boxes."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, repeat

from cutback.cutting.index import Index, Kind, Track, presented_order
from cutback.cutting.job import Limits, Source
from cutback.cutting.mp4.boxes import child, children, top_level, words
from cutback.cutting.mp4.descriptions import parse_descriptions
from cutback.cutting.mp4.fragments import Defaults, Samples, read_fragment
from cutback.errors import MediaTooLargeError, MediaUnreadableError

_FOREVER = 2**62
_KINDS: dict[bytes, Kind] = {b"vide": "video", b"soun": "audio"}


@dataclass(frozen=True, slots=True)
class _Edits:
    """An edit list: an initial pause, then one stretch of media (the form that `plain` promises)."""

    delay: Fraction
    """Seconds of the pause."""
    origin: int
    """The media time presented right after the pause, in ticks."""
    first: int
    end: int
    plain: bool


def is_mp4(head: bytes) -> bool:
    """Whether a file that begins with `head` (12 bytes) is MP4 or MOV, by its content."""
    return len(head) >= 8 and head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"}


def read_index(source: Source, limits: Limits) -> Index:
    """Read a recording's index.

    Raises:
        MediaUnreadableError: there is no index, or it is damaged, or it holds no picture and no sound.
        MediaTooLargeError: it exceeds a limit.
    """
    moov: memoryview | None = None
    fragments: dict[int, Samples] = {}
    defaults: dict[int, Defaults] = {}
    index_bytes = 0
    for kind, offset, header, size in top_level(source):
        if kind not in {b"moov", b"moof"}:
            continue
        index_bytes += size
        if index_bytes > limits.index_bytes:
            raise MediaTooLargeError(f"Its index is larger than {limits.index_bytes} bytes.")
        if offset + size > source.size:
            if kind == b"moof":
                break  # a recording still being written: up to its last complete fragment
            raise MediaUnreadableError("Its index is cut short; the file is truncated.")
        data = memoryview(source.read_at(offset + header, size - header))
        if kind == b"moov" and moov is None:
            moov = data
            defaults = _fragment_defaults(moov)
        elif kind == b"moof" and moov is not None:
            read_fragment(data, offset, source.size, defaults, fragments, limits.frames)
    if moov is None:
        raise MediaUnreadableError("It has no index (moov box); the recording was not finished or is truncated.")
    try:
        return _read_moov(moov, fragments, source.size, limits)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise MediaUnreadableError("Its index is damaged.") from error


def _fragment_defaults(moov: memoryview) -> dict[int, Defaults]:
    mvex = child(moov, b"mvex")
    if mvex is None:
        return {}
    rows = (struct.unpack_from(">IIIII", data, 4) for kind, data in children(mvex) if kind == b"trex")
    return {track: Defaults(description - 1, *rest) for track, description, *rest in rows}


def _read_moov(moov: memoryview, fragments: dict[int, Samples], file_size: int, limits: Limits) -> Index:
    mvhd = child(moov, b"mvhd")
    if mvhd is None:
        raise MediaUnreadableError("Its index lacks the movie header.")
    (movie_timescale,) = struct.unpack_from(">I", mvhd, 20 if mvhd[0] == 1 else 12)
    traks = [data for kind, data in children(moov) if kind == b"trak"]
    if len(traks) > limits.streams:
        raise MediaTooLargeError(f"It has {len(traks)} tracks; the limit is {limits.streams}.")
    notes: list[str] = []
    tracks = []
    for trak in traks:
        track = _read_track(trak, movie_timescale or 1000, fragments, file_size, limits, notes)
        if track is not None:
            tracks.append(track)
    shown = [track for track in tracks if track.kind != "other"]
    if not shown:
        raise MediaUnreadableError("It holds no picture and no sound.")
    zero = min(track.start for track in shown)
    tracks = [replace(track, shift=track.shift - zero) for track in tracks]
    index = Index("mp4", tuple(tracks), tuple(notes))
    if index.end > limits.duration:
        raise MediaTooLargeError(f"It claims to last longer than {limits.duration} seconds.")
    return index


def _read_track(
    trak: memoryview,
    movie_timescale: int,
    fragments: dict[int, Samples],
    file_size: int,
    limits: Limits,
    notes: list[str],
) -> Track | None:
    tkhd, mdhd = child(trak, b"tkhd"), child(trak, b"mdia", b"mdhd")
    hdlr, stbl = child(trak, b"mdia", b"hdlr"), child(trak, b"mdia", b"minf", b"stbl")
    if tkhd is None or mdhd is None or hdlr is None or stbl is None:
        raise MediaUnreadableError("A track's description is incomplete.")
    (track_id,) = struct.unpack_from(">I", tkhd, 20 if tkhd[0] == 1 else 12)
    wide = mdhd[0] == 1
    timescale, language = struct.unpack_from(">I8xH" if wide else ">I4xH", mdhd, 20 if wide else 12)
    kind = _KINDS.get(bytes(hdlr[8:12]), "other")
    stsd = child(stbl, b"stsd")
    descriptions = parse_descriptions(stsd, kind) if stsd is not None else ()
    samples = _sample_tables(stbl, limits.frames)
    if track_id in fragments:
        samples.extend(fragments[track_id])
    samples.clip_to(file_size)
    if not timescale or not descriptions or not len(samples):
        return None
    edits = _edit_list(trak, movie_timescale, timescale)
    # A packet of sound that begins before the edit and reaches into it is presented in part; a picture is not.
    lead = samples.longest_duration - 1 if kind == "audio" else 0
    order = presented_order(samples.pts, (edits.first - lead, edits.end))
    if not order:
        notes.append(f"Track {track_id} presents nothing.")
        return None
    if samples.lost:
        notes.append(f"Track {track_id} lacks its last {samples.lost} samples: the file is truncated.")
    matrix_at = 52 if tkhd[0] == 1 else 40
    return Track(
        id=track_id,
        kind=kind,
        descriptions=descriptions,
        timescale=timescale,
        dts=samples.dts,
        pts=samples.pts,
        sizes=samples.sizes,
        offsets=samples.offsets,
        last_duration=samples.last_duration,
        sync=samples.sync,
        described=tuple(samples.described),
        shift=edits.delay - Fraction(edits.origin, timescale),
        window=(edits.first, edits.end),
        language=_language(language),
        matrix=bytes(tkhd[matrix_at : matrix_at + 36]),
        display_size=struct.unpack_from(">II", tkhd, matrix_at + 36),
        plain=edits.plain,
        order=order,
    )


def _language(packed: int) -> str:
    letters = "".join(chr((packed >> shift & 31) + 0x60) for shift in (10, 5, 0))
    return letters if letters.isalpha() and letters.isascii() else "und"


def _edit_list(trak: memoryview, movie_timescale: int, timescale: int) -> _Edits:
    """ISO/IEC 14496-12, 8.6.6. Times of the list's pauses are in the movie's time scale."""
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
        return _Edits(delay, 0, -_FOREVER, _FOREVER, plain)
    duration, first = entries[0]
    # A duration of 0 means "to the end" in fragmented files.
    end = first + round(Fraction(duration * timescale, movie_timescale)) if duration else _FOREVER
    return _Edits(delay, first, first, end, plain and len(entries) == 1)


def _sample_tables(stbl: memoryview, most: int) -> Samples:
    tables = dict(reversed(list(children(stbl))))
    sizes = _sizes(tables.get(b"stsz"), tables.get(b"stz2"), most)
    count = len(sizes)
    if not count:
        return Samples()
    deltas = _runs(tables.get(b"stts"), "I", count)
    dts = array("q", accumulate(deltas[:-1], initial=0))
    pts = dts
    if b"ctts" in tables:
        # Version 0 is meant to be unsigned, yet writers put negative offsets there too.
        offsets = _runs(tables[b"ctts"], "i", count)
        pts = array("q", map(int.__add__, dts, offsets))
    places, described = _chunks(tables, sizes)
    sync = (
        array("I", (number - 1 for number in words(tables[b"stss"][8:], "I") if 0 < number <= count))
        if b"stss" in tables
        else array("I", range(count))
    )
    return Samples(dts, pts, sizes, places, sync, described, deltas[-1])


def _sizes(stsz: memoryview | None, stz2: memoryview | None, most: int) -> array[int]:
    if stsz is None:
        if stz2 is not None:
            raise MediaUnreadableError("Its sample sizes are in a compact form that Cutback does not read.")
        return array("I")
    fixed, count = struct.unpack_from(">II", stsz, 4)
    if count > most:
        raise MediaTooLargeError(f"A track has {count} samples; the limit is {most}.")
    if fixed:
        return array("I", repeat(fixed, count))
    sizes = words(stsz[12 : 12 + 4 * count], "I")
    if len(sizes) < count:
        raise MediaUnreadableError("Its table of sample sizes is cut short.")
    return sizes


def _runs(table: memoryview | None, code: str, count: int) -> list[int]:
    """A run-length table (count, value)* spread out to `count` values; the last value goes on."""
    if table is None:
        raise MediaUnreadableError("Its index lacks the table of times.")
    counts, values = words(table[8:], "I")[::2], words(table[8:], code)[1::2]
    spread: list[int] = []
    for run, value in zip(counts, values, strict=False):
        spread.extend(repeat(value, min(run, count - len(spread))))
        if len(spread) == count:
            break
    if not spread:
        raise MediaUnreadableError("Its table of times is empty.")
    spread.extend(repeat(spread[-1], count - len(spread)))
    return spread


def _chunks(tables: dict[bytes, memoryview], sizes: array[int]) -> tuple[array[int], list[tuple[int, int]]]:
    """Where each sample lies, and which description holds from which sample on."""
    if b"stco" in tables:
        chunks = words(tables[b"stco"][8:], "I")
    elif b"co64" in tables:
        chunks = words(tables[b"co64"][8:], "Q")
    else:
        raise MediaUnreadableError("Its index does not say where the samples lie.")
    rows = words(tables[b"stsc"][8:], "I") if b"stsc" in tables else array("I")
    offsets = array("q")
    described: list[tuple[int, int]] = []
    sample, count = 0, len(sizes)
    for row in range(0, len(rows) - 2, 3):
        first, samples_per_chunk, description = rows[row : row + 3]
        if not first:
            raise MediaUnreadableError("Its table of chunks is damaged.")
        last = rows[row + 3] - 1 if row + 3 < len(rows) else len(chunks)
        if not described or described[-1][1] != description - 1:
            described.append((sample, max(0, description - 1)))
        for chunk in range(first - 1, min(last, len(chunks))):
            end = min(sample + samples_per_chunk, count)
            places = accumulate(sizes[sample:end], initial=chunks[chunk])
            offsets.extend(place for place, _ in zip(places, range(sample, end), strict=False))
            sample = end
            if sample == count:
                break
    if len(offsets) < count:
        raise MediaUnreadableError("Its tables disagree on how many samples there are.")
    return offsets, described
