"""From cut time to finished time: which part of a clip is shown at which speed, and which of its frames. Pure.

Cut time is that of the joined ranges. Most frames keep their order and all of them are shown, each for a longer or
shorter time; nothing is re-encoded for that. Where there would be too many frames, some are chosen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from cutback.cutting.index import Track
from cutback.cutting.plan.plan import Between, FrameRange, ShownFrame
from cutback.domain.times import FRAME_TOLERANCE

_NEXT_TO = Fraction(1, 50)
"""How near, of the way to the next frame, a time is to a frame to show just that one."""

_SECOND_FIELD = Fraction(1, 2)
"""How far the second field of a frame is on the way to the next frame."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the clip with one speed."""

    start: Fraction
    """Seconds in cut time."""
    end: Fraction
    begins: Fraction
    """When it begins in finished time, in seconds."""
    speed: Fraction
    period: Fraction | None = None
    """If frames are chosen: seconds from one to the next in finished time. None: all frames are shown."""
    reason: str = ""
    """Why frames are chosen."""
    between: Between = "repeat"
    """What is shown between frames if there are more chosen ones than frames."""
    ramp: bool = False
    """Whether it is a part of a change from one speed to the next."""

    @property
    def ends(self) -> Fraction:
        """When it ends in finished time, in seconds."""
        return self.begins + (self.end - self.start) / self.speed

    @property
    def chosen(self) -> int:
        """How many frames are chosen."""
        return 0 if self.period is None else max(1, round((self.ends - self.begins) / self.period))


@dataclass(frozen=True, slots=True)
class Retiming:
    """The legs of a clip, in order, without holes. In finished time, there may be holes, in which a frame is held."""

    legs: tuple[Leg, ...]
    backwards: bool = False
    """Whether the clip is shown from its end to its beginning; then it has one leg."""

    @property
    def length(self) -> Fraction:
        """Seconds of the finished clip."""
        return self.legs[-1].ends

    @property
    def holds(self) -> bool:
        """Whether a frame is held: finished time has holes."""
        return any(after.begins > before.ends for before, after in pairwise(self.legs))

    def finished(self, cut: Fraction) -> Fraction:
        """Convert a time in cut time to finished time."""
        if self.backwards:
            return self.length - cut
        leg = self.legs[max(0, bisect_right(self.legs, cut, key=lambda leg: leg.start) - 1)]
        return leg.begins + (cut - leg.start) / leg.speed

    def cut(self, finished: Fraction) -> Fraction:
        """Convert a time in finished time to cut time."""
        if self.backwards:
            return self.length - finished
        place = max(0, bisect_right(self.legs, finished, key=lambda leg: leg.begins) - 1)
        leg = self.legs[place]
        if place + 1 < len(self.legs):  # in a hole, time stands still
            finished = min(finished, leg.ends)
        return leg.start + (finished - leg.begins) * leg.speed


def reversed_frames(track: Track, piece: FrameRange, base: Fraction, length: Fraction) -> tuple[ShownFrame, ...]:
    """Return the frames of a range from the last to the first; `length` is that of the clip, in seconds."""
    shown = []
    ends = piece.end
    for rank in reversed(range(piece.first, piece.stop)):
        begins = max(piece.start, track.seconds(track.pts[track.order[rank]]))
        shown.append(ShownFrame(rank, length - (base + ends - piece.start), base + begins - piece.start))
        ends = begins
    return tuple(shown)


def chosen_frames(
    track: Track, piece: FrameRange, base: Fraction, legs: Sequence[Leg]
) -> list[tuple[int, int, Leg, tuple[ShownFrame, ...]]]:
    """Return the parts [first, stop) of a range of which frames are chosen: their leg, and those frames in order.

    `base` is when the range begins in cut time.
    """
    found = []
    for leg in legs:
        low, high = max(leg.start, base), min(leg.end, base + piece.duration)
        if leg.period is None or low >= high:
            continue
        first = piece.first if low == base else max(piece.first, _rank_from(track, low - base + piece.start))
        last = high == base + piece.duration
        stop = piece.stop if last else min(piece.stop, _rank_from(track, high - base + piece.start))
        if first < stop:
            choose = _fields if leg.between == "fields" else _chosen
            shown = tuple(choose(track, leg, low, high, base - piece.start, first, stop))
            found.append((first, stop, leg, shown))
    return found


def _rank_from(track: Track, seconds: Fraction) -> int:
    return track.rank_at(track.ticks(seconds - FRAME_TOLERANCE))


def _chosen(
    track: Track, leg: Leg, low: Fraction, high: Fraction, shift: Fraction, first: int, stop: int
) -> Iterator[ShownFrame]:
    assert leg.period is not None
    step = leg.period * leg.speed
    begin = max(0, -((leg.start - low) // step))  # the first number whose time is not before `low`
    keyframes = [rank for sample in track.sync if first <= (rank := track.rank(sample)) < stop]
    for number in range(begin, leg.chosen):
        time = leg.start + number * step
        if time >= high:
            return
        if time < low:
            continue
        shown = _rank_from(track, time - shift + 2 * FRAME_TOLERANCE) - 1
        rank = _near_keyframe(track, keyframes, min(max(shown, first), stop - 1), step)
        if leg.between == "repeat":
            begins = max(low, track.seconds(track.pts[track.order[rank]]) + shift)
            yield ShownFrame(rank, leg.begins + number * leg.period, begins)
            continue
        rank = min(max(shown, first), stop - 1)
        yield ShownFrame(rank, leg.begins + number * leg.period, time, _part(track, rank, stop, time - shift))


def _fields(
    track: Track, leg: Leg, low: Fraction, high: Fraction, shift: Fraction, first: int, stop: int
) -> Iterator[ShownFrame]:
    """Yield both fields of each frame; the second one is shown from the middle of its time on."""
    for rank in range(first, stop):
        begins = track.seconds(track.pts[track.order[rank]]) + shift
        middle = begins + _length(track, rank) / 2
        if middle > low + FRAME_TOLERANCE:
            at = max(low, begins)
            yield ShownFrame(rank, leg.begins + at - leg.start, at)
        at = max(low, middle)
        if at < high - FRAME_TOLERANCE:
            yield ShownFrame(rank, leg.begins + at - leg.start, at, _SECOND_FIELD)


def _length(track: Track, rank: int) -> Fraction:
    """Return the seconds from a frame to the next one; of the last one, from the one before."""
    place = min(rank, len(track.order) - 2)
    if place < 0:
        return Fraction(0)
    this, following = (track.pts[track.order[each]] for each in (place, place + 1))
    return track.seconds(following) - track.seconds(this)


def _part(track: Track, rank: int, stop: int, seconds: Fraction) -> Fraction:
    """Return how far a time is from a frame to the next one, from 0 to below 1."""
    if rank + 1 >= stop:
        return Fraction(0)
    this, following = (track.seconds(track.pts[track.order[each]]) for each in (rank, rank + 1))
    part = (seconds - this) / (following - this)
    return Fraction(0) if part < _NEXT_TO or part > 1 - _NEXT_TO else part


def _near_keyframe(track: Track, keyframes: Sequence[int], rank: int, step: Fraction) -> int:
    """Return the nearest keyframe if it is nearer than half a step: then nothing else needs to be read or decoded."""
    place = bisect_left(keyframes, rank)
    near = keyframes[max(0, place - 1) : place + 1]
    time = track.pts[track.order[rank]]
    best = min(near, key=lambda each: abs(track.pts[track.order[each]] - time), default=None)
    if best is None or abs(track.pts[track.order[best]] - time) * 2 >= step * track.timescale:
        return rank
    return best
