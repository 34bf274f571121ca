"""A packet copy that an edit list trims to the frame: the plainest file that stores more than it presents."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.stream import Stream
from tests.support.spec import MediaSpec

_MOVIE_TICKS = 48_000  # per second; an edit list counts its durations in them


def copy_with_edit_list(source: Path, target: Path, spec: MediaSpec, first: int, count: int) -> Path:
    """Copy an MP4 from the keyframe before its frame `first` on; present `count` frames from `first` on.

    The sound begins two AAC frames early and is presented from frame `first` on as well. No frame is encoded.
    """
    begin, end = first / spec.fps, (first + count) / spec.fps
    options = {"movie_timescale": str(_MOVIE_TICKS), "fflags": "+bitexact"}
    with av.open(str(source)) as whole, av.open(str(target), "w", container_options=options) as cut:
        packets = [packet for packet in whole.demux() if packet.size]
        starts = {"audio": begin - Fraction(2 * 1024, spec.sample_rate), "video": Fraction(0)}
        for packet in packets:
            if packet.stream.type == "video" and packet.is_keyframe and _seconds(packet.pts, packet) <= begin:
                starts["video"] = _seconds(packet.dts, packet)
        # opaque: a track decoded by libdav1d names no encoder, and is refused without it
        tracks = {track.index: cut.add_stream_from_template(track, opaque=True) for track in whole.streams}
        for packet in packets:
            if starts[packet.stream.type] <= _seconds(packet.dts, packet) < end:
                shift = round(begin / packet.time_base)
                # What comes before 0 now is what the muxer's edit list leaves out.
                packet.pts, packet.dts = (packet.pts or 0) - shift, (packet.dts or 0) - shift
                packet.stream = tracks[packet.stream_index]
                cut.mux(packet)
    _end_edits(target, round(count / spec.fps * _MOVIE_TICKS))
    return target


def _seconds(ticks: int | None, packet: Packet[Stream]) -> Fraction:
    return (ticks or 0) * packet.time_base


def _end_edits(path: Path, duration: int) -> None:
    """Set the duration of every track's only edit: the muxer lets it run to the end of what it was given."""
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"elst", at + 1)) >= 0:
        version, entries = data[at + 4], struct.unpack_from(">I", data, at + 8)[0]
        assert (version, entries) == (0, 1)
        struct.pack_into(">I", data, at + 12, duration)
    path.write_bytes(data)
