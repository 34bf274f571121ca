"""Finds the end of a recording that is still being written: which of its last pictures are complete and contiguous."""

from __future__ import annotations

from array import array
from itertools import pairwise
from statistics import median
from typing import Literal

from cutback.cutting.job import ByteSource

Ending = Literal["whole", "broken", "unsure"]

TS_PACKET = 188
_SYNC = 0x47
_TAIL = 8192
"""Packets that are examined: 1.5 MB, which few pictures exceed. A unit that is not found there counts as complete."""
_PES_HEAD = 6
_AROUND = 64
"""Pictures at the end whose intervals define what a hole is."""


def ts_endings(source: ByteSource) -> dict[int, Ending]:
    """Return for each PID of an MPEG transport stream whether its last unit (PES) is complete.

    The last packet of a unit is padded to 188 bytes (ISO/IEC 13818-1, 2.4.3.5). If it is full without padding, and the
    unit does not state its length, only decoding shows whether it is complete.
    """
    whole = source.size // TS_PACKET
    first = max(0, whole - _TAIL)
    tail = source.read_at(first * TS_PACKET, source.size - first * TS_PACKET)
    found: dict[int, Ending] = {}
    lengths: dict[int, int] = {}
    rest = tail[(whole - first) * TS_PACKET :]
    if len(rest) >= 4 and rest[0] == _SYNC:
        found[_pid(rest)] = "broken"
    for number in reversed(range(whole - first)):
        packet = tail[number * TS_PACKET : (number + 1) * TS_PACKET]
        if packet[0] != _SYNC:
            return {}
        payload = _payload(packet)
        pid = _pid(packet)
        if not payload or (pid in found and pid not in lengths):
            continue
        if pid not in lengths and _is_filled(packet):
            found[pid] = "whole"
            continue
        found[pid] = "unsure"
        lengths[pid] = lengths.get(pid, 0) + len(payload)
        if packet[1] & 0x40:  # the unit begins here
            told = int.from_bytes(payload[4:_PES_HEAD])
            if payload[:3] == b"\0\0\1" and told:
                found[pid] = "whole" if lengths[pid] == told + _PES_HEAD else "broken"
            del lengths[pid]
    return found


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _payload(packet: bytes) -> bytes:
    kind = packet[3] >> 4 & 3
    if not kind & 1:
        return b""
    return packet[4:] if kind == 1 else packet[5 + packet[4] :]


def _is_filled(packet: bytes) -> bool:
    """Whether the packet has stuffing: an adaptation field that is longer than its content."""
    if packet[3] >> 4 & 3 != 3:
        return False
    length = packet[4]
    if not length:
        return True
    flags = packet[5]
    used = 1 + (6 if flags & 0x10 else 0) + (6 if flags & 0x08 else 0) + (1 if flags & 0x04 else 0)
    for bit in (0x02, 0x01):  # private data and extension, each with its own length
        if flags & bit:
            used += 1 + (packet[5 + used] if 5 + used < TS_PACKET else 0)
    return length > used


def hole_at_end(pts: array[int], ahead: int) -> int | None:
    """Return the time from which on earlier pictures are missing because they are not written yet.

    Pictures are stored in decoding order, so a picture may be there without those that are presented before it. Up to
    the time `ahead`, nothing can be missing, because whatever is stored later is presented later.
    """
    last = sorted(pts[-_AROUND:])
    steps = [after - before for before, after in pairwise(last)]
    if not steps:
        return None
    usual = median(steps)
    return next((after for before, after in pairwise(last) if after > ahead and after - before > usual * 3 / 2), None)
