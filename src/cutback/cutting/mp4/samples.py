"""A track's samples in columns, from its tables and fragments."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import islice, pairwise
from operator import sub


@dataclass(slots=True)
class Samples:
    """A track's samples while they are collected; the same columns as `index.Track`."""

    dts: array[int] = field(default_factory=lambda: array("q"))
    pts: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("I"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    sync: array[int] = field(default_factory=lambda: array("I"))
    described: list[tuple[int, int]] = field(default_factory=list)
    last_duration: int = 0
    lost: int = 0
    """How many samples are beyond the end of the file."""
    lost_from: int | None = None
    """The earliest PTS of those samples."""
    follows: bool = False
    """For fragments: whether times are relative to the end of the previous samples, because there is no `tfdt`."""

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.sizes)

    @property
    def next_dts(self) -> int:
        """The DTS of a sample after the last one, in ticks."""
        return self.dts[-1] + self.last_duration if self.dts else 0

    @property
    def longest_duration(self) -> int:
        """The longest duration among the first samples, in ticks (in sound, all are equal)."""
        times = self.dts[:16]
        return max([self.last_duration, *(after - time for time, after in pairwise(times))])

    @property
    def usual_duration(self) -> int:
        """The usual duration of samples, in ticks."""
        steps = sorted(map(sub, islice(self.dts, 1, None), self.dts))
        return max(0, steps[len(steps) // 2]) if steps else self.last_duration

    def extend(self, other: Samples) -> None:
        """Append the samples of a track's fragments to those of its tables."""
        base, begin = len(self), self.next_dts if other.follows else 0
        self.dts.extend(time + begin for time in other.dts)
        self.pts.extend(time + begin for time in other.pts)
        self.sizes.extend(other.sizes)
        self.offsets.extend(other.offsets)
        self.sync.extend(array("I", (base + number for number in other.sync)))
        self.described.extend((base + number, description) for number, description in other.described)
        self.last_duration = other.last_duration

    @property
    def has_empty(self) -> bool:
        """Whether there are samples without a byte."""
        return 0 in self.sizes

    def drop_empty(self) -> None:
        """Drop samples without a byte: they show nothing, so the previous picture stays."""
        self.keep(array("q", (number for number, size in enumerate(self.sizes) if size)))

    def clip_to(self, file_size: int) -> None:
        """Drop all samples from the first one that is beyond the end of the file."""
        count = next(
            (i for i, (at, size) in enumerate(zip(self.offsets, self.sizes, strict=True)) if at + size > file_size),
            len(self),
        )
        self.lost = len(self) - count
        if not self.lost:
            return
        self.lost_from = min(self.pts[count:])
        self.last_duration = self.dts[count] - self.dts[count - 1] if count else 0
        for name in ("dts", "pts", "sizes", "offsets"):
            setattr(self, name, getattr(self, name)[:count])
        self.sync = array("I", (number for number in self.sync if number < count))

    def keep(self, numbers: array[int]) -> None:
        """Keep only these samples, ascending."""
        if len(numbers) == len(self):
            return
        if len(numbers):
            self.last_duration = self.next_dts - self.dts[numbers[-1]]
        for name in ("dts", "pts", "sizes", "offsets"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, map(column.__getitem__, numbers)))
        self.described = [(bisect_left(numbers, first), number) for first, number in self.described]
        kept = set(self.sync)
        self.sync = array("I", (place for place, number in enumerate(numbers) if number in kept))

    # The same methods as those of `Tables`, for samples in memory.

    @property
    def reordering(self) -> int:
        """Return the largest difference between PTS and DTS, in ticks."""
        return max((abs(pts - dts) for pts, dts in zip(self.pts, self.dts, strict=True)), default=0)

    def sample_at(self, dts: int) -> int:
        """Return the sample that is decoded at a time."""
        return max(0, bisect_right(self.dts, dts) - 1)

    def keyframes(self) -> array[int] | None:
        """Return the numbers of all samples at which decoding may begin, ascending."""
        return self.sync

    def window(self, first: int, end: int) -> Samples:
        """Return the samples [first, end), numbered from 0."""
        first, end = max(0, first), min(end, len(self))
        if (first, end) == (0, len(self)):
            return self
        run = bisect_right(self.described, first, key=lambda row: row[0]) - 1
        described = [(max(0, begin - first), number) for begin, number in self.described[run:] if begin < end]
        sync = array("I", (number - first for number in self.sync if first <= number < end))
        last = self.dts[end] - self.dts[end - 1] if end < len(self) else self.last_duration
        return Samples(
            self.dts[first:end],
            self.pts[first:end],
            self.sizes[first:end],
            self.offsets[first:end],
            sync,
            described,
            last,
        )
