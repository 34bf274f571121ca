"""Plans the clip's ranges: which parts of them are copied, and which are encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from cutback.cutting.codecs.codec import Entry
from cutback.cutting.codecs.known import codec_of
from cutback.cutting.index import Track
from cutback.cutting.job import Precision
from cutback.cutting.mp4.entries import without_rates
from cutback.cutting.plan.changed_parts import ChangedPart, encoded_run, encoded_runs, with_changes
from cutback.cutting.plan.plan import FrameRange, PlannedRun, plan_video
from cutback.cutting.plan.retiming import Retiming
from cutback.cutting.source.footage import MediaSource

PLAYED = frozenset({"h264", "hevc", "av1", "vp9"})
"""The codecs that browsers play in MP4: an `exact` clip copies no others, even if it could."""


@dataclass(frozen=True, slots=True)
class PlannedRange:
    """A range of a recording, or a gap, and its plan."""

    media: MediaSource
    source: int
    piece: FrameRange
    runs: tuple[PlannedRun, ...]
    """None for a gap."""
    held: int = 0
    """For a gap: the presented frame next to it."""

    @property
    def copies(self) -> bool:
        """Whether any part of it is copied."""
        return any(run.action == "copy" for run in self.runs)


def plan_parts(
    pieces: list[tuple[MediaSource, int, FrameRange]],
    precision: Precision,
    *,
    copy: bool,
    open_gops: bool = True,
    changed: Sequence[ChangedPart] = (),
    retiming: Retiming | None = None,
    reason: str = "no part of it can be copied safely",
) -> list[PlannedRange]:
    """Plan the runs of every range. If `copy` is False, or if the ranges cannot share a track, everything is encoded.

    If `open_gops` is False, copying begins only at IDR pictures. `changed` are the parts that edits change;
    `retiming` says at which speed the clip is shown, and `reason` why what could be copied is encoded.
    """
    tracks = [track for media, _, _ in pieces if (track := media.index.video)]
    assert len(tracks) == len(pieces)
    copy = copy and all(media.copies for media, _, _ in pieces) and _alike(tracks)
    copy = copy and (precision != "exact" or tracks[0].descriptions[0].codec in PLAYED)
    if any(piece.fill for _, _, piece in pieces):  # the pictures of a gap are encoded
        copy = copy and all(_joinable(track) for track in tracks)
    parts = []
    base = Fraction(0)
    for media, source, piece in pieces:
        begins, base = base, base + piece.duration
        track = media.index.video
        assert track is not None
        if piece.fill is not None:
            parts.append(PlannedRange(media, source, piece, ()))
            continue
        encoded = encoded_runs(track, piece, begins, changed, retiming)
        whole = sum(run.end - run.first for run in encoded) == piece.stop - piece.first
        runs: tuple[PlannedRun, ...] | None = None
        if copy and not whole:
            if precision == "exact":
                media.expect(piece.first, piece.stop)
            entries = _entries(media, track, open_gops)
            runs = with_changes(track, piece.first, piece.stop, encoded, _planner(track, precision, entries))
        if runs is None or not _possible(track, runs):
            if runs is not None:
                reason = _why_not_joined(track)
            runs = with_changes(track, piece.first, piece.stop, encoded, _encoder(track, reason))
        parts.append(PlannedRange(media, source, _as_planned(track, piece, runs), runs))
    if precision == "exact":
        _end_with_last_decoded(parts, retiming)
    return [part if part.runs else replace(part, held=_held(parts, place)) for place, part in enumerate(parts)]


_ENDING = 16
"""Frames whose distances tell whether the last one is held: no codec reorders more."""

_LONGER = Fraction(1, 20)
"""Seconds by which a picture is shown longer than others if it is held."""


def _end_with_last_decoded(parts: list[PlannedRange], retiming: Retiming | None) -> None:
    """If the last picture of a clip is held, plan it so that it is the last one in decoding order as well.

    MP4 has durations only in decoding order: those of other pictures follow from the distances of earlier ones.
    """
    backwards = retiming is not None and retiming.backwards
    place = 0 if backwards else len(parts) - 1
    part = parts[place]
    if not part.runs:
        return
    base = sum((each.piece.duration for each in parts[:place]), Fraction(0))
    times = _last_times(part, base, retiming)
    end = base + part.piece.duration if retiming is None else retiming.length
    if len(times) < 2 or end - times[-1] <= min(after - time for time, after in pairwise(times)) + _LONGER:
        return
    track, last = part.media.index.video, part.runs[-1]
    assert track is not None
    runs: tuple[PlannedRun, ...] = (*part.runs[:-1], replace(last, held=True))
    if last.action == "copy":
        if last.samples[-1] == track.order[last.end - 1]:
            return
        runs = (*part.runs[:-1], *_ending_encoded(track, last))
    parts[place] = replace(part, runs=runs)


def _ending_encoded(track: Track, run: PlannedRun) -> Iterator[PlannedRun]:
    """Yield a copied run without its last pictures, from the last one back to one before which nothing is missing."""
    highest, best = run.first - 1, 0
    last = track.order[run.end - 1]
    for count, sample in enumerate(run.samples, 1):
        if sample == last:
            break
        highest = max(highest, track.rank(sample))
        if highest - run.first == count - 1:
            best = count
    if best:
        yield replace(run, end=run.first + best, samples=run.samples[:best])
    yield replace(encoded_run(track, run.first + best, run.end, "shown last, and held"), held=True)


def _last_times(part: PlannedRange, base: Fraction, retiming: Retiming | None) -> list[Fraction]:
    """Return when the last pictures of a range are shown, in seconds of the finished clip."""
    track, piece = part.media.index.video, part.piece
    assert track is not None
    if (shown := part.runs[-1].shown) is not None:
        return [frame.at for frame in shown[-_ENDING:]]
    ranks = range(max(piece.first, piece.stop - _ENDING), piece.stop)
    cuts = [base + max(piece.start, track.seconds(track.pts[track.order[rank]])) - piece.start for rank in ranks]
    return cuts if retiming is None else [retiming.finished(cut) for cut in cuts]


def _held(parts: list[PlannedRange], place: int) -> int:
    """Return the last frame before a gap or, if there is none, the first one after it."""
    before = next((part for part in reversed(parts[:place]) if part.runs), None)
    if before is not None:
        return before.runs[-1].end - 1
    return next(part for part in parts[place:] if part.runs).runs[0].first


def _as_planned(track: Track, piece: FrameRange, runs: tuple[PlannedRun, ...]) -> FrameRange:
    """Return the range of the frames that its runs present (with `keyframe`, more than requested)."""
    first, stop = runs[0].first, runs[-1].end
    if (first, stop) == (piece.first, piece.stop):
        return piece
    start = track.seconds(track.pts[track.order[first]]) if first != piece.first else piece.start
    end = track.seconds(track.end_of(track.order[stop - 1])) if stop != piece.stop else piece.end
    return FrameRange(start, end, first, stop, piece.clamped)


def _encoder(track: Track, reason: str) -> Callable[[int, int], tuple[PlannedRun, ...]]:
    return lambda first, stop: (encoded_run(track, first, stop, reason),)


def _planner(
    track: Track, precision: Precision, entries: Callable[[int], Entry]
) -> Callable[[int, int], tuple[PlannedRun, ...]]:
    return lambda first, stop: plan_video(track, first, stop, precision, entries)


def _alike(tracks: list[Track]) -> bool:
    """Whether samples of these tracks can share one track with one description."""
    first = tracks[0]
    entry = without_rates(first.descriptions[0].raw)
    return all(
        len(track.descriptions) == 1
        and without_rates(track.descriptions[0].raw) == entry
        and track.timescale == first.timescale
        and track.matrix == first.matrix
        for track in tracks
    )


def _possible(track: Track, runs: tuple[PlannedRun, ...]) -> bool:
    """Whether these runs can share one track: copied ones always, but not always together with encoded ones."""
    return {run.action for run in runs} == {"copy"} or _joinable(track)


def _why_not_joined(track: Track) -> str:
    """Return why nothing is copied of a range of which only a part could be."""
    codec = track.descriptions[0].codec
    if codec_of(codec) is None:
        return f"does not begin at a keyframe, and nothing that is encoded is joined with copied {codec}"
    return "does not begin and end with whole GOPs, and what is encoded would not match: it is interlaced, for example"


def _joinable(track: Track) -> bool:
    """Whether encoded pictures can be joined with this track's samples."""
    codec = codec_of(track.descriptions[0].codec)
    return codec is not None and codec.joinable(track)


def _entries(media: MediaSource, track: Track, open_gops: bool) -> Callable[[int], Entry]:  # noqa: FBT001
    codec = codec_of(track.descriptions[0].codec)

    def entry_at(sample: int) -> Entry:
        if codec is None:
            return "clean"  # keyframes of these codecs are clean; the plan itself checks for leading pictures
        if not track.descriptions[0].extradata:
            return "none"
        entry = codec.entry(track, media.head(track, sample))
        return "none" if entry == "open" and not open_gops else entry

    return entry_at
