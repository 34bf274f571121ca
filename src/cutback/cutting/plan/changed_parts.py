"""Parts of a clip whose pictures edits change, so that they are re-encoded; the rest is planned as ever. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise
from math import ceil
from typing import NamedTuple

from cutback.cutting.codecs.encoder import usual_rate
from cutback.cutting.index import Track, decode_start
from cutback.cutting.plan.plan import HELD, FrameRange, PlannedRun, ShownFrame
from cutback.cutting.plan.retiming import Retiming, chosen_frames, reversed_frames
from cutback.domain.times import FRAME_TOLERANCE

_DRAWN_RATE = Fraction(60)
"""Maximum pictures a second that are drawn of a held one."""


class DrawnSpan(NamedTuple):
    """When something is drawn, in seconds of the finished clip. A picture that is held meanwhile is drawn again."""

    start: Fraction
    end: Fraction
    progresses: bool
    """Whether it changes from moment to moment. If not, held pictures are drawn again only when it begins and ends."""


@dataclass(frozen=True, slots=True)
class ChangedPart:
    """A part of the clip, in cut time: seconds of the joined ranges."""

    start: Fraction | None
    """None: from the beginning."""
    end: Fraction | None
    """None: to the end."""
    reason: str
    drawing: DrawnSpan | None = None
    """What is drawn; None if all pictures are changed alike."""


def changed_ranks(
    track: Track, piece: FrameRange, base: Fraction, changed: Sequence[ChangedPart]
) -> list[tuple[int, int, str]]:
    """Return the presented frames [first, stop) of a range that edits change, with the reasons, in order.

    `base` is when the range begins in cut time. Frames with the same reasons form one run.
    """
    spans = []
    for part in changed:
        first, stop = piece.first, piece.stop
        if part.start is not None:  # the frame that is shown at that time is changed too
            shown = track.rank_at(track.ticks(part.start - base + piece.start + FRAME_TOLERANCE))
            first = max(first, shown - 1)
        if part.end is not None:
            stop = min(stop, track.rank_at(track.ticks(part.end - base + piece.start - FRAME_TOLERANCE)))
        if first < stop:
            spans.append((first, stop, part.reason))
    edges = sorted({edge for first, stop, _ in spans for edge in (first, stop)})
    runs = []
    for low, high in pairwise(edges):
        reasons = dict.fromkeys(reason for first, stop, reason in spans if first <= low and high <= stop)
        if reasons:
            runs.append((low, high, "; ".join(reasons)))
    return runs


def with_changes(
    track: Track,
    first: int,
    stop: int,
    encoded: Sequence[PlannedRun],
    plan: Callable[[int, int], tuple[PlannedRun, ...]],
) -> tuple[PlannedRun, ...]:
    """Plan the frames [first, stop) with runs that must be encoded; `plan` decides about the frames between them."""
    runs: list[PlannedRun] = []
    at = first
    for run in encoded:
        if at < run.first:
            runs += plan(at, run.first)
        runs.append(run)
        at = run.end
    if at < stop:
        runs += plan(at, stop)
    return tuple(_merged(track, runs))


def encoded_runs(
    track: Track, piece: FrameRange, base: Fraction, changed: Sequence[ChangedPart], retiming: Retiming | None
) -> list[PlannedRun]:
    """Return the runs of a range that must be encoded, in order. `base` is when the range begins in cut time."""
    if retiming is not None and retiming.backwards:
        whole = encoded_run(track, piece.first, piece.stop, "edited: reverse")
        return [replace(whole, shown=reversed_frames(track, piece, base, retiming.length), backwards=True)]
    runs = []
    at = piece.first
    chosen = [] if retiming is None else chosen_frames(track, piece, base, retiming.legs)
    changes = changed_ranks(track, piece, base, changed)
    again = _drawn_again(track, piece, base, changed, retiming)
    for first, stop, leg, shown in [*chosen, (piece.stop, piece.stop, None, ())]:
        for begin, end, why in changes:  # between the parts whose frames are chosen
            low, high = max(begin, at), min(end, first)
            for rank in sorted(rank for rank in again if low <= rank < high):
                if low < rank:
                    runs.append(encoded_run(track, low, rank, why))
                runs.append(replace(encoded_run(track, rank, rank + 1, why), shown=again[rank]))
                low = rank + 1
            if low < high:
                runs.append(encoded_run(track, low, high, why))
        if first < stop and leg is not None:
            whole = encoded_run(track, first, stop, leg.reason)
            runs.append(replace(whole, shown=shown, between=leg.between, speed=leg.speed))
        at = stop
    return runs


def _drawn_again(
    track: Track, piece: FrameRange, base: Fraction, changed: Sequence[ChangedPart], retiming: Retiming | None
) -> dict[int, tuple[ShownFrame, ...]]:
    """Return the frames of a range that are held while a change goes on, and when each of them is drawn."""
    period = 1 / min(usual_rate(track), _DRAWN_RATE)
    found: dict[int, tuple[ShownFrame, ...]] = {}
    for part in changed:
        if (drawing := part.drawing) is None:
            continue
        for first, stop, _ in changed_ranks(track, piece, base, [part]):
            for rank in range(first, stop):
                cuts = [_cut_time(track, piece, base, each) for each in (rank, rank + 1)]
                begins, ends = cuts if retiming is None else map(retiming.finished, cuts)
                held = cuts[1] - cuts[0] > HELD or (retiming is not None and retiming.holds and ends - begins > HELD)
                start, end = max(drawing.start, begins), min(drawing.end, ends)
                if not held or start >= end:
                    continue
                again = {begins, drawing.start, drawing.end, *(frame.at for frame in found.get(rank, ()))}
                if drawing.progresses:
                    numbers = range(ceil((start - begins) / period), ceil((end - begins) / period))
                    again |= {begins + number * period for number in numbers}
                if len(times := _apart(again, begins, ends)) > 1:
                    found[rank] = tuple(ShownFrame(rank, time, cuts[0]) for time in times)
    return found


def _apart(times: set[Fraction], begins: Fraction, ends: Fraction) -> list[Fraction]:
    """Return the times from `begins` to below `ends`, without those that can hardly be told from the one before."""
    apart = [begins]
    for time in sorted(times):
        if apart[-1] + 2 * FRAME_TOLERANCE <= time <= ends - 2 * FRAME_TOLERANCE:
            apart.append(time)
    return apart


def _cut_time(track: Track, piece: FrameRange, base: Fraction, rank: int) -> Fraction:
    """Return when a frame of a range begins, or when the range ends, in cut time."""
    if rank >= piece.stop:
        return base + piece.duration
    return base + max(piece.start, track.seconds(track.pts[track.order[rank]])) - piece.start


def encoded_run(track: Track, first: int, stop: int, reason: str) -> PlannedRun:
    """Return a run that encodes the frames [first, stop)."""
    wanted = track.order[first:stop]
    return PlannedRun("encode", reason, first, stop, range(decode_start(track, wanted[0]), max(wanted) + 1))


def _merged(track: Track, runs: Sequence[PlannedRun]) -> Iterator[PlannedRun]:
    """Join runs that are encoded one after the other: one encoder does them without a keyframe between them."""
    for action, group in groupby(runs, lambda run: run.action):
        members = list(group)
        if action == "copy" or len(members) == 1 or any(run.shown is not None for run in members):
            yield from members
            continue
        reasons = "; ".join(dict.fromkeys(run.reason for run in members))
        yield encoded_run(track, members[0].first, members[-1].end, reasons)
