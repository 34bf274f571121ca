"""Writes one track as fragments: an initialization segment, and media segments that refer to it (CMAF, HLS)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from cutback.cutting.mp4.boxes import box, full_box
from cutback.cutting.mp4.created import seconds_of
from cutback.cutting.mp4.layout import Extent, OutTrack
from cutback.cutting.mp4.write import IDENTITY, decode_times, track_box

TRACK = 1
"""The number of the only track."""

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


def initialization(made: FragmentedTrack, created: datetime | None = None) -> bytes:
    """Return the initialization segment: what the track is, without samples."""
    track, written = made.track, seconds_of(created)
    ftyp = box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6cmfcmp41")
    mvhd = full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQ", written, written, track.timescale, 0),
        struct.pack(">IH10x", 0x10000, 0x100),
        IDENTITY,
        bytes(24),
        struct.pack(">I", TRACK + 1),
    )
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", len(track.entries)), *track.entries)
    empty = [full_box(kind, 0, 0, struct.pack(">I", 0)) for kind in (b"stts", b"stsc", b"stco")]
    stbl = box(b"stbl", stsd, *empty, full_box(b"stsz", 0, 0, struct.pack(">II", 0, 0)))
    edits = [(0, made.hidden)] if made.hidden else []
    trak = track_box(track, TRACK, 0, 0, written, edits, stbl)
    trex = full_box(b"trex", 0, 0, struct.pack(">IIIII", TRACK, 1, 0, 0, 0))
    return ftyp + box(b"moov", mvhd, trak, box(b"mvex", trex))


def media_segment(made: FragmentedTrack, number: int, first: int, stop: int) -> tuple[bytes, list[Extent]]:
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
    tfhd = full_box(b"tfhd", 0, 0x020002, struct.pack(">II", TRACK, entry))
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
