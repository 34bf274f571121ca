"""Which pieces of which recordings make the clip, and what of them is copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cutback.cutting.footage import Footage
from cutback.cutting.h264 import nal as h264
from cutback.cutting.h264 import sps as h264_sps
from cutback.cutting.h264.enter import renumbering
from cutback.cutting.index import Track
from cutback.cutting.job import Precision
from cutback.cutting.plan import Entry, Piece, Segment, plan_video

HEAD_BYTES = 4096
"""Enough of a sample to see its first slice's type behind SEI messages."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece and what becomes of it."""

    footage: Footage
    source: int
    piece: Piece
    segments: tuple[Segment, ...]


def plan_parts(
    pieces: list[tuple[Footage, int, Piece]], precision: Precision, *, copy: bool, open_gops: bool = True
) -> list[Part]:
    """The segments of every piece; with `copy` False, or where pieces cannot share a track, all are encoded.

    With `open_gops` False copying begins at IDR pictures only.
    """
    tracks = [footage.index.video for footage, _, _ in pieces]
    assert all(track is not None for track in tracks)
    copy = copy and all(footage.copies for footage, _, _ in pieces) and _alike([t for t in tracks if t])
    parts = []
    for footage, source, piece in pieces:
        track = footage.index.video
        assert track is not None
        if copy and (precision != "exact" or _joinable(track)):
            entries = _entry_test(footage, track, open_gops=open_gops)
            segments = plan_video(track, piece.first, piece.stop, precision, entries)
        else:
            segments = (_all_encoded(track, piece),)
        parts.append(Part(footage, source, _as_planned(track, piece, segments), segments))
    return parts


def _as_planned(track: Track, piece: Piece, segments: tuple[Segment, ...]) -> Piece:
    """The piece with the frames that its segments present (more than asked for with `keyframe`)."""
    first, stop = segments[0].first, segments[-1].end
    if (first, stop) == (piece.first, piece.stop):
        return piece
    start = track.seconds(track.pts[track.order[first]]) if first != piece.first else piece.start
    end = track.seconds(track.end_of(track.order[stop - 1])) if stop != piece.stop else piece.end
    return Piece(start, end, first, stop, piece.clamped)


def _all_encoded(track: Track, piece: Piece) -> Segment:
    samples = track.order[piece.first : piece.stop]
    return Segment("encode", "nothing of it can be copied safely", piece.first, piece.stop, samples)


def _alike(tracks: list[Track]) -> bool:
    """Whether samples of these tracks may stand in one track under one description."""
    first = tracks[0]
    return all(
        len(track.descriptions) == 1
        and track.descriptions[0].raw == first.descriptions[0].raw
        and track.timescale == first.timescale
        and track.matrix == first.matrix
        for track in tracks
    )


def _joinable(track: Track) -> bool:
    """Whether pictures that Cutback encodes may stand beside this track's samples."""
    description = track.descriptions[0]
    if description.codec != "h264" or not description.extradata:
        return False
    configuration = h264.parse_configuration(description.extradata)
    return (
        configuration.length_size == 4
        and configuration.free_id() is not None
        and bool(configuration.sps)
        and all(h264_sps.parse_sps(unit).ordinary for unit in configuration.sps)
    )


def _entry_test(footage: Footage, track: Track, *, open_gops: bool) -> Callable[[int], Entry]:
    def entry_at(sample: int) -> Entry:
        configuration = h264.parse_configuration(track.descriptions[0].extradata)
        head = footage.source.read_at(track.offsets[sample], min(track.sizes[sample], HEAD_BYTES))
        if h264.is_idr(head, configuration.length_size):
            return "clean"
        return "open" if open_gops and renumbering(configuration) is not None else "none"

    return entry_at
