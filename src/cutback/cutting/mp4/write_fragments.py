"""Writes tracks as fragments: an initialization segment, and media segments that refer to it (CMAF, HLS)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from cutback.cutting.mp4.boxes import box, full_box
from cutback.cutting.mp4.created import seconds_of
from cutback.cutting.mp4.layout import Extent, OutTrack
from cutback.cutting.mp4.tags import written_tags
from cutback.cutting.mp4.write import IDENTITY, NO_TAGS, decode_times, track_box
from cutback.cutting.tags import Tags

FIRST = 1
"""The number of the first track."""

_SYNC, _NOT_SYNC = 0x0200_0000, 0x0101_0000
"""Flags of samples (ISO/IEC 14496-12, 8.8.3.1): depends on no other; depends on others and is not a sync sample."""

_LARGEST_SIZE = 2**32 - 1


@dataclass(frozen=True, slots=True)
class FragmentedTrack:
    """A track with the times that its fragments have, in ticks."""

    track: OutTrack
    dts: Sequence[int]
    """Decode time of each sample; the first one is `origin`."""
    pts: Sequence[int]
    """When each sample is presented, before the edit list."""
    hidden: int
    """What the edit list hides: the priming of sound."""

    @property
    def durations(self) -> list[int]:
        """The duration of each sample."""
        return [after - before for before, after in pairwise([*self.dts, self.dts[-1] + self.track.last_duration])]


def fragmented(track: OutTrack) -> FragmentedTrack:
    """Compute the times of a track's fragments. The clip's zero is 0, so they can be negative only in the edit list.

    Pictures need no edit list: those that are decoded before they are presented have negative offsets. Sound begins
    with samples that only prepare the decoder; the edit list hides as many as lie before the clip's zero.
    """
    delay = round(track.delay * track.timescale)
    dts, _ = decode_times(track.pts)
    origin, hidden = max(0, delay - track.skip), max(0, track.skip - delay)
    first = min(track.pts)
    return FragmentedTrack(track, [time + origin for time in dts], [pts - first + origin for pts in track.pts], hidden)


def behind_decoding(made: FragmentedTrack) -> FragmentedTrack:
    """Return the track with an edit list instead of pictures that are presented before they are decoded.

    Players of files expect it so: FFmpeg shows such pictures late.
    """
    late = max(0, *(dts - pts for dts, pts in zip(made.dts, made.pts, strict=True)))
    return replace(made, pts=[pts + late for pts in made.pts], hidden=made.hidden + late)


CMAF_BRANDS, MP4_BRANDS = b"iso6iso6cmfcmp41", b"iso6iso6isommp41"
"""The major brand, and all that a file is compatible with."""


def initialization(
    tracks: Sequence[FragmentedTrack],
    created: datetime | None = None,
    *,
    tags: Tags = NO_TAGS,
    brands: bytes = CMAF_BRANDS,
    duration: Fraction = Fraction(0),
) -> bytes:
    """Return the initialization segment: what the tracks are, without samples. They are numbered from 1.

    `duration` is in seconds, and 0 if it is not told.
    """
    written, scale = seconds_of(created), tracks[0].track.timescale
    ftyp = box(b"ftyp", brands[:4], struct.pack(">I", 0), brands[4:])
    mvhd = full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQ", written, written, scale, 0),
        struct.pack(">IH10x", 0x10000, 0x100),
        IDENTITY,
        bytes(24),
        struct.pack(">I", len(tracks) + 1),
    )
    traks, extends = [], []
    if duration:
        extends.append(full_box(b"mehd", 1, 0, struct.pack(">Q", round(duration * scale))))
    for number, made in enumerate(tracks, FIRST):
        entries = made.track.entries
        stsd = full_box(b"stsd", 0, 0, struct.pack(">I", len(entries)), *entries)
        empty = [full_box(kind, 0, 0, struct.pack(">I", 0)) for kind in (b"stts", b"stsc", b"stco")]
        stbl = box(b"stbl", stsd, *empty, full_box(b"stsz", 0, 0, struct.pack(">II", 0, 0)))
        edits = [(0, made.hidden)] if made.hidden else []
        traks.append(track_box(made.track, number, 0, 0, written, edits, stbl))
        extends.append(full_box(b"trex", 0, 0, struct.pack(">IIIII", number, 1, 0, 0, 0)))
    return ftyp + box(b"moov", mvhd, *traks, box(b"mvex", *extends), written_tags(tags))


def segment_index(made: FragmentedTrack, segments: Sequence[tuple[int, Fraction]]) -> bytes:
    """Return an index of segments that begin right behind it: the bytes and the seconds of each.

    Each begins with a sample of the first track that can be decoded by itself (ISO/IEC 14496-12, 8.16.3).
    """
    scale = made.track.timescale
    rows, at, before = [], Fraction(0), 0
    for size, seconds in segments:
        at += seconds
        ends = round(at * scale)
        rows.append(struct.pack(">III", size, ends - before, 0x9000_0000))
        before = ends
    begin = struct.pack(">IIQQ", FIRST, scale, min(made.pts), 0)
    return full_box(b"sidx", 1, 0, begin, struct.pack(">HH", 0, len(rows)), *rows)


def media_segment(
    made: FragmentedTrack, number: int, first: int, stop: int, track_number: int = FIRST
) -> tuple[bytes, list[Extent]]:
    """Return the samples [first, stop) as the `number`-th segment: the bytes before them, and where they are.

    All of them have one sample entry.

    Raises:
        ValueError: they are too large for one segment, or have several sample entries.
    """
    track = made.track
    if len(set(track.entry_of[first:stop])) != 1:
        raise ValueError("several sample entries")
    size = sum(track.sizes[first:stop])
    if size + 8 > _LARGEST_SIZE:
        raise ValueError("too large")
    following = [*made.dts[first + 1 : stop + 1]]
    if stop == len(track):
        following.append(made.dts[-1] + track.last_duration)
    rows = b"".join(
        struct.pack(
            ">IIIi",
            after - made.dts[sample],
            track.sizes[sample],
            _SYNC if track.sync[sample] else _NOT_SYNC,
            made.pts[sample] - made.dts[sample],
        )
        for sample, after in zip(range(first, stop), following, strict=True)
    )
    entry = track.entry_of[first] + 1
    # default-base-is-moof, and the number of the sample entry
    tfhd = full_box(b"tfhd", 0, 0x020002, struct.pack(">II", track_number, entry))
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", made.dts[first]))
    mfhd = full_box(b"mfhd", 0, 0, struct.pack(">I", number))

    def moof(offset: int) -> bytes:
        # data offset, duration, size, flags and composition offset of each sample
        trun = full_box(b"trun", 1, 0x000F01, struct.pack(">Ii", stop - first, offset), rows)
        return box(b"moof", mfhd, box(b"traf", tfhd, tfdt, trun))

    head = moof(len(moof(0)) + 8) + struct.pack(">I4s", size + 8, b"mdat")
    return head, _joined(track, first, stop)


def _joined(track: OutTrack, first: int, stop: int) -> list[Extent]:
    extents: list[Extent] = []
    for sample in range(first, stop):
        origin, offset, size = track.origins[sample], track.offsets[sample], track.sizes[sample]
        last = extents[-1] if extents else None
        if last is not None and last.origin == origin and last.offset + last.length == offset:
            extents[-1] = Extent(origin, last.offset, last.length + size)
        elif size:
            extents.append(Extent(origin, offset, size))
    return extents


def presented_end(made: FragmentedTrack) -> Fraction:
    """Return when the track ends, in seconds since the clip's zero."""
    return made.track.delay + made.track.duration
