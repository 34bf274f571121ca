"""Parts of a clip whose pictures edits change, so that they are re-encoded; the rest is planned as ever. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise

from cutback.cutting.index import Track, decode_start
from cutback.cutting.plan.plan import FrameRange, PlannedRun
from cutback.cutting.plan.retiming import Retiming, chosen_frames, reversed_frames
from cutback.domain.times import FRAME_TOLERANCE


@dataclass(frozen=True, slots=True)
class ChangedPart:
    """A part of the clip, in cut time: seconds of the joined ranges."""

    start: Fraction | None
    """None: from the beginning."""
    end: Fraction | None
    """None: to the end."""
    reason: str


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
    for first, stop, leg, shown in [*chosen, (piece.stop, piece.stop, None, ())]:
        for begin, end, why in changes:  # between the parts whose frames are chosen
            low, high = max(begin, at), min(end, first)
            if low < high:
                runs.append(encoded_run(track, low, high, why))
        if first < stop and leg is not None:
            whole = encoded_run(track, first, stop, leg.reason)
            runs.append(replace(whole, shown=shown, between=leg.between, speed=leg.speed))
        at = stop
    return runs


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
