"""Makes the clip's video track: copied runs, and encoded pictures where nothing can be copied."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, islice, repeat
from typing import NamedTuple

from cutback.cutting.codecs.coding import UNCHANGED, VideoCoding
from cutback.cutting.codecs.encoder import RunEncoder, Shape
from cutback.cutting.codecs.known import codec_of
from cutback.cutting.codecs.pictures import Coded
from cutback.cutting.decode_ahead import ahead
from cutback.cutting.edits.edited_pictures import EditedPictures
from cutback.cutting.edits.step import ShownAt
from cutback.cutting.index import Track
from cutback.cutting.job import CutProgress, Memory
from cutback.cutting.mp4.layout import BATCH, SPOOL, Extent, OutTrack
from cutback.cutting.pictures.chosen import decoded_run, numbered
from cutback.cutting.pictures.clock import ClipClock, clock_of
from cutback.cutting.pictures.dynamic_range_notes import all_to_sdr, some_converted
from cutback.cutting.pictures.fill_gap import fill, frames_in
from cutback.cutting.plan.parts import PlannedRange
from cutback.cutting.plan.plan import PlannedRun, has_leading
from cutback.cutting.source.footage import MediaSource
from cutback.cutting.spool import Spool
from cutback.cutting.turns import shape_of_pixels, sideways, turns_of


class RewrittenRun(NamedTuple):
    """A copied run that begins at an open GOP: its first sample in the clip, and the frames that it presents."""

    sample: int
    media: MediaSource
    first: int
    frames: int


@dataclass(slots=True)
class Pictures:
    """The video track and how it was made."""

    track: OutTrack
    copied: int = 0
    encoded: int = 0
    times: list[int] = field(default_factory=list)
    """When each frame must be presented, in order, in the track's ticks since the clip's zero."""
    encoded_samples: list[tuple[int, int]] = field(default_factory=list)
    """Ranges [first, end) of the track's samples that were encoded."""
    rewritten: list[RewrittenRun] = field(default_factory=list)
    """Runs with rewritten headers."""
    source_order: bool = False
    """Whether a single run is copied, so that the clip keeps the source's order of all tracks."""
    notes: list[str] = field(default_factory=list)


AHEAD = 4
"""Maximum decoded pictures that wait for the encoder: each one uses memory."""

AHEAD_BACKWARDS = 8
"""Maximum pictures that the encoder sees ahead in a clip that is shown backwards: a part of a group is kept as well."""

FINEST = 10_000
"""Minimum ticks per second of a clip's video track: milliseconds would be too coarse."""

COARSER = 90_000
"""Ticks per second of clips in which a picture could be held for `_MOST_TICKS` of the recording's ticks."""

_MOST_TICKS = 2**31
"""Ticks between the decoding and the presentation of a picture: MP4 has 32 bits for them, with a sign."""

BEFORE, COPIED, BEHIND = 0, 1, 2
"""The group of all samples if a clip copies a single run: it keeps the source's order of all tracks."""


class WantedPictures(NamedTuple):
    """How a clip's pictures are encoded."""

    height: int | None = None
    """Pixels of their height, at most."""
    coding: VideoCoding = UNCHANGED


def splice(
    parts: list[PlannedRange],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    limit: int,
    edits: EditedPictures,
    memory: Memory | None = None,
    height: int | None = None,
    coding: VideoCoding = UNCHANGED,
) -> Pictures:
    """Copy and encode according to the plan; what is encoded is edited before, and then at most `height` pixels high.

    Raises:
        MediaTooLargeError: re-encoding takes more than `limit` bytes, or than `memory` says are left.
        MediaUnreadableError: the recording cannot be decoded, or frames from its index are missing.
    """
    [made] = splice_all(parts, spool, progress, limit, edits, memory, [WantedPictures(height, coding)])
    return made


