"""The clip's picture track: copied runs, and encoded pictures where nothing can be copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from cutback.cutting import h264, h264_sps
from cutback.cutting.footage import Footage
from cutback.cutting.index import Track
from cutback.cutting.job import CutProgress, Precision
from cutback.cutting.mp4.layout import SPOOL, OutTrack
from cutback.cutting.plan import Piece, Segment, plan_video
from cutback.cutting.shape import Shape
from cutback.cutting.spool import Spool

HEAD_BYTES = 4096
"""Enough of a sample to see its first slice's type behind SEI messages."""


@dataclass(slots=True)
class Pictures:
    """The picture track and how it came about."""

    track: OutTrack
    copied: int = 0
    encoded: int = 0
    times: list[Fraction] = field(default_factory=list)
    """When each frame is to be presented, in seconds from the clip's zero, in order."""
    encoded_samples: list[tuple[int, int]] = field(default_factory=list)
    """Runs [first, end) of the track's samples that were encoded."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece and what becomes of it."""

    footage: Footage
    source: int
    piece: Piece
    segments: tuple[Segment, ...]


def plan_parts(
    pieces: list[tuple[Footage, int, Piece]], precision: Precision, *, copy: bool
) -> list[Part]:
    """The segments of every piece; with `copy` False, or where pieces cannot share a track, all are encoded."""
    tracks = [footage.index.video for footage, _, _ in pieces]
    assert all(track is not None for track in tracks)
    copy = copy and all(footage.copies for footage, _, _ in pieces) and _alike([t for t in tracks if t])
    parts = []
    for footage, source, piece in pieces:
        track = footage.index.video
        assert track is not None
        if copy and (precision == "keyframe" or _joinable(track)):
            segments = plan_video(track, piece.first, piece.stop, precision, _entry_test(footage, track))
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


def _entry_test(footage: Footage, track: Track) -> Callable[[int], bool]:
    def is_idr(sample: int) -> bool:
        length = min(track.sizes[sample], HEAD_BYTES)
        return h264.is_idr(footage.source.read_at(track.offsets[sample], length), 4)

    return is_idr


BEFORE, COPIED, BEHIND = 0, 1, 2
"""Groups of a clip that copies one run of its source: that run keeps the source's own order of all tracks."""


def splice(parts: list[Part], spool: Spool, progress: Callable[[CutProgress], None]) -> Pictures:
    """Copy and encode what the parts say.

    Raises:
        MediaUnreadableError: the recording cannot be decoded, or lacks frames that its index lists.
    """
    first = parts[0].footage.index.video
    assert first is not None
    out = OutTrack(
        "video", first.timescale, [], matrix=first.matrix, display_size=first.display_size, language=first.language
    )
    pictures = Pictures(out)
    copies = any(segment.action == "copy" for part in parts for segment in part.segments)
    shape = Shape(first, beside_copies=copies and first.descriptions[0].codec == "h264")
    total = sum(len(segment) for part in parts for segment in part.segments)
    base = Fraction(0)
    in_source_order = copies and len(parts) == 1
    for part in parts:
        track = part.footage.index.video
        assert track is not None
        clock = _Clock(track, base - part.piece.start, out.timescale)
        pictures.times += [
            base + track.seconds(track.pts[n]) - part.piece.start
            for n in track.order[part.piece.first : part.piece.stop]
        ]
        group = BEFORE if in_source_order else None
        for segment in part.segments:
            if segment.action == "copy":
                group = COPIED if in_source_order else None
                for number in segment.samples:
                    out.add(
                        pts=clock.ticks(track.pts[number]),
                        size=track.sizes[number],
                        sync=number in clock.sync,
                        origin=part.source,
                        offset=track.offsets[number],
                        group=group,
                    )
                group = BEHIND if in_source_order else None
                pictures.copied += len(segment)
            else:
                begin = len(out)
                frames = part.footage.frames(segment.first, segment.end)
                for sample in shape.encode(frames, clock.ticks, len(segment)):
                    offset = spool.append(sample.data)
                    out.add(
                        pts=sample.pts,
                        size=len(sample.data),
                        sync=sample.keyframe,
                        origin=SPOOL,
                        offset=offset,
                        group=group,
                    )
                    pictures.encoded += 1
                    progress(CutProgress((pictures.copied + pictures.encoded) / total, pictures.encoded))
                pictures.encoded_samples.append((begin, len(out)))
        base += part.piece.duration
    out.entries = [shape.entry()]
    if not any(out.display_size):
        width, height = shape.size or (0, 0)
        out.display_size = (width << 16, height << 16)
    # Sound may begin before pictures do.
    out.delay = pictures.times[0]
    out.duration = base - out.delay
    out.last_duration = max(1, round(base * out.timescale) - max(out.pts))
    return pictures


class _Clock:
    """Turns a source track's PTS into the clip's."""

    def __init__(self, track: Track, shift: Fraction, timescale: int) -> None:
        self._scale = Fraction(timescale, track.timescale)
        self._shift = (track.shift + shift) * timescale
        self.sync = frozenset(track.sync)

    def ticks(self, pts: int) -> int:
        return round(pts * self._scale + self._shift)
