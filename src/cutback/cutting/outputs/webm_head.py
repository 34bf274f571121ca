"""Completes the head of a WebM that libavformat wrote: its duration, and the size at which pictures are shown. Pure.

PyAV cannot tell libavformat's writer the shape of pixels, and the writer takes the padding of Opus for sound. Elements
are those of Matroska (RFC 9559).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from itertools import accumulate
from typing import NamedTuple

from cutback.cutting.tags import MOST

ENOUGH = 4 * MOST + 48 * 1024
"""Bytes that hold the head: everything up to the end of its tracks. The longest title takes four bytes a character."""

_EBML, _SEGMENT, _VOID = 0x1A45DFA3, 0x18538067, 0xEC
_SEEK_HEAD, _SEEK, _SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AC
_INFO, _DURATION = 0x1549A966, 0x4489
_TRACKS, _TRACK, _VIDEO = 0x1654AE6B, 0xAE, 0xE0
_PIXEL_WIDTH, _PIXEL_HEIGHT, _DISPLAY_WIDTH, _DISPLAY_HEIGHT = 0xB0, 0xBA, 0x54B0, 0x54BA

_MILLISECONDS = 1000
"""A second has so many of the ticks in which libavformat counts."""


class _Element(NamedTuple):
    id: int
    id_width: int
    """Bytes."""
    size_width: int
    """Bytes of its size."""
    payload: bytes

    @property
    def length(self) -> int:
        return self.id_width + self.size_width + len(self.payload)

    def holding(self, payload: bytes) -> bytes:
        """Return it with another payload; its size keeps its width unless it needs more."""
        width = self.size_width
        while len(payload) >= (1 << 7 * width) - 1:
            width += 1
        size = (len(payload) | 1 << 7 * width).to_bytes(width)
        return self.id.to_bytes(self.id_width) + size + payload


_Change = Callable[[bytes], bytes]


def completed_head(data: bytes, duration: Fraction, aspect: Fraction) -> bytes:
    """Return what replaces as many of a file's first bytes: its head, with its duration and the shape of its pixels.

    `duration` is in seconds. `data` are at least `ENOUGH` bytes of the file, or all of it. What is added is taken from
    the space that libavformat leaves behind the list of contents.

    Raises:
        ValueError: libavformat did not write it.
    """
    begins = _begin_of_segment(data)
    parts = list(_until_tracks(data[begins:]))
    shown = partial(_shown, aspect=aspect)
    changes: Mapping[int, _Change] = {
        _INFO: lambda info: _changed(info, {_DURATION: lambda old: _milliseconds(duration, len(old))}),
        _TRACKS: lambda tracks: _changed(tracks, {_TRACK: lambda track: _changed(track, {_VIDEO: shown})}),
    }
    before = sum(part.length for part in parts)
    written = [part.holding(changes.get(part.id, bytes)(part.payload)) for part in parts]
    grown = sum(map(len, written)) - before
    at = next((number for number, part in enumerate(parts) if part.id == _VOID), None)
    if at is None or len(parts[at].payload) < grown:
        raise ValueError("there is no space for more")
    written[at] = parts[at].holding(bytes(len(parts[at].payload) - grown))
    moved = dict(zip(_begins(part.length for part in parts), _begins(map(len, written)), strict=True))
    listed = {_SEEK: lambda seek: _changed(seek, {_SEEK_POSITION: partial(_moved, moved=moved)})}
    for number, part in enumerate(parts):
        if part.id == _SEEK_HEAD:
            written[number] = part.holding(_changed(part.payload, listed))
    return data[:begins] + b"".join(written)


def _shown(video: bytes, aspect: Fraction) -> bytes:
    known = {each.id: int.from_bytes(each.payload) for each in _elements(video)}
    if aspect == 1 or _DISPLAY_WIDTH in known:
        return video
    width, height = known[_PIXEL_WIDTH], known[_PIXEL_HEIGHT]
    shown = ((_DISPLAY_WIDTH, max(1, round(width * aspect))), (_DISPLAY_HEIGHT, height))
    return video + b"".join(_Element(name, 2, 1, b"").holding(value.to_bytes(4)) for name, value in shown)


def _milliseconds(duration: Fraction, width: int) -> bytes:
    return struct.pack(">d" if width == 8 else ">f", float(duration * _MILLISECONDS))


def _moved(position: bytes, moved: Mapping[int, int]) -> bytes:
    begin = int.from_bytes(position)
    return moved.get(begin, begin).to_bytes(len(position))


def _begins(lengths: Iterator[int] | map[int]) -> Iterator[int]:
    yield from list(accumulate(lengths, initial=0))[:-1]


def _changed(payload: bytes, changes: Mapping[int, _Change]) -> bytes:
    return b"".join(each.holding(changes.get(each.id, bytes)(each.payload)) for each in _elements(payload))


def _begin_of_segment(data: bytes) -> int:
    ebml = next(_elements(data))
    if ebml.id != _EBML:
        raise ValueError("it is no EBML")
    segment = next(_elements(data[ebml.length :]))
    if segment.id != _SEGMENT:
        raise ValueError("it has no segment")
    return ebml.length + segment.id_width + segment.size_width


def _until_tracks(segment: bytes) -> Iterator[_Element]:
    for each in _elements(segment):
        yield each
        if each.id == _TRACKS:
            return
    raise ValueError("it has no tracks")


def _elements(data: bytes) -> Iterator[_Element]:
    """Yield the elements in a payload; the last one may be cut off."""
    at = 0
    while at < len(data):
        id_width = _width(data[at])
        size_at = at + id_width
        size_width = _width(data[size_at])
        begin = size_at + size_width
        size = int.from_bytes(data[size_at:begin]) & ((1 << 7 * size_width) - 1)
        yield _Element(int.from_bytes(data[at:size_at]), id_width, size_width, data[begin : begin + size])
        at = begin + size


def _width(first: int) -> int:
    """Return the bytes of a number that says its own width in its first byte (RFC 8794, 4)."""
    if not first:
        raise ValueError("a number has no width")
    return 9 - first.bit_length()
