"""The index of a recording whose packets were all read once, as bytes for a cache: the next job need not read them.

A cache can lose or damage what it keeps, and keeps it over updates. So the form is checked, and the version of
libavformat, whose packets it describes; if they are not as expected, the recording is read anew.
"""

from __future__ import annotations

import base64
import json
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from fractions import Fraction
from itertools import accumulate
from operator import sub
from typing import Any

import av

from cutback.cutting.index import Description, Index, Track
from cutback.cutting.job import Limits
from cutback.cutting.source.lavf_scan import Jumps
from cutback.cutting.tags import NAMES, Tags

_FORM = [1, *av.library_versions["libavformat"]]
"""Change the first number whenever an index has other fields, or a scan finds other ones."""
_COLUMNS = {"dts": "q", "pts": "q", "sizes": "I", "sync": "I", "order": "q"}
"""A scan finds no offsets: libavformat does not tell where a packet is."""
_LARGEST_HEADER = 1024 * 1024
_PLAIN = ("id", "kind", "timescale", "last_duration", "frames", "first_rank", "partial", "language", "title", "plain")


def pack(index: Index, jumps: Jumps) -> bytes:
    """Return an index, and the jumps of its clocks, as bytes."""
    header = json.dumps(
        {
            "form": _FORM,
            "container": index.container,
            "notes": index.notes,
            "created": None if index.created is None else index.created.isoformat(),
            "flags": [index.fragmented, index.truncated, index.open_ended],
            "tags": {name: getattr(index.tags, name) for name in NAMES},
            "tracks": [_track_out(track) for track in index.tracks],
            "jumps": [[stream, places] for stream, places in jumps.items()],
        }
    ).encode()
    columns = [_column_out(getattr(track, name)) for track in index.tracks for name in _COLUMNS]
    return b"".join([len(header).to_bytes(4), header, *(len(each).to_bytes(4) + each for each in columns)])


def unpack(data: bytes, limits: Limits) -> tuple[Index, Jumps] | None:
    """Reverse `pack`; None if the bytes are not what this version of Cutback packs."""
    try:
        return _unpack(data, limits)
    except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError, zlib.error, RecursionError):
        return None


def _unpack(data: bytes, limits: Limits) -> tuple[Index, Jumps]:
    parts = _parts(data)
    header = json.loads(next(parts, b"")[:_LARGEST_HEADER])
    if header["form"] != _FORM:
        raise ValueError("another form")
    fragmented, truncated, open_ended = map(bool, header["flags"])
    tags: dict[str, Any] = {name: str(header["tags"][name]) for name in NAMES}
    index = Index(
        container=str(header["container"]),
        tracks=tuple(_track_in(fields, lambda: _column_in(next(parts, b""), limits)) for fields in header["tracks"]),
        notes=tuple(map(str, header["notes"])),
        created=None if header["created"] is None else datetime.fromisoformat(header["created"]),
        fragmented=fragmented,
        truncated=truncated,
        open_ended=open_ended,
        tags=Tags(**tags),
    )
    if index.end > limits.duration:
        raise ValueError("longer than the limit allows")
    jumps = {int(stream): [(int(n), int(ticks)) for n, ticks in places] for stream, places in header["jumps"]}
    return index, jumps


def _parts(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _track_out(track: Track) -> dict[str, Any]:
    descriptions = [
        {**asdict(each), "raw": _text(each.raw), "extradata": _text(each.extradata)} for each in track.descriptions
    ]
    return {
        **{name: getattr(track, name) for name in _PLAIN},
        "descriptions": descriptions,
        "described": track.described,
        "times": [str(track.shift), str(track.start), str(track.end)],
        "window": track.window,
        "display_size": track.display_size,
        "handler": _text(track.handler),
        "matrix": _text(track.matrix),
        "hidden": sorted(track.hidden),
    }


def _track_in(fields: dict[str, Any], column: Callable[[], array[int]]) -> Track:
    columns: dict[str, Any] = {name: _typed(column(), code) for name, code in _COLUMNS.items()}
    count = len(columns["pts"])
    lengths = {len(columns[name]) for name in ("dts", "sizes")}
    if lengths != {count} or any(not 0 <= number < count for name in ("order", "sync") for number in columns[name]):
        raise ValueError("columns that do not belong together")
    shift, start, end = map(Fraction, fields["times"])
    first, stop = fields["window"]
    width, height = fields["display_size"]
    descriptions = tuple(
        Description(**{**each, "raw": _bytes(each["raw"]), "extradata": _bytes(each["extradata"])})
        for each in fields["descriptions"]
    )
    described = tuple((int(sample), int(number)) for sample, number in fields["described"])
    if not described or any(not 0 <= number < len(descriptions) for _, number in described):
        raise ValueError("descriptions that do not exist")
    return Track(
        **{name: fields[name] for name in _PLAIN},
        **columns,
        offsets=array("q"),
        descriptions=descriptions,
        described=described,
        shift=shift,
        start=start,
        end=end,
        window=(int(first), int(stop)),
        display_size=(int(width), int(height)),
        handler=_bytes(fields["handler"]),
        matrix=_bytes(fields["matrix"]),
        hidden=frozenset(map(int, fields["hidden"])),
    )


def _column_out(values: array[int]) -> bytes:
    """Compress the differences of a column: those of times and offsets repeat."""
    steps = array("q", values[:1])
    steps.extend(map(sub, values[1:], values))
    return zlib.compress(steps.tobytes(), 1)


def _column_in(data: bytes, limits: Limits) -> array[int]:
    inflate = zlib.decompressobj()
    steps = array("q")
    steps.frombytes(inflate.decompress(data, 8 * limits.frames))
    if not inflate.eof:
        raise ValueError("more samples than the limit allows")
    return array("q", accumulate(steps))


def _typed(values: array[int], code: str) -> array[int]:
    return values if code == "q" else array(code, values)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
