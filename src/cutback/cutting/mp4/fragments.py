"""Reads the samples of movie fragments (`moof`)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from cutback.cutting.mp4.boxes import child, children
from cutback.cutting.mp4.samples import Samples
from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError


class Defaults(NamedTuple):
    """The defaults of a track's fragments (`trex`)."""

    description: int = 0
    duration: int = 0
    size: int = 0
    flags: int = 0


def read_fragment(
    moof: memoryview,
    moof_offset: int,
    file_size: int,
    defaults: dict[int, Defaults],
    tracks: dict[int, Samples],
    most: int,
) -> None:
    """Append one movie fragment's samples (ISO/IEC 14496-12, 8.8) to `tracks`, by track id.

    The caller drops samples beyond the end of the file, which is still being written.

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
            raise MediaUnreadableError("A fragment is damaged.") from error


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
        raise MediaUnreadableError("A fragment has no header.")
    flags, track_id = struct.unpack_from(">II", tfhd)
    base, description, duration, size, sample_flags = moof_offset, *defaults.get(track_id, Defaults())
    at = 8
    if flags & 0x1:
        (base,) = struct.unpack_from(">Q", tfhd, at)
        at += 8
    elif not flags & 0x20000:  # not given, and no "default-base-is-moof": after the previous run's data
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
    if tfdt is None:
        samples.follows = samples.follows or not samples.sizes
    else:
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
        raise MediaUnreadableError("A fragment is truncated.")
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
