"""What happens to every frame of a plan: it is copied, re-encoded, hidden or dropped, with a reason. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from typing import Literal

from cutback.cutting.index import Track, decode_start
from cutback.cutting.plan.plan import PlannedRun

Action = Literal["copy", "encode", "hide", "drop"]
"""What happens to frames. `hide`: they are in the clip's file, but its edit list does not present them."""

MARKS: Mapping[Action, str] = {"copy": "c", "encode": "e", "hide": "h", "drop": "d"}

AROUND = 48
"""Frames on either side of an edge or a join that are shown one by one."""


@dataclass(frozen=True, slots=True)
class Step:
    """Frames [first, end) of those in the track, in presentation order, and what happens to them."""

    action: Action
    reason: str
    first: int
    end: int
    copied: int = 0
    """Bytes that are copied to the clip."""
    decoded: int = 0
    """Bytes that are read for decoding; another step may read the same bytes."""
    encoded: int = 0
    """Estimated bytes of the encoded frames."""
    shown: int | None = None
    """How many frames are shown, if they are chosen; None: all of them."""


def steps(track: Track, runs: Sequence[PlannedRun]) -> list[Step]:
    """Return the steps of all GOPs that the plan touches; each frame occurs once, in presentation order."""
    first, stop = runs[0].first, runs[-1].end
    low, high = _touched(track, runs)
    made = list(_outside(track, runs, range(low, first)))
    for run in runs:
        if run.action == "copy":
            copied = bytes_of(track, track.order[run.first : run.end])
            made.append(Step("copy", run.reason, run.first, run.end, copied=copied))
            continue
        decoded = bytes_of(track, fed(track, run))
        chosen = range(run.first, run.end) if run.shown is None else [frame.rank for frame in run.shown]
        estimate = _encoded_size(track, [track.order[rank] for rank in chosen]) if chosen else 0
        shown = None if run.shown is None else len(run.shown)
        made.append(Step("encode", run.reason, run.first, run.end, decoded=decoded, encoded=estimate, shown=shown))
    return [*made, *_outside(track, runs, range(stop, high))]


def fed(track: Track, run: PlannedRun) -> Sequence[int]:
    """Return the samples that are read to encode a run."""
    if run.shown is not None:
        lasts = {track.order[frame.rank] for frame in run.shown}
        return sorted({sample for last in lasts for sample in range(decode_start(track, last), last + 1)})
    if is_keyframe(track, run.samples[0]):
        return run.samples
    wanted = track.order[run.first : run.end]
    return range(decode_start(track, wanted[0]), max(wanted) + 1)


def _touched(track: Track, runs: Sequence[PlannedRun]) -> tuple[int, int]:
    """Return the ranks of the first and last frame of all GOPs that contain, or are needed for, presented frames."""
    first, stop = runs[0].first, runs[-1].end
    wanted = track.order[first:stop]
    needed = [number for run in runs for number in (run.samples[0], run.samples[-1])]
    begin, _ = group(track, group_at(track, min(chain(wanted, needed))))
    _, end = group(track, group_at(track, max(chain(wanted, needed))))
    shown = [ticks for ticks in track.pts[begin:end] if track.window[0] <= ticks < track.window[1]]
    return min(first, track.rank_at(min(shown))), max(stop, track.rank_at(max(shown)) + 1)


def _outside(track: Track, runs: Sequence[PlannedRun], ranks: range) -> Iterator[Step]:
    """Yield frames that are not presented, grouped by what happens to them."""
    if not ranks:
        return
    copied = {n for run in runs if run.action == "copy" for n in run.samples}
    decoded = {n for run in runs if run.action == "encode" for n in fed(track, run)}
    entry = next((run.samples[0] for run in runs if run.action == "copy"), None)

    def fate(rank: int) -> tuple[Action, str]:
        sample = track.order[rank]
        if sample in copied:
            return "hide", "in the file, but hidden by the edit list"
        if entry is not None and sample > entry and track.pts[sample] < track.pts[entry]:
            return "drop", "a leading picture, which needs the previous GOP"
        return "drop", "outside"

    for (action, reason), run in groupby(ranks, fate):
        samples = [track.order[rank] for rank in run]
        first = track.rank(samples[0])
        needed = sum(sample in decoded for sample in samples)
        if needed:
            some = "" if needed == len(samples) else f"{needed} of them "
            reason = f"{reason}; {some}decoded for others"  # noqa: PLW2901 - the same reason with more detail
        hidden = bytes_of(track, samples) if action == "hide" else 0
        yield Step(action, reason, first, first + len(samples), copied=hidden)


def _encoded_size(track: Track, samples: Sequence[int]) -> int:
    """Estimate the bytes of encoded frames: as many as in the source, with a keyframe first."""
    keyframe = track.sizes[decode_start(track, samples[0])]
    return max(keyframe - track.sizes[samples[0]], 0) + bytes_of(track, samples)


def bytes_of(track: Track, samples: Iterable[int]) -> int:
    """Return the total size of samples, in bytes."""
    return sum(track.sizes[number] for number in samples)


def group_at(track: Track, sample: int) -> int:
    """Return the number of a sample's GOP; samples before the first keyframe belong to GOP 0."""
    return max(0, bisect_right(track.sync, sample) - 1)


def group(track: Track, number: int) -> tuple[int, int]:
    """Return the samples [first, end) of a GOP."""
    begin = track.sync[number] if number and number < len(track.sync) else 0
    return begin, track.sync[number + 1] if number + 1 < len(track.sync) else len(track.pts)


def is_keyframe(track: Track, sample: int) -> bool:
    """Whether the container says that decoding can begin there."""
    place = bisect_left(track.sync, sample)
    return place < len(track.sync) and track.sync[place] == sample


def windows(made: Sequence[Step]) -> list[range]:
    """Return the ranks around each change of action and around the range's ends; merge them if they overlap."""
    low, high = made[0].first, made[-1].end
    shown = [step for step in made if step.action in {"copy", "encode"}]
    edges = {shown[0].first, shown[-1].end} | {a.end for a, b in pairwise(made) if a.action != b.action}
    found: list[range] = []
    for edge in sorted(edges):
        begin, end = max(low, edge - AROUND), min(high, edge + AROUND)
        if found and begin <= found[-1].stop:
            begin, found = found[-1].start, found[:-1]
        found.append(range(begin, end))
    return found
