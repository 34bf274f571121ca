"""Decides what is copied and what is re-encoded: from an index and a range to runs, each with a reason. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from cutback.cutting.codecs.codec import Entry
from cutback.cutting.index import Index, Track, decode_start
from cutback.cutting.job import Fill, Precision
from cutback.domain.errors import RangeOutsideRecordingError
from cutback.domain.times import FRAME_TOLERANCE, FrameNumber, FromEnd, Instant, format_clock

HELD = Fraction(1, 5)
"""Seconds. A picture that is shown for longer is held. Shorter ones are normal frames, which are never split."""

ENTRIES_TRIED = 8
"""How many keyframes are tried as the beginning of copying before everything is re-encoded."""


Between: TypeAlias = Literal["repeat", "blend", "interpolate", "fields"]
"""What slow motion shows between frames; or that both fields of each frame are shown."""


class ShownFrame(NamedTuple):
    """A frame, and when it is shown in the finished clip."""

    rank: int
    at: Fraction
    """Seconds."""
    cut: Fraction
    """When it begins in cut time or, between two frames, the time that it shows; seconds."""
    part: Fraction = Fraction(0)
    """How far it is on the way to the next frame, from 0 to below 1."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """Presented frames [first, end) of the video, counted in presentation order."""

    action: Literal["copy", "encode"]
    reason: str
    first: int
    end: int
    samples: Sequence[int]
    """copy: the samples to copy; encode: the samples for the decoder, beginning with a keyframe."""
    rewritten: bool = False
    """copy: whether the first sample is a keyframe that must become an IDR picture first (an open GOP)."""

    shown: tuple[ShownFrame, ...] | None = None
    """encode: the frames that are shown if they are chosen, in order; a frame can be shown several times. None: all."""

    backwards: bool = False
    """encode: whether `shown` goes from the last frame to the first."""
    between: Between = "repeat"
    """encode: what is shown between frames."""
    speed: Fraction = Fraction(1)
    """encode: at which speed, if something is shown between frames."""
    held: bool = False
    """encode: whether its last picture is the clip's last, and is shown for longer than others. A sample's duration
    counts in decoding order, so that picture must be the last one in decoding order."""

    def __len__(self) -> int:
        """The number of presented frames."""
        return self.end - self.first if self.shown is None else len(self.shown)


@dataclass(frozen=True, slots=True)
class FrameRange:
    """A range, adjusted to the times of frames."""

    start: Fraction
    """Seconds since the recording's time zero: the clip's zero. It is the first frame's time, or later if that frame is
    held."""
    end: Fraction
    """When the last frame ends: when the next frame begins, or, if the last one is held, when the range ends."""
    first: int
    stop: int
    """The presented frames [first, stop)."""
    clamped: bool
    fill: Fill | None = None
    """What a gap shows. A gap has no frames of its own; its recording is that of a neighbouring range."""
    crossfade: Fraction = Fraction(0)
    """Seconds over which the range before turns into this one, as requested; 0: a cut."""

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return self.end - self.start


def snap_to_frames(
    index: Index, start: Instant, end: Instant, *, seam_before: bool = False, seam_after: bool = False
) -> FrameRange:
    """Adjust a range to the times of its frames: those with start ≤ time < end.

    A picture that is held (shown for longer than `HELD`) when the range begins belongs to the range from there on; one
    that is held when the range ends is shown until there. At a seam, the range keeps its own start or end, whatever
    the times of the frames; see `CutRange`.

    Raises:
        RangeOutsideRecordingError: no frame (or, without video, no sound) begins in the range.
    """
    video = index.video
    begin, _ = resolve_instant(index, start)
    finish, overshoot = resolve_instant(index, end)
    if begin >= index.end:
        raise RangeOutsideRecordingError(
            f"The range begins at {format_clock(begin)}; the recording ends at {format_clock(index.end)}."
        )
    clamped = overshoot or finish > index.end + FRAME_TOLERANCE
    if video is None:
        return FrameRange(begin, finish if seam_after else min(finish, index.end), 0, 0, clamped and not seam_after)
    first = rank_at(video, begin)
    stop = rank_at(video, finish)
    held = _held_at(video, first, begin)
    first -= held
    if stop <= first or finish <= begin:
        raise RangeOutsideRecordingError(f"No frame begins between {format_clock(begin)} and {format_clock(finish)}.")
    sound_start = min((track.start for track in index.audio), default=None)
    real_start = video.seconds(video.pts[video.order[first]])
    if first == 0 and sound_start is not None and sound_start < real_start:
        real_start = min(real_start, max(begin, sound_start))
    if stop < len(video.order):  # the frames held here extend beyond every range, so this is the recording's end
        real_end = video.seconds(video.pts[video.order[stop]])
    else:
        real_end = max(video.end, min(finish, index.end))
    if held:
        real_start = begin
    if _is_held(video, stop - 1) and real_end > finish + FRAME_TOLERANCE:
        real_end = finish
    if seam_before:
        real_start = begin
    if seam_after:
        real_end, clamped = finish, False
    return FrameRange(real_start, real_end, first, stop, clamped)


def _is_held(track: Track, rank: int) -> bool:
    sample = track.order[rank]
    return track.end_of(sample) - track.pts[sample] > HELD * track.timescale


def _held_at(track: Track, following: int, moment: Fraction) -> bool:
    """Whether the frame before `following` is held, and shown at this moment, at which no frame begins."""
    if not following or not _is_held(track, following - 1):
        return False
    begins_there = following < len(track.order) and (
        track.seconds(track.pts[track.order[following]]) <= moment + FRAME_TOLERANCE
    )
    return not begins_there and track.seconds(track.end_of(track.order[following - 1])) > moment + FRAME_TOLERANCE


def rank_at(track: Track, seconds: Fraction) -> int:
    """Return the number of the first frame that begins at or after a time, with a tolerance of 1 ms."""
    return track.rank_at(track.ticks(seconds - FRAME_TOLERANCE))


def resolve_instant(index: Index, instant: Instant) -> tuple[Fraction, bool]:
    """Return an instant in seconds, and whether it is a frame number beyond the last frame.

    Raises:
        RangeOutsideRecordingError: it is a frame number, and the recording has no video.
    """
    if isinstance(instant, FromEnd):
        return max(index.end - instant.seconds, Fraction(0)), False
    if not isinstance(instant, FrameNumber):
        return instant, False
    video = index.video
    if video is None:
        raise RangeOutsideRecordingError("The range has frame numbers, but the recording has no video.")
    if instant.frame < video.frames:
        return video.seconds(video.pts[video.order[instant.frame - video.first_rank]]), False
    return index.end, instant.frame > video.frames


def plan_video(
    track: Track, first: int, stop: int, precision: Precision, entry_at: Callable[[int], Entry]
) -> tuple[PlannedRun, ...]:
    """Return runs that present the frames [first, stop) and, with precision `keyframe`, more around them.

    `entry_at(sample)` returns how a new decoder can start at a keyframe. It is called for only a few keyframes.
    """
    if precision != "exact":
        copy = _keyframe_copy if precision == "keyframe" else _instant_copy
        run = copy(track, first, stop)
        if track.hidden.isdisjoint(range(run.samples[0], run.samples[-1] + 1)):
            # A decoder that starts at an open keyframe reports errors about references that it never had.
            return (replace(run, rewritten=entry_at(run.samples[0]) == "open"),)
    entry, kind = _find_entry(track, first, stop, entry_at)
    if entry is None:
        return (_encode(track, first, stop, "contains no keyframe at which copying can begin"),)
    copied = _copied(track, entry, stop)
    middle = track.rank(entry)
    runs = []
    if first < middle:
        runs.append(_encode(track, first, middle, "before the first keyframe"))
    rewritten = kind == "open"
    reason = "whole GOPs, the first one open" if rewritten else "whole GOPs"
    runs.append(PlannedRun("copy", reason, middle, middle + len(copied), copied, rewritten))
    if middle + len(copied) < stop:
        tail = _encode(track, middle + len(copied), stop, "needs a frame after the end")
        runs.append(tail)
    return tuple(runs)


def _find_entry(track: Track, first: int, stop: int, entry_at: Callable[[int], Entry]) -> tuple[int | None, Entry]:
    earliest = track.pts[track.order[first]]
    number = max(0, bisect_right(track.sync, track.order[first]) - 1)
    while number < len(track.sync) and track.pts[track.sync[number]] < earliest:
        number += 1
    for k in range(number, min(number + ENTRIES_TRIED, len(track.sync))):
        sample = track.sync[k]
        rank = track.rank(sample)
        if rank >= stop or track.order[rank] != sample:
            break
        kind = entry_at(sample)
        if kind != "none" and (kind == "open" or not has_leading(track, k)):
            return sample, kind
    return None, "none"


def has_leading(track: Track, k: int) -> bool:
    """Whether pictures decoded after the k-th keyframe are presented before it."""
    keyframe = track.sync[k]
    following = track.sync[k + 1] if k + 1 < len(track.sync) else len(track.pts)
    return any(track.pts[sample] < track.pts[keyframe] for sample in range(keyframe + 1, following))


def _copied(track: Track, entry: int, stop: int) -> Sequence[int]:
    """Return the longest run of samples from `entry` that presents frames without a hole, all before `stop`.

    Pictures that are presented before the entry are dropped.
    """
    begin = track.rank(entry)
    last = track.pts[track.order[stop - 1]]
    lowest = track.pts[entry]
    run: list[int] = []
    highest, best = begin - 1, 0
    for sample in range(entry, len(track.pts)):
        if sample in track.hidden:
            break  # what follows may refer to it
        if track.pts[sample] < lowest:
            continue
        if track.pts[sample] > last or track.order[track.rank(sample)] != sample:
            break  # after the end, or a second frame with the same time, which would be counted as the first
        run.append(sample)
        highest = max(highest, track.rank(sample))
        if highest - begin == len(run) - 1:
            best = len(run)
    run = run[:best]
    contiguous = run[-1] - entry == len(run) - 1
    return range(entry, run[-1] + 1) if contiguous else run


def _encode(track: Track, first: int, stop: int, reason: str) -> PlannedRun:
    wanted = track.order[first:stop]
    return PlannedRun("encode", reason, first, stop, range(decode_start(track, wanted[0]), max(wanted) + 1))


def _instant_copy(track: Track, first: int, stop: int) -> PlannedRun:
    wanted = track.order[first:stop]
    start = decode_start(track, wanted[0])
    samples = [s for s in range(start, max(wanted) + 1) if track.pts[s] >= track.pts[start]]
    return PlannedRun("copy", "cut by the edit list", first, stop, samples)


def _keyframe_copy(track: Track, first: int, stop: int) -> PlannedRun:
    start = decode_start(track, track.order[first])
    last = max(track.order[first:stop])
    number = bisect_right(track.sync, last)
    end = track.sync[number] if number < len(track.sync) else len(track.pts)
    # Pictures that are presented before the keyframe need the previous GOP, so they are dropped.
    samples = [s for s in range(start, end) if track.pts[s] >= track.pts[start]]
    shown = [track.pts[s] for s in samples if track.window[0] <= track.pts[s] < track.window[1]]
    return PlannedRun("copy", "keyframe to keyframe", track.rank_at(min(shown)), track.rank_at(max(shown)) + 1, samples)
