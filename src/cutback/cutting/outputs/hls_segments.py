"""Decides where the segments of HLS begin. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from cutback.cutting.mp4.layout import OutTrack
from cutback.cutting.mp4.write_fragments import FragmentedTrack, presented_end
from cutback.domain.times import FRAME_TOLERANCE


@dataclass(frozen=True, slots=True)
class TrackSegment:
    """Samples [first, stop) of a track, in decoding order."""

    first: int
    stop: int
    start: Fraction
    """Seconds since the clip's zero."""
    duration: Fraction
    """Seconds."""


def picture_segments(made: FragmentedTrack, target: Fraction) -> list[TrackSegment]:
    """Cut a video track at keyframes at which everything before is presented before, and everything after, after.

    So each segment can be decoded without any other. Each has one sample entry.
    """
    track = made.track
    begins = _entries(track)
    seconds = {sample: Fraction(made.pts[sample], track.timescale) for sample in begins}
    chosen = [begins[0]]
    for sample, following in pairwise([*begins[1:], len(track)]):
        ends = seconds.get(following, presented_end(made))
        changes = track.entry_of[sample] != track.entry_of[sample - 1]
        if changes or ends - seconds[chosen[-1]] > target + FRAME_TOLERANCE:
            chosen.append(sample)
    return _segments(made, chosen, [seconds[sample] for sample in chosen])


def sound_segments(made: FragmentedTrack, starts: Sequence[Fraction]) -> list[TrackSegment]:
    """Cut a track of sound at the packets that are heard at times, in seconds; the first one is the clip's zero.

    Each segment has one sample entry.
    """
    track = made.track
    times = [Fraction(pts - made.hidden, track.timescale) for pts in made.pts]
    places = (max(0, bisect_right(times, start + FRAME_TOLERANCE) - 1) for start in starts[1:])
    changes = (n for n in range(1, len(track)) if track.entry_of[n] != track.entry_of[n - 1])
    chosen = sorted({0, *places, *changes})
    return _segments(made, chosen, [max(Fraction(0), times[sample]) for sample in chosen])


def even_starts(duration: Fraction, target: Fraction) -> list[Fraction]:
    """Return when segments of the same length begin."""
    return [target * number for number in range(max(1, -(-duration // target)))]


def _entries(track: OutTrack) -> list[int]:
    """The first sample, and the keyframes at which the order of decoding and of presentation have the same past."""
    highest = list(accumulate(track.pts, max))
    lowest = list(accumulate(reversed(track.pts), min))[::-1]
    found = (n for n in range(1, len(track)) if track.sync[n] and highest[n - 1] < track.pts[n] <= lowest[n])
    return [0, *found]


def _segments(made: FragmentedTrack, begins: Sequence[int], starts: Sequence[Fraction]) -> list[TrackSegment]:
    stops, ends = [*begins[1:], len(made.track)], [*starts[1:], max(presented_end(made), starts[-1])]
    return [
        TrackSegment(first, stop, start, end - start)
        for first, stop, start, end in zip(begins, stops, starts, ends, strict=True)
    ]
