"""The clip's picture track: copied runs, and encoded pictures where nothing can be copied."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, repeat
from typing import NamedTuple

from cutback.cutting.codecs.encoder import Shape
from cutback.cutting.codecs.known import codec_of
from cutback.cutting.decode_ahead import ahead
from cutback.cutting.index import Track
from cutback.cutting.job import CutProgress
from cutback.cutting.mp4.layout import BATCH, SPOOL, Extent, OutTrack
from cutback.cutting.pictures.fill_gap import fill, frames_in
from cutback.cutting.plan.parts import PlannedRange
from cutback.cutting.plan.plan import PlannedRun, has_leading
from cutback.cutting.source.footage import MediaSource
from cutback.cutting.spool import Spool


class RewrittenRun(NamedTuple):
    """A copied run that begins at an open GOP: its first sample in the clip, and the frames it presents."""

    sample: int
    media: MediaSource
    first: int
    frames: int


@dataclass(slots=True)
class Pictures:
    """The picture track and how it came about."""

    track: OutTrack
    copied: int = 0
    encoded: int = 0
    times: list[int] = field(default_factory=list)
    """When each frame is to be presented, in the track's ticks from the clip's zero, in order."""
    encoded_samples: list[tuple[int, int]] = field(default_factory=list)
    """Runs [first, end) of the track's samples that were encoded."""
    rewritten: list[RewrittenRun] = field(default_factory=list)
    """Runs whose headers were rewritten."""


AHEAD = 4
"""Decoded pictures that wait for the encoder at the most: each takes memory."""

FINEST = 10_000
"""Ticks a second that a clip's picture track has at the least: milliseconds would be too coarse for its times."""

BEFORE, COPIED, BEHIND = 0, 1, 2
"""Groups of a clip that copies one run of its source: that run keeps the source's own order of all tracks."""


def splice(parts: list[PlannedRange], spool: Spool, progress: Callable[[CutProgress], None]) -> Pictures:
    """Copy and encode what the parts say.

    Raises:
        MediaUnreadableError: the recording cannot be decoded, or lacks frames that its index lists.
    """
    first = parts[0].media.index.video
    assert first is not None
    out = OutTrack(
        "video",
        first.timescale * -(-FINEST // first.timescale),
        [],
        matrix=first.matrix,
        display_size=first.display_size,
        language=first.language,
        title=first.title,
    )
    pictures = Pictures(out)
    copies = any(part.copies for part in parts)
    shape = Shape(first, out.timescale, beside_copies=copies)
    total = sum(sum(map(len, part.runs)) or frames_in(part) for part in parts)
    base = Fraction(0)
    in_source_order = copies and len(parts) == 1
    for part in parts:
        if part.piece.fill is not None:
            begin = len(out)
            times = fill(part, base, shape, out, spool)
            pictures.times += times
            pictures.encoded += len(times)
            pictures.encoded_samples.append((begin, len(out)))
            base += part.piece.duration
            continue
        track = part.media.index.video
        assert track is not None
        entries = _entries(track)
        clock = _Clock(track, base - part.piece.start, out.timescale)
        pictures.times += [clock.ticks(track.pts[n]) for n in track.order[part.piece.first : part.piece.stop]]
        group = BEFORE if in_source_order else None
        for run in part.runs:
            if run.action == "copy":
                group = COPIED if in_source_order else None
                if run.rewritten:
                    pictures.rewritten.append(RewrittenRun(len(out), part.media, run.first, len(run)))
                _copy(part, track, run, entries, clock, out, spool, group)
                group = BEHIND if in_source_order else None
                pictures.copied += len(run)
            else:
                begin = len(out)
                with closing(ahead(part.media.frames(run.first, run.end), AHEAD)) as frames:
                    for sample in shape.encode(frames, clock.ticks, len(run)):
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
    out.entries, number = shape.entries()
    for begin, end in pictures.encoded_samples:
        out.entry_of[begin:end] = array("H", [number]) * (end - begin)
    if not any(out.display_size):
        width, height = shape.size or (0, 0)
        out.display_size = (width << 16, height << 16)
    # Sound may begin before pictures do.
    out.delay = Fraction(pictures.times[0], out.timescale)
    out.duration = base - out.delay
    out.skip = pictures.times[0] - min(out.pts)  # what `instant` carries along unseen
    nominal = first.duration(first.order[0]) * out.timescale // first.timescale
    remaining = round(base * out.timescale) - max(out.pts)
    out.last_duration = remaining if remaining > 0 else max(1, nominal)
    return pictures


def _copy(
    part: PlannedRange,
    track: Track,
    run: PlannedRun,
    entries: frozenset[int],
    clock: _Clock,
    out: OutTrack,
    spool: Spool,
    group: int | None,
) -> None:
    copied, begin = iter(_copies(part, track, run, spool)), run.samples[0]
    while batch := tuple(islice(copied, BATCH)):
        numbers, places, may_begin = zip(*batch, strict=True)
        times = map(clock.ticks, map(track.pts.__getitem__, numbers))
        sync = (n == begin or (may and n in entries) for n, may in zip(numbers, may_begin, strict=True))
        out.extend(times, places, sync, repeat(0), group=group)


def _entries(track: Track) -> frozenset[int]:
    """The keyframes of a copied run at which a player may begin after a seek.

    Not those of H.264's open groups: what follows refers to what is not there then, and Chromium gives up on it.
    HEVC says of such pictures what they are, and decoders pass over them.
    """
    if track.descriptions[0].codec != "h264":
        return frozenset(track.sync)
    return frozenset(sample for number, sample in enumerate(track.sync) if not has_leading(track, number))


def _copies(part: PlannedRange, track: Track, run: PlannedRun, spool: Spool) -> Iterator[tuple[int, Extent, bool]]:
    """Each copied sample: where it lies, and whether, if it is a keyframe, it may be one for players.

    It lies in the source, or in the spool where its headers had to be rewritten; until that ends no other keyframe
    is an IDR picture.
    """
    rest: Sequence[int] = run.samples
    if run.rewritten:
        codec = codec_of(track.descriptions[0].codec)
        rewriter = codec.header_rewriter(track) if codec else None
        assert rewriter is not None
        for place, (number, sample) in enumerate(zip(rest, part.media.read(track, rest), strict=True)):
            changed = rewriter.rewrite(sample)
            if rewriter.finished and changed is sample:
                rest = rest[place:]
                break
            yield number, Extent(SPOOL, spool.append(changed), len(changed)), False
        else:
            return
    for number, extent in zip(rest, part.media.copy(track, rest, spool), strict=True):
        yield number, extent, True


class _Clock:
    """Turns a source track's PTS into the clip's."""

    def __init__(self, track: Track, shift: Fraction, timescale: int) -> None:
        scale, offset = Fraction(timescale, track.timescale), (track.shift + shift) * timescale
        # Integers of a common denominator: with fractions, this would be most of what a plain copy costs.
        self._unit = 2 * scale.denominator * offset.denominator
        self._factor = 2 * scale.numerator * offset.denominator
        self._offset = 2 * offset.numerator * scale.denominator + self._unit // 2

    def ticks(self, pts: int) -> int:
        return (pts * self._factor + self._offset) // self._unit
