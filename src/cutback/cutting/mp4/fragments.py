"""Samples as a movie's tables and its fragments (`moof`) list them."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from cutback.cutting.mp4.boxes import child, children
from cutback.errors import MediaTooLargeError, MediaUnreadableError


class Defaults(NamedTuple):
    """What holds for a track's fragments unless they say otherwise (`trex`)."""

    description: int = 0
    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(slots=True)
class Samples:
    """A track's samples while they are being collected; the same columns as `index.Track`."""

    dts: array[int] = field(default_factory=lambda: array("q"))
    pts: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("I"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    sync: array[int] = field(default_factory=lambda: array("I"))
    described: list[tuple[int, int]] = field(default_factory=list)
    last_duration: int = 0
    lost: int = 0
    """How many samples at the end lie beyond the end of the file."""

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.sizes)

    @property
    def next_dts(self) -> int:
        """When a sample after the last would be decoded, in ticks."""
        return self.dts[-1] + self.last_duration if self.dts else 0

    @property
    def longest_duration(self) -> int:
        """Ticks that the longest of the first samples lasts (all are equal in sound)."""
        times = self.dts[:16]
        return max([self.last_duration, *(after - time for time, after in pairwise(times))])

    def extend(self, other: Samples) -> None:
        """Append the samples of a track's fragments to those of its tables."""
        base = len(self)
        for name in ("dts", "pts", "sizes", "offsets"):
            getattr(self, name).extend(getattr(other, name))
        self.sync.extend(array("I", (base + number for number in other.sync)))
        self.described.extend((base + number, description) for number, description in other.described)
        self.last_duration = other.last_duration

    def clip_to(self, file_size: int) -> None:
        """Leave out the samples from the first one on that lies beyond the end of the file."""
        count = next(
            (i for i, (at, size) in enumerate(zip(self.offsets, self.sizes, strict=True)) if at + size > file_size),
            len(self),
        )
        self.lost = len(self) - count
        if not self.lost:
            return
        self.last_duration = self.dts[count] - self.dts[count - 1] if count else 0
        for name in ("dts", "pts", "sizes", "offsets"):
            setattr(self, name, getattr(self, name)[:count])
        self.sync = array("I", (number for number in self.sync if number < count))


def read_fragment(
    moof: memoryview,
    moof_offset: int,
    file_size: int,
    defaults: dict[int, Defaults],
    tracks: dict[int, Samples],
    most: int,
) -> None:
    """Append one movie fragment's samples (ISO/IEC 14496-12, 8.8) to `tracks`, by track id.

    Samples that lie beyond the end of the file (it is still being written) are left out by the caller.

    Raises:
        MediaUnreadableError: the fragment is damaged.
        MediaTooLargeError: a track has more than `most` samples.
    """
    data_end = moof_offset
    try:
        for kind, traf in children(moof):
            if kind == b"traf":
                data_end = _read_traf(traf, moof_offset, data_end, defaults, tracks, most)
    except (struct.error, OverflowError) as error:
        if moof_offset + len(moof) + 8 < file_size:
            raise MediaUnreadableError("A fragment of it is damaged.") from error


def _read_traf(
    traf: memoryview,
    moof_offset: int,
    data_end: int,
    defaults: dict[int, Defaults],
    tracks: dict[int, Samples],
    most: int,
) -> int:
    tfhd = child(traf, b"tfhd")
    if tfhd is None:
        raise MediaUnreadableError("A fragment of it lacks its header.")
    flags, track_id = struct.unpack_from(">II", tfhd)
    base, description, duration, size, sample_flags = moof_offset, *defaults.get(track_id, Defaults())
    at = 8
    if flags & 0x1:
        (base,) = struct.unpack_from(">Q", tfhd, at)
        at += 8
    elif not flags & 0x20000:  # neither given nor "default-base-is-moof": after the previous run's data
        base = data_end
    if flags & 0x2:
        description = struct.unpack_from(">I", tfhd, at)[0] - 1
        at += 4
    if flags & 0x8:
        (duration,) = struct.unpack_from(">I", tfhd, at)
        at += 4
    if flags & 0x10:
        (size,) = struct.unpack_from(">I", tfhd, at)
        at += 4
    if flags & 0x20:
        (sample_flags,) = struct.unpack_from(">I", tfhd, at)
    samples = tracks.setdefault(track_id, Samples())
    dts = samples.next_dts
    tfdt = child(traf, b"tfdt")
    if tfdt is not None:
        (dts,) = struct.unpack_from(">Q" if tfdt[0] == 1 else ">I", tfdt, 4)
    if not samples.described or samples.described[-1][1] != description:
        samples.described.append((len(samples), max(0, description)))
    place = base
    for kind, trun in children(traf):
        if kind == b"trun":
            dts, place = _read_run(trun, samples, dts, base, place, (duration, size, sample_flags))
            if len(samples) > most:
                raise MediaTooLargeError(f"A track has more than {most} samples.")
    return place


def _read_run(
    trun: memoryview, samples: Samples, dts: int, base: int, place: int, default: tuple[int, int, int]
) -> tuple[int, int]:
    version_flags, count = struct.unpack_from(">II", trun)
    flags = version_flags & 0xFFFFFF
    at = 8
    if flags & 0x1:
        place = base + struct.unpack_from(">i", trun, at)[0]
        at += 4
    first_flags = None
    if flags & 0x4:
        (first_flags,) = struct.unpack_from(">I", trun, at)
        at += 4
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    row = struct.Struct(">" + "".join("i" if bit == 0x800 else "I" for bit in fields))
    if fields and count * row.size > len(trun) - at:
        raise MediaUnreadableError("A fragment of it is cut short.")
    if not fields and count > 1_000_000:
        raise MediaTooLargeError("A fragment claims more than a million samples.")
    duration, size, sample_flags = default
    for number in range(count):
        values = dict(zip(fields, row.unpack_from(trun, at + number * row.size), strict=True))
        length = values.get(0x200, size)
        this_flags = values.get(0x400, sample_flags)
        if number == 0 and first_flags is not None:
            this_flags = first_flags
        if not this_flags & 0x10000:  # sample_is_non_sync_sample
            samples.sync.append(len(samples))
        samples.dts.append(dts)
        samples.pts.append(dts + values.get(0x800, 0))
        samples.sizes.append(length)
        samples.offsets.append(place)
        samples.last_duration = values.get(0x100, duration)
        dts += samples.last_duration
        place += length
    return dts, place
