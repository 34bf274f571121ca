"""How much moves in a recording, second by second, from the sizes of its coded pictures. Nothing is decoded.

A picture that is predicted from others takes few bytes where nothing moves. How many depends on the scene and on the
encoder, so its size counts as a share of the keyframes around it: rain, dusk and a lower bitrate change both alike.

Pictures that are predicted from both sides (B) take few bytes for what moves steadily, such as a wave, and for noise;
those that are predicted from earlier ones alone (P) take several times as many for all of it. Both have the same say:
a second's activity is the number of its predicted pictures times the geometric mean of the two types' average sizes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import prod
from statistics import fmean, median
from typing import Any

from cutback.cutting.index import Track
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.source.footage import open_media
from cutback.domain.errors import RangeOutsideRecordingError

UNIT = 1000
"""An activity of this much: if all predicted pictures are of one type, those of a second are as large as a keyframe."""
MOST_VALUES = 80_000
"""A longer recording has one value for several seconds."""
_HIGHEST = 1_000_000
_KEYFRAMES_AROUND = 11
_LIKE_A_KEYFRAME = 0.5
"""A picture of at least this share of a keyframe, and much larger than its neighbours, is one without the name."""
_MUCH_LARGER = 5
_NEIGHBOURS = 8
_RARE = 10
"""Of so many pictures of a second, a single one of its type says nothing."""


def activity(source: ByteSource, limits: Limits) -> dict[str, Any]:
    """Return the activity of a recording, in thousandths: `step` seconds per value, the first at its time zero.

    `kinds` says what the pictures are, as (number of a value, words), from there on. Values of different kinds cannot
    be compared.

    Raises:
        RangeOutsideRecordingError: the recording has no pictures.
        CutbackError: like `open_media`.
    """
    index = open_media(source, limits).index
    if index.video is None or not index.video.order:
        raise RangeOutsideRecordingError("The recording has no pictures.")
    step = -(-(int(index.end) + 1) // MOST_VALUES)
    return {
        "step": step,
        "values": activity_of(index.video, step),
        "kinds": [[int(when) // step, kind] for when, kind in _kinds(index.video)],
    }


def activity_of(track: Track, step: int = 1) -> list[int]:
    """Return the activity in each `step` seconds from the recording's time zero to the end of its pictures. Pure."""
    values = [0.0] * (max(0, int(track.end // step)) + 1)
    for first, stop in _runs(track):
        _add_run(track, range(first, stop), values, step)
    if len(values) > 1 and track.end % step == 0:
        values.pop()
    return [min(_HIGHEST, round(UNIT * value / step)) for value in values]


def _runs(track: Track) -> Iterator[tuple[int, int]]:
    """Yield the samples [first, stop) to which one description applies."""
    firsts = [first for first, _ in track.described]
    for first, stop in pairwise([*firsts, len(track.pts)]):
        if first < stop:
            yield first, stop


def _add_run(track: Track, run: range, values: list[float], step: int) -> None:
    low, high = track.window
    shown = [n for n in run if low <= track.pts[n] < high and n not in track.hidden]
    sync = frozenset(track.sync)
    keyframes = [n for n in run if n in sync and track.sizes[n]]
    scale = _KeyframeSizes(keyframes, [track.sizes[n] for n in keyframes], [track.sizes[n] for n in run])
    if len(keyframes) == len(run):
        moved = _differences(track.sizes, shown)
    else:
        moved = _predicted(track.sizes, shown, sync, scale)
    second, last = _seconds(track), len(values) - 1
    both = frozenset(_predicted_from_both_sides(track.pts, run))
    shares: dict[int, tuple[list[float], list[float]]] = {}
    for sample, size in moved:
        at = min(last, max(0, second(sample) // step))
        shares.setdefault(at, ([], []))[sample in both].append(size / scale.at(sample))
    for at, types in shares.items():
        values[at] += _together(types)


def _predicted_from_both_sides(pts: Sequence[int], run: range) -> Iterator[int]:
    """Yield the pictures that are shown before one that is decoded before them."""
    latest: int | None = None
    for sample in run:
        if latest is not None and pts[sample] < latest:
            yield sample
        else:
            latest = pts[sample]


def _together(types: Sequence[Sequence[float]]) -> float:
    """Return how many pictures there are, times the geometric mean of the average sizes of each type."""
    count = sum(map(len, types))
    means = [fmean(sizes) for sizes in types if len(sizes) * _RARE >= count]
    return count * prod(means) ** (1 / len(means))


def _seconds(track: Track) -> Callable[[int], int]:
    """Return what tells the second, since the recording's time zero, in which a sample is shown."""
    pts, shift = track.pts, track.shift * track.timescale
    times, plus, ticks = shift.denominator, shift.numerator, track.timescale * shift.denominator
    return lambda sample: (pts[sample] * times + plus) // ticks


class _KeyframeSizes:
    """The size of a keyframe around a sample."""

    def __init__(self, keyframes: Sequence[int], sizes: Sequence[int], every: Sequence[int]) -> None:
        half = _KEYFRAMES_AROUND // 2
        self._keyframes = keyframes
        self._usual = [median(sizes[max(0, n - half) : n + half + 1]) for n in range(len(sizes))]
        self._otherwise = max(1, *every) if every else 1

    def at(self, sample: int) -> float:
        if not self._usual:
            return self._otherwise
        return self._usual[min(len(self._usual) - 1, bisect_left(self._keyframes, sample))]


def _differences(sizes: Sequence[int], shown: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where every picture is a keyframe, what moves changes their sizes."""
    for before, sample in pairwise(shown):
        yield sample, abs(sizes[sample] - sizes[before])


def _predicted(
    sizes: Sequence[int], shown: Sequence[int], sync: frozenset[int], scale: _KeyframeSizes
) -> Iterator[tuple[int, int]]:
    """The predicted pictures; one that is coded like a keyframe counts like those before it."""
    recent: deque[int] = deque(maxlen=_NEIGHBOURS)
    for sample in shown:
        if sample in sync:
            continue
        size = sizes[sample]
        if recent and size > _LIKE_A_KEYFRAME * scale.at(sample) and size > _MUCH_LARGER * max(1, *recent):
            yield sample, max(recent)
        else:
            yield sample, size
        recent.append(size)


def _kinds(track: Track) -> Iterator[tuple[int, str]]:
    for first, number in track.described:
        if first < len(track.pts):
            entry = track.descriptions[number]
            begins = max(0, _seconds(track)(first)) if first else 0
            yield begins, f"{entry.codec} {entry.width}x{entry.height}"
