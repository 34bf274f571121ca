"""Checks a clip: its first and last frame, the number of frames, and the quality of re-encoded ones."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from bench.contenders import START, Work

_TOLERANCE = Fraction(1, 1000)
_MARGIN = Fraction(11)
"""Seconds around a cut in which the frame that a tool began or ended with is looked for: more than a GOP."""
_THIN = 4
"""Frames are told apart by every fourth pixel of every fourth row."""
_ALIKE = 20.0
"""dB of PSNR from which a frame may be the re-encoded version of another."""

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A clip compared with its source."""

    first: int | None
    """Frames from the requested first frame to the actual one: 0 is right, negative is early. None: unrecognized."""
    last: int | None
    """The same of its last frame: 0 is right, more is late."""
    frames: int
    """Presented."""
    wanted: int
    """Frames that should be."""

    @property
    def right(self) -> bool:
        """Whether its ends and its number of frames are exactly as requested."""
        return self.first == self.last == 0 and self.frames == self.wanted

    def __str__(self) -> str:
        """For the tables."""
        if self.right:
            return "correct"
        if self.first is None or self.last is None:
            return "unlike the source"
        return f"{self.first:+d} … {self.last:+d}, {self.frames - self.wanted:+d} frames"


@dataclass(frozen=True, slots=True)
class Quality:
    """Those frames of a clip that are not bit-identical to the source's luma."""

    changed: int
    lowest: float
    """PSNR of the worst of them in dB; infinite if there are none."""
    mean: float
    """Of their PSNRs, dB."""


class Judge:
    """Compares clips of one piece of work with its source, whose frames around the cuts it keeps in memory."""

    def __init__(self, work: Work) -> None:
        """Decodes the source around both cuts."""
        self._path = work.source.path
        start, end = Fraction(START) - _TOLERANCE, Fraction(work.end) - _TOLERANCE
        self._times = presented_times(self._path)
        self._first = bisect_left(self._times, start)
        self._stop = bisect_left(self._times, end)
        numbers = {time: number for number, time in enumerate(self._times)}
        self._near_first = _thinned(self._path, start, numbers)
        self._near_last = _thinned(self._path, end, numbers)

    def verdict(self, clip: Path) -> Verdict:
        """Where a clip really begins and ends, and how many frames it presents."""
        first, last = _ends(clip)
        return Verdict(
            first=_offset(first, self._near_first, self._first),
            last=_offset(last, self._near_last, self._stop - 1),
            frames=len(presented_times(clip)),
            wanted=self._stop - self._first,
        )

    def quality(self, clip: Path, verdict: Verdict) -> Quality:
        """Decode the clip and its source side by side. `verdict` says with which frame it begins."""
        start = self._times[self._first + (verdict.first or 0)]
        source = (frame for time, frame in _frames(self._path, start) if time >= start)
        found = [
            noise
            for (_, ours), theirs in zip(_frames(clip), source, strict=False)
            if (noise := psnr(_luma(ours), _luma(theirs))) != math.inf
        ]
        if not found:
            return Quality(0, math.inf, math.inf)
        return Quality(len(found), min(found), sum(found) / len(found))


def presented_times(path: Path) -> list[Fraction]:
    """When each frame of a file is shown, in seconds, ascending, without frames that an edit list hides."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sorted(
            packet.pts * packet.time_base
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None and not packet.is_discard
        )


def psnr(one: Luma, other: Luma) -> float:
    """How alike two pictures are, in dB; infinite for the same."""
    if one.shape != other.shape:
        return 0.0
    difference = one.astype(np.int16) - other
    error = float(np.mean(np.square(difference, dtype=np.float32)))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _offset(picture: Luma, candidates: dict[int, Luma], wanted: int) -> int | None:
    likeness = {number: psnr(picture, other) for number, other in candidates.items()}
    best = max(likeness, key=likeness.__getitem__)
    return best - wanted if likeness[best] >= _ALIKE else None


def _ends(clip: Path) -> tuple[Luma, Luma]:
    first = next(frame for _, frame in _frames(clip))
    *_, last = (frame for _, frame in _frames(clip, presented_times(clip)[-1]))
    return _thin(first), _thin(last)


def _thinned(path: Path, middle: Fraction, numbers: dict[Fraction, int]) -> dict[int, Luma]:
    near = {}
    for time, frame in _frames(path, middle - _MARGIN):
        if time > middle + _MARGIN:
            break
        if time >= middle - _MARGIN:
            near[numbers[time]] = _thin(frame)
    return near


def _frames(path: Path, since: Fraction | None = None) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """A file's presented frames with their times, from a keyframe at or before `since` on."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        if since is not None:
            assert stream.time_base is not None
            container.seek(max(0, int(since / stream.time_base)), stream=stream)
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.time_base is not None
            yield frame.pts * frame.time_base, frame


def _luma(frame: av.VideoFrame) -> Luma:
    plane = frame.planes[0]
    rows: Any = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return np.asarray(rows[:, : plane.width])


def _thin(frame: av.VideoFrame) -> Luma:
    return _luma(frame)[::_THIN, ::_THIN].copy()
