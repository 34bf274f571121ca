"""How parent and child talk: framed JSON and bytes over a Unix socket. Nothing that comes is ever executed."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from cutback.cutting.job import CutGap, CutJob, CutRange, Facts, Limits, Poster, RealSpan
from cutback.cutting.mp4.layout import Extent
from cutback.times import FrameNumber, Instant

_HEADER = struct.Struct(">II")
MAX_MESSAGE = 512 * 1024 * 1024
"""A child that sends more is not one of ours any more."""

_LARGEST_POSTER = 64 * 1024 * 1024


class WireError(Exception):
    """The other side is gone or does not speak the protocol."""


def send(sock: socket.socket, message: dict[str, Any], payload: bytes = b"") -> None:
    """Send a message with bytes behind it.

    Raises:
        WireError: the other side is gone.
    """
    text = json.dumps(message).encode()
    try:
        sock.sendall(_HEADER.pack(len(text), len(payload)) + text)
        if payload:
            sock.sendall(payload)
    except OSError as error:
        raise WireError(str(error)) from error


def receive(sock: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Wait for the next message.

    Raises:
        WireError: the other side is gone, or what it sent is no message.
    """
    text_size, payload_size = _HEADER.unpack(_exactly(sock, _HEADER.size))
    if text_size + payload_size > MAX_MESSAGE:
        raise WireError("a message is too large")
    try:
        message = json.loads(_exactly(sock, text_size))
    except ValueError as error:
        raise WireError("a message is not JSON") from error
    if not isinstance(message, dict):
        raise WireError("a message is not an object")
    return message, _exactly(sock, payload_size)


def _exactly(sock: socket.socket, size: int) -> bytes:
    buffer = bytearray(size)
    view = memoryview(buffer)
    got = 0
    while got < size:
        try:
            count = sock.recv_into(view[got:])
        except OSError as error:
            raise WireError(str(error)) from error
        if not count:
            raise WireError("the other side closed the connection")
        got += count
    return bytes(buffer)


# --- the values that cross -------------------------------------------------------------------------


def job_to_json(job: CutJob) -> dict[str, Any]:
    """A job as JSON."""
    return {
        "sizes": job.sizes,
        "ranges": [_range_out(wanted) for wanted in job.ranges],
        "precision": job.precision,
        "limits": asdict(job.limits),
        "clocks": [None if clock is None else str(clock) for clock in job.clocks],
    }


def job_from_json(data: dict[str, Any]) -> CutJob:
    """The reverse of `job_to_json`."""
    ranges = tuple(_range_in(wanted) for wanted in data["ranges"])
    clocks = tuple(None if clock is None else Fraction(clock) for clock in data["clocks"])
    return CutJob(tuple(data["sizes"]), ranges, data["precision"], Limits(**data["limits"]), clocks)


def _range_out(wanted: CutRange | CutGap) -> list[Any]:
    if isinstance(wanted, CutGap):
        return [str(wanted.duration), wanted.fill]
    ends = [_instant_out(wanted.start), _instant_out(wanted.end)]
    return [wanted.source, *ends, wanted.seam_before, wanted.seam_after, wanted.optional]


def _range_in(data: list[Any]) -> CutRange | CutGap:
    match data:
        case [duration, fill]:
            return CutGap(Fraction(duration), fill)
        case [source, start, end, *flags]:
            return CutRange(source, _instant_in(start), _instant_in(end), *flags)
    raise WireError("a range of a wrong form")


def _instant_out(instant: Instant) -> str | int:
    return instant.frame if isinstance(instant, FrameNumber) else str(instant)


def _instant_in(value: str | int) -> Instant:
    return FrameNumber(value) if isinstance(value, int) else Fraction(value)


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Facts as JSON."""
    spans = [[s.source, str(s.start), str(s.end), s.clamped] for s in facts.spans]
    return {**asdict(facts), "duration": str(facts.duration), "spans": spans}


def facts_from_json(data: dict[str, Any]) -> Facts:
    """The reverse of `facts_to_json`.

    Raises:
        WireError: it is not of that form.
    """
    try:
        spans = tuple(RealSpan(int(n), Fraction(a), Fraction(b), bool(c)) for n, a, b, c in data["spans"])
        numbers = {
            name: int(data[name]) for name in ("size", "width", "height", "frames", "frames_copied", "frames_encoded")
        }
        notes = tuple(str(note) for note in data["notes"])
        return Facts(
            duration=Fraction(data["duration"]),
            spans=spans,
            remade=bool(data["remade"]),
            notes=notes,
            **numbers,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WireError("facts of a wrong form") from error


def posters_from_json(data: Any, spool_size: int) -> tuple[Poster, ...]:
    """Posters, each checked to lie inside the spool.

    Raises:
        WireError: one does not, or they are not of that form.
    """
    try:
        posters = tuple(Poster(*map(int, numbers)) for numbers in data)
    except (TypeError, ValueError) as error:
        raise WireError("posters of a wrong form") from error
    for poster in posters:
        if poster.offset < 0 or not 0 < poster.size <= min(_LARGEST_POSTER, spool_size - poster.offset):
            raise WireError("a poster outside the spool")
    return posters


def extents_from_json(data: Any, sizes: tuple[int, ...], spool_size: int) -> tuple[Extent, ...]:
    """Extents, each checked to lie inside its origin.

    Raises:
        WireError: one does not, or they are not of that form.
    """
    try:
        extents = tuple(Extent(int(origin), int(offset), int(length)) for origin, offset, length in data)
        for extent in extents:
            size = spool_size if extent.origin == -1 else sizes[extent.origin]
            if extent.origin < -1 or extent.offset < 0 or not 0 < extent.length <= size - extent.offset:
                raise WireError("an extent outside its origin")
    except (TypeError, ValueError, IndexError) as error:
        raise WireError("extents of a wrong form") from error
    return extents