def splice_all(
    parts: list[PlannedRange],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    limit: int,
    edits: EditedPictures,
    memory: Memory | None,
    wanted: Sequence[WantedPictures],
) -> list[Pictures]:
    """Like `splice`, for several tracks with the same pictures, which are decoded once. One picture is kept at a time.

    Only a single track may have copied pictures. All codecs must hold the same depth, or none of those of HDR.
    """
    first = parts[0].media.index.video
    assert first is not None
    backwards = edits.retiming is not None and edits.retiming.backwards
    making = _making(parts, first, spool, limit, edits, memory, wanted)
    lead = making[0]
    total = sum(sum(map(len, part.runs)) or frames_in(part) for part in parts) * len(making)
    base = Fraction(0)
    for part in parts:
        for run in part.runs:
            if run.action == "copy":
                part.media.expect_copy(run.samples)
    for part in reversed(parts) if backwards else parts:
        if part.piece.fill is not None:
            for each in making:
                each.fill(part, base, edits)
            base += part.piece.duration
            continue
        track = part.media.index.video
        assert track is not None
        entries = _entries(track)
        clock = clock_of(track, base - part.piece.start, lead.out.timescale, edits.retiming)
        first_shown = track.pts[track.order[part.piece.first]]
        if track.seconds(first_shown) < part.piece.start:  # the previous picture is still shown
            clock.hold(first_shown, round(edits.finished(base) * lead.out.timescale))
        for run in part.runs:
            if run.shown is None:
                times = clock.ticks_of(map(track.pts.__getitem__, track.order[run.first : run.end]))
            else:
                times = [round(frame.at * lead.out.timescale) for frame in run.shown]
            if run.action == "copy":
                lead.copy(part, track, run, entries, clock, times)
            elif times:
                shown = _shown(run, [Fraction(ticks, lead.out.timescale) for ticks in times], edits)
                decoded = edits.changed(track, decoded_run(part.media, track, run), shown, lead.shape.fit)
                encoders = [each.begin(run, times) for each in making]
                with closing(ahead(decoded, AHEAD)) as frames:
                    for picture in numbered(frames):
                        for each, encoder in zip(making, encoders, strict=True):
                            each.add(encoder.encode(picture))
                        done = sum(each.pictures.copied + each.pictures.encoded for each in making)
                        progress(CutProgress(done / total, sum(each.pictures.encoded for each in making)))
                for each, encoder in zip(making, encoders, strict=True):
                    each.add(encoder.finish())
                    each.end()
                done = sum(each.pictures.copied + each.pictures.encoded for each in making)
                progress(CutProgress(done / total, sum(each.pictures.encoded for each in making)))
        base += part.piece.duration
    length = base if edits.retiming is None else edits.retiming.length
    return [each.finished(first, length, edits, lead.shape) for each in making]


def _making(
    parts: list[PlannedRange],
    first: Track,
    spool: Spool,
    limit: int,
    edits: EditedPictures,
    memory: Memory | None,
    wanted: Sequence[WantedPictures],
) -> list[_PicturesInMaking]:
    """Begin the tracks. All fit their pictures to the first one that the first track sees."""
    copies = any(part.copies for part in parts)
    assert not copies or len(wanted) == 1
    backwards = edits.retiming is not None and edits.retiming.backwards
    in_source_order = copies and len(parts) == 1 and sum(run.action == "copy" for run in parts[0].runs) == 1
    making: list[_PicturesInMaking] = []
    for height, coding in wanted:
        out = OutTrack(
            "video",
            _ticks_per_second(first, edits),
            [],
            matrix=edits.matrix(first),
            display_size=edits.display_size(first) if height is None or copies else (0, 0),
            language=first.language,
            title=first.title,
        )
        shape = Shape(
            first,
            out.timescale,
            beside_copies=copies,
            limit=limit,
            memory=memory,
            pace=edits.pace(first),
            height=height,
            turned=sideways(turns_of(out.matrix)),
            coding=coding,
            most_ahead=AHEAD_BACKWARDS if backwards else None,
            like=making[0].shape if making else None,
        )
        making.append(_PicturesInMaking(out, shape, coding, spool, in_source_order=in_source_order))
    return making


