"""Reads an MP4's index from its `moov` box and, if it is fragmented, its `moof` boxes."""

from __future__ import annotations

import struct
from dataclasses import replace

from cutback.cutting.index import CHAPTERS, COVER, Hull, Index
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.job import read_index as read_bytes
from cutback.cutting.mp4.boxes import child, children, top_level
from cutback.cutting.mp4.created import created
from cutback.cutting.mp4.descriptions import ENCRYPTED
from cutback.cutting.mp4.edit_list import read_priming
from cutback.cutting.mp4.fragments import Defaults, read_fragment
from cutback.cutting.mp4.samples import Samples
from cutback.cutting.mp4.tags import has_chapters, has_cover, read_tags
from cutback.cutting.mp4.trak import Trak, parse_trak
from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError, MediaUnsupportedError


def is_mp4(head: bytes) -> bool:
    """Whether a file that begins with `head` (12 bytes) is MP4 or MOV, by its content."""
    return len(head) >= 8 and head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"}


_PICTURES = {b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"mif1", b"msf1", b"avif")}
"""Beginnings of files that hold pictures without an index of samples (ISO/IEC 23008-12)."""


def read_index(source: ByteSource, limits: Limits, hull: Hull | None = None) -> Index:
    """Read a recording's index: the samples that `hull` needs, or all of them.

    Raises:
        MediaUnreadableError: there is no index, it is damaged, or it has neither video nor audio.
        MediaTooLargeError: it exceeds a limit.
        MediaUnsupportedError: it is encrypted.
    """
    moov: memoryview | None = None
    fragments: dict[int, Samples] = {}
    defaults: dict[int, Defaults] = {}
    index_bytes = end = 0
    finished = False
    for kind, offset, header, size in top_level(source):
        end = offset + size
        finished = finished or kind == b"mfra"
        if kind not in {b"moov", b"moof"}:
            continue
        index_bytes += size
        if index_bytes > limits.index_bytes:
            raise MediaTooLargeError(f"Its index is larger than {limits.index_bytes} bytes.")
        if offset + size > source.size:
            if kind == b"moof":
                break  # still being written: read up to the last complete fragment
            raise MediaUnreadableError("Its index is incomplete; the file is truncated.")
        data = memoryview(read_bytes(source, offset + header, size - header))
        if child(data, b"pssh") is not None:  # for players, to get the keys
            raise MediaUnsupportedError(ENCRYPTED)
        if kind == b"moov" and moov is None:
            moov = data
            defaults = _fragment_defaults(moov)
        elif kind == b"moof" and moov is not None:
            read_fragment(data, offset, source.size, defaults, fragments, limits.frames)
    if moov is None:
        if read_bytes(source, 4, 8) in _PICTURES:
            raise MediaUnsupportedError("It is a HEIF or AVIF picture.")
        raise MediaUnreadableError("It has no index (moov box); the recording was not finished or is truncated.")
    try:
        index = _read_moov(moov, fragments, source.size, limits, hull)
        fragmented = bool(defaults)
        tags, about_tags = read_tags(moov)
        return replace(
            index,
            created=created(moov),
            tags=tags,
            notes=(*index.notes, *about_tags),
            fragmented=fragmented,
            truncated=end != source.size,
            open_ended=fragmented and not finished,
        )
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise MediaUnreadableError("Its index is damaged.") from error


def _fragment_defaults(moov: memoryview) -> dict[int, Defaults]:
    mvex = child(moov, b"mvex")
    if mvex is None:
        return {}
    rows = (struct.unpack_from(">IIIII", data, 4) for kind, data in children(mvex) if kind == b"trex")
    return {track: Defaults(description - 1, *rest) for track, description, *rest in rows}


def _read_moov(
    moov: memoryview, fragments: dict[int, Samples], file_size: int, limits: Limits, hull: Hull | None
) -> Index:
    mvhd = child(moov, b"mvhd")
    if mvhd is None:
        raise MediaUnreadableError("Its index has no movie header.")
    (movie_timescale,) = struct.unpack_from(">I", mvhd, 20 if mvhd[0] == 1 else 12)
    boxes = [data for kind, data in children(moov) if kind == b"trak"]
    if len(boxes) > limits.streams:
        raise MediaTooLargeError(f"It has {len(boxes)} tracks; the limit is {limits.streams}.")
    notes: list[str] = []
    traks: list[Trak] = []
    priming = read_priming(moov)
    for data in boxes:
        trak = parse_trak(data, movie_timescale or 1000, fragments, file_size, limits, notes, priming)
        if trak is not None:
            traks.append(trak)
    shown = [trak for trak in traks if trak.kind != "other"]
    if not shown:
        raise MediaUnreadableError("It has neither video nor audio.")
    zero = min(trak.start for trak in shown)
    if max(trak.end for trak in shown) - zero > limits.duration:
        raise MediaTooLargeError(f"It claims to last longer than {limits.duration} seconds.")
    video = next((trak for trak in shown if trak.kind == "video"), None)
    pictures = None
    if hull is not None and hull.frames and video is None:
        hull = None  # no times follow from this; the plan reports that the range is outside
    if hull is not None:
        hull = replace(hull, start=hull.start + zero, end=hull.end + zero)
        if video is not None:
            pictures = video.track(zero, video.with_frames(hull))
            # Whole GOPs may be read; widen the hull of the other tracks accordingly.
            times = [pictures.seconds(ticks) + zero for ticks in (min(pictures.pts), max(pictures.pts))]
            hull = replace(hull, start=min(times), end=max(times))
    tracks = (pictures if pictures is not None and trak is video else trak.track(zero, hull) for trak in traks)
    if has_cover(moov):
        notes.append(COVER)
    if has_chapters(moov):
        notes.append(CHAPTERS)
    return Index("mp4", tuple(tracks), tuple(notes))
