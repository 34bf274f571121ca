"""The layout of a clip before it is written: tracks of samples that are still in the sources or the spool."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, repeat
from typing import NamedTuple

from cutback.cutting.index import Kind

SPOOL = -1
"""The origin of encoded samples; other origins are numbers of sources."""


class SoundMark(NamedTuple):
    """When a packet of sound must be presented, computed only from its source, for the check of the clip."""

    sample: int
    time: Fraction
    """Seconds since the clip's zero."""
    tolerance: Fraction
    """Seconds."""


BATCH = 1024
"""Samples whose offsets are in memory at once."""


class Extent(NamedTuple):
    """Consecutive bytes of one origin."""

    origin: int
    offset: int
    length: int


@dataclass(slots=True)
class OutTrack:
    """A track of the clip, in decoding order. Columns run in parallel."""

    kind: Kind
    timescale: int
    entries: list[bytes]
    """Sample entries for `stsd`."""
    delay: Fraction = Fraction(0)
    """Seconds before the track is first presented."""
    skip: int = 0
    """Ticks of media before the clip's zero, which the edit list hides (sound's preroll)."""
    duration: Fraction = Fraction(0)
    """Seconds that are presented, without the delay."""
    language: str = "und"
    title: str = ""
    handler: bytes = b""
    """The handler type of a track that is neither video nor audio, as in its source."""
    matrix: bytes = b""
    display_size: tuple[int, int] = (0, 0)
    pts: array[int] = field(default_factory=lambda: array("q"))
    """Ticks. The smallest one plus `skip` is presented at the clip's zero (after the delay)."""
    sizes: array[int] = field(default_factory=lambda: array("I"))
    sync: array[int] = field(default_factory=lambda: array("B"))
    origins: array[int] = field(default_factory=lambda: array("h"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    groups: array[int] = field(default_factory=lambda: array("i"))
    """Samples of a lower group precede those of a higher one; within a group, the origin's order applies."""
    last_duration: int = 1
    """Duration of the sample that is presented last, in ticks."""
    marks: list[SoundMark] = field(default_factory=list)
    """For sound: its first and last packet, and those around joins and jumps."""
    entry_of: array[int] = field(default_factory=lambda: array("H"))
    """The number of each sample's entry."""

    def add(
        self,
        *,
        pts: int,
        size: int,
        sync: bool,
        origin: int,
        offset: int,
        group: int | None = None,
        entry: int = 0,
    ) -> None:
        """Append the next sample in decoding order. Without a group, it goes with what is presented in its second."""
        self.pts.append(pts)
        self.sizes.append(size)
        self.sync.append(sync)
        self.origins.append(origin)
        self.offsets.append(offset)
        self.groups.append(pts // self.timescale if group is None else group)
        self.entry_of.append(entry)

    def extend(
        self,
        pts: Iterable[int],
        places: Iterable[Extent],
        sync: Iterable[int],
        entries: Iterable[int],
        *,
        group: int | None,
    ) -> None:
        """Append samples column by column: one by one would be a large part of a plain copy's cost.

        `pts` and `places` must have the same length; as many items of `sync` and `entries` are used.
        """
        first, rest = len(self), iter(places)
        self.pts.extend(pts)
        while batch := tuple(islice(rest, BATCH)):
            origins, offsets, sizes = zip(*batch, strict=True)
            self.origins.extend(origins)
            self.offsets.extend(offsets)
            self.sizes.extend(sizes)
        count = len(self) - first
        if len(self.sizes) != len(self):
            raise ValueError("columns of different lengths")
        self.sync.extend(islice(sync, count))
        self.entry_of.extend(islice(entries, count))
        scale = self.timescale
        self.groups.extend([time // scale for time in self.pts[first:]] if group is None else repeat(group, count))

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.pts)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the samples are in the file."""

    places: tuple[list[int], ...]
    """The offsets of each track's samples from the beginning of the media data."""
    extents: tuple[Extent, ...]
    """The media data, in order."""
    size: int
    """Size of the media data, in bytes."""


def lay_out(tracks: list[OutTrack]) -> Placed:
    """Lay out the samples in the order of their groups, and join adjacent bytes."""
    rows = sorted(
        (group, origin, offset, size, number, sample)
        for number, track in enumerate(tracks)
        for sample, (group, origin, offset, size) in enumerate(
            zip(track.groups, track.origins, track.offsets, track.sizes, strict=True)
        )
    )
    places: tuple[list[int], ...] = tuple([0] * len(track) for track in tracks)
    extents: list[Extent] = []
    position = run_start = run_length = 0
    run_origin: int | None = None
    for _, origin, offset, size, number, sample in rows:
        if origin != run_origin or offset != run_start + run_length:
            if run_origin is not None:
                extents.append(Extent(run_origin, run_start, run_length))
            run_origin, run_start, run_length = origin, offset, 0
        places[number][sample] = position
        run_length += size
        position += size
    if run_origin is not None:
        extents.append(Extent(run_origin, run_start, run_length))
    return Placed(places, tuple(extents), position)