class _PicturesInMaking:
    """A track to which copied and encoded pictures are added."""

    def __init__(
        self, out: OutTrack, shape: Shape, coding: VideoCoding, spool: Spool, *, in_source_order: bool
    ) -> None:
        self.out, self.shape, self._coding, self._spool = out, shape, coding, spool
        self.pictures = Pictures(out, source_order=in_source_order)
        self._in_source_order = in_source_order
        self._group = BEFORE if in_source_order else None
        self._begin = 0

    def fill(self, part: PlannedRange, base: Fraction, edits: EditedPictures) -> None:
        """Fill a gap, from `base` seconds of the clip."""
        begin = len(self.out)
        times = fill(part, base, self.shape, self.out, self._spool, edits)
        self.pictures.times += times
        self.pictures.encoded += len(times)
        self.pictures.encoded_samples.append((begin, len(self.out)))

    def copy(
        self,
        part: PlannedRange,
        track: Track,
        run: PlannedRun,
        entries: frozenset[int],
        clock: ClipClock,
        times: list[int],
    ) -> None:
        """Copy a run, whose pictures are shown at `times`."""
        self.pictures.times += times
        if run.rewritten:
            self.pictures.rewritten.append(RewrittenRun(len(self.out), part.media, run.first, len(run)))
        _copy(part, track, run, entries, clock, self.out, self._spool, COPIED if self._in_source_order else None)
        self._group = BEHIND if self._in_source_order else None
        self.pictures.copied += len(run)

    def begin(self, run: PlannedRun, times: list[int]) -> RunEncoder:
        """Begin to encode a run, whose pictures are shown at `times`."""
        self.pictures.times += times
        self._begin = len(self.out)
        return RunEncoder(self.shape, times.__getitem__, len(run), held=run.held)

    def add(self, samples: Iterable[Coded]) -> None:
        """Add encoded samples."""
        for sample in samples:
            offset = self._spool.append(sample.data)
            self.out.add(
                pts=sample.pts,
                size=len(sample.data),
                sync=sample.keyframe,
                origin=SPOOL,
                offset=offset,
                group=self._group,
            )
            self.pictures.encoded += 1

    def end(self) -> None:
        """End the run that is encoded."""
        self.pictures.encoded_samples.append((self._begin, len(self.out)))

    def finished(self, first: Track, length: Fraction, edits: EditedPictures, fitted: Shape) -> Pictures:
        """Return the track of a clip with a length in seconds; `fitted` knows what became of its pictures."""
        out, pictures, shape = self.out, self.pictures, self.shape
        out.entries, number = shape.entries()
        if fitted.size is not None:
            to = "{}×{}".format(*shape.size or fitted.size)
            pictures.notes += edits.fitted
            pictures.notes += [f"Pictures of {width}×{height} are scaled to {to}." for width, height in fitted.scaled]
            if fitted.becomes_sdr:
                pictures.notes.append(all_to_sdr(str(self._coding.codec)))
            else:
                pictures.notes += map(some_converted, fitted.converted)
        for begin, end in pictures.encoded_samples:
            out.entry_of[begin:end] = array("H", [number]) * (end - begin)
        if not any(out.display_size):
            own = first.descriptions[0].width, first.descriptions[0].height
            width, height = shape.size or own
            aspect = Fraction(1) if edits.shapes else shape_of_pixels(first, *own)
            out.display_size = (round((width << 16) * aspect), height << 16)
        # Sound may begin before the first picture.
        out.delay = Fraction(pictures.times[0], out.timescale)
        out.duration = length - out.delay
        out.skip = pictures.times[0] - min(out.pts)  # frames that `instant` includes but hides
        nominal = first.duration(first.order[0]) * out.timescale // first.timescale
        remaining = round(length * out.timescale) - max(out.pts)
        out.last_duration = remaining if remaining > 0 else max(1, nominal)
        return pictures


def _ticks_per_second(track: Track, edits: EditedPictures) -> int:
    """Return the time scale of the clip's video track: the recording's, or a multiple of it.

    If a picture could be held for longer than MP4 can say in those ticks, it is the usual one of video instead.
    """
    scale = track.timescale * -(-FINEST // track.timescale)
    if edits.retiming is not None and edits.retiming.length * scale >= _MOST_TICKS:
        return COARSER
    return scale


def _shown(run: PlannedRun, times: Sequence[Fraction], edits: EditedPictures) -> list[ShownAt] | None:
    """Return when the pictures of a run are shown, if edits need that."""
    if not edits.depend_on_time:
        return None
    if run.shown is None:
        return [edits.shown_at(time) for time in times]
    return [ShownAt(time, frame.cut) for time, frame in zip(times, run.shown, strict=True)]


def _copy(
    part: PlannedRange,
    track: Track,
    run: PlannedRun,
    entries: frozenset[int],
    clock: ClipClock,
    out: OutTrack,
    spool: Spool,
    group: int | None,
) -> None:
    begin, rest = run.samples[0], run.samples
    if run.rewritten:
        changed = _rewritten(part, track, run, spool)
        rest = rest[len(changed) :]
        times = clock.ticks_of(map(track.pts.__getitem__, run.samples[: len(changed)]))
        out.extend(times, changed, chain([1], repeat(0)), repeat(0), group=group)
    places = part.media.copy(track, rest, spool)  # once: some containers are read from their beginning
    for first in range(0, len(rest), BATCH):
        numbers = rest[first : first + BATCH]
        times = clock.ticks_of(map(track.pts.__getitem__, numbers))
        sync = [number == begin or number in entries for number in numbers]
        out.extend(times, islice(places, len(numbers)), sync, repeat(0), group=group)


def _entries(track: Track) -> frozenset[int]:
    """Return the keyframes of a copied run at which a player may start after a seek.

    Those of open GOPs in H.264 are excluded: the pictures that follow refer to missing ones, and Chromium stops there.
    HEVC marks such pictures, and decoders skip them.
    """
    if track.descriptions[0].codec != "h264":
        return frozenset(track.sync)
    return frozenset(sample for number, sample in enumerate(track.sync) if not has_leading(track, number))


def _rewritten(part: PlannedRange, track: Track, run: PlannedRun, spool: Spool) -> list[Extent]:
    """Rewrite the headers of a run's first samples, as many as need it. Returns where they are.

    While headers are rewritten, only the first sample is a keyframe for players: no other one is an IDR picture.
    """
    codec = codec_of(track.descriptions[0].codec)
    rewriter = codec.header_rewriter(track) if codec else None
    assert rewriter is not None
    changed: list[Extent] = []
    for sample in part.media.read(track, run.samples):
        header = rewriter.rewrite(sample)
        if rewriter.finished and header is sample:
            break
        changed.append(Extent(SPOOL, spool.append(header), len(header)))
    return changed
