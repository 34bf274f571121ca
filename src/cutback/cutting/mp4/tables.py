"""A track's sample tables (`stbl`), read only for a range of samples.

A two-hour recording has half a million samples; a clip of it needs a few thousand. Sums over the tables' runs find
these, without reading every sample.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import accumulate, chain, islice, repeat, takewhile
from operator import add, mul, sub

from cutback.cutting.mp4.boxes import children, words
from cutback.cutting.mp4.samples import Samples
from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError

_DISAGREE = "Its tables disagree about the number of samples."


class Runs:
    """A run-length table: (number of samples, value of each)*. The last value continues without end."""

    def __init__(self, counts: array[int], values: array[int], samples: int) -> None:
        """`samples` is the actual number of samples, whatever the table says."""
        if not values:
            raise MediaUnreadableError("A table of times is empty.")
        self.values = values
        self._starts = list(accumulate(counts, initial=0))
        self._sums: list[int] | None = None
        self._samples = samples

    @property
    def samples(self) -> int:
        """The number of samples according to the table itself."""
        return self._starts[-1]

    def spread(self, first: int, end: int) -> list[int]:
        """Return the values of samples [first, end)."""
        run = min(max(bisect_right(self._starts, first) - 1, 0), len(self.values) - 1)
        stop = bisect_left(self._starts, end, run)
        edges = [first, *self._starts[run + 1 : stop + 1]]
        # In C, not in a loop: with B-frames, nearly every sample is a separate run.
        values = list(islice(_repeated(self.values[run:stop], map(sub, edges[1:], edges)), end - first))
        values.extend(repeat(self.values[-1], end - first - len(values)))
        return values

    def sum_before(self, sample: int) -> int:
        """Return the sum of the values of all samples before this one."""
        if self._sums is None:
            lengths = map(sub, islice(self._starts, 1, None), self._starts)
            self._sums = list(accumulate(map(mul, lengths, self.values), initial=0))
        run = min(max(bisect_right(self._starts, sample) - 1, 0), len(self.values) - 1)
        return self._sums[run] + (sample - self._starts[run]) * self.values[run]

    def sample_at(self, total: int) -> int:
        """Return the last sample before which the sum is at most `total` (values are not negative)."""
        self.sum_before(0)
        assert self._sums is not None
        run = min(max(bisect_right(self._sums, total) - 1, 0), len(self.values) - 1)
        value = self.values[run]
        inside = (total - self._sums[run]) // value if value > 0 else 0
        return min(max(0, self._starts[run] + inside), max(0, self._samples - 1))


class Tables:
    """The sample tables of one track."""

    def __init__(self, stbl: memoryview, most: int) -> None:
        """Read the tables' headers.

        Raises:
            MediaUnreadableError: a table is missing or truncated.
            MediaTooLargeError: there are more than `most` samples.
        """
        tables = dict(reversed(list(children(stbl))))
        self._fixed, self.count, self._sizes = _sizes(tables)
        if self.count > most:
            raise MediaTooLargeError(f"A track has {self.count} samples; the limit is {most}.")
        if not self.count:
            return
        self._deltas = _runs(tables.get(b"stts"), "I", self.count)
        # Version 0 should be unsigned, but some writers use negative offsets too.
        self._offsets = _runs(tables[b"ctts"], "i", self.count) if b"ctts" in tables else None
        self._chunks = _Chunks(tables)
        # Some writers miscount in one table. If the two others agree, trusting them would shift all samples.
        if self._deltas.samples == self._chunks.samples != self.count:
            raise MediaUnreadableError(_DISAGREE)
        self._sync = words(tables[b"stss"][8:], "I") if b"stss" in tables else None

    def __len__(self) -> int:
        """The number of samples."""
        return self.count

    @cached_property
    def reordering(self) -> int:
        """Return the largest difference between PTS and DTS, in ticks."""
        return max(map(abs, set(self._offsets.values))) if self._offsets else 0

    @property
    def has_empty(self) -> bool:
        """Whether there are samples without a byte."""
        if not self.count or self._fixed or bytes(4) not in bytes(self._sizes):
            return False
        return 0 in self._size_list(0, self.count)

    def sample_at(self, dts: int) -> int:
        """Return the sample that is decoded at a time."""
        return self._deltas.sample_at(max(0, dts))

    def keyframes(self) -> array[int] | None:
        """Return the numbers of all samples at which decoding may begin, ascending; None: at all of them."""
        if self._sync is None:
            return None
        return array("I", (number - 1 for number in self._sync if 0 < number <= self.count))

    def window(self, first: int, end: int) -> Samples:
        """Return the samples [first, end), numbered from 0.

        Raises:
            MediaUnreadableError: the tables disagree.
        """
        first, end = max(0, first), min(end, self.count)
        deltas = self._deltas.spread(first, end)
        dts = array("q", accumulate(deltas[:-1], initial=self._deltas.sum_before(first)))
        pts = dts[:]  # a separate column, because samples of fragments may be appended to both
        if self._offsets is not None:
            pts = array("q", map(int.__add__, dts, self._offsets.spread(first, end)))
        places, described = self._chunks.window(first, end, self._size_list)
        sizes = self._size_list(first, end)
        if self._sync is None:
            sync = array("I", range(end - first))
        else:
            sync = array("I", (number - 1 - first for number in self._sync if first < number <= end))
        return Samples(dts, pts, sizes, places, sync, described, deltas[-1])

    def _size_list(self, first: int, end: int) -> array[int]:
        if self._fixed:
            return array("I", repeat(self._fixed, end - first))
        return words(self._sizes[4 * first : 4 * end], "I")


def counts_moments(stbl: memoryview, size: int) -> bool:
    """Whether tables count each PCM sample, of `size` bytes for all channels, as a separate sample."""
    tables = dict(reversed(list(children(stbl))))
    fixed, _, _ = _sizes(tables)
    times = words(tables[b"stts"][8:], "I") if b"stts" in tables else array("I")
    # QuickTime counts one byte per sample there, whatever its size.
    return fixed in {1, size} and bool(times) and set(times[1::2]) == {1}


def chunks_as_samples(stbl: memoryview, most: int, size: int) -> Samples:
    """Read uncompressed sound, whose tables count each PCM sample of `size` bytes, as one sample per chunk.

    Raises:
        MediaUnreadableError: a table is missing or truncated.
        MediaTooLargeError: there are more than `most` chunks.
    """
    tables = dict(reversed(list(children(stbl))))
    _, count, _ = _sizes(tables)
    chunks = _Chunks(tables)
    places, lengths = chunks.all(count, most)
    last = lengths[-1] if lengths else 0
    dts = array("q", accumulate(lengths[:-1], initial=0))
    sizes = array("I", (length * size for length in lengths))
    return Samples(dts, dts[:], sizes, places, array("I", range(len(lengths))), [(0, 0)], last)


def _sizes(tables: dict[bytes, memoryview]) -> tuple[int, int, memoryview]:
    stsz = tables.get(b"stsz")
    if stsz is None and b"stz2" in tables:
        raise MediaUnreadableError("Its sample sizes are in a compact form that Cutback does not support.")
    fixed, count = (0, 0) if stsz is None else struct.unpack_from(">II", stsz, 4)
    # Otherwise a track that wrongly claims to be empty would silently be missing from the clip.
    if not count and b"stts" in tables and any(words(tables[b"stts"][8:], "I")[::2]):
        raise MediaUnreadableError(_DISAGREE)
    if stsz is None:
        return 0, 0, memoryview(b"")
    if not fixed and len(stsz) < 12 + 4 * count:
        raise MediaUnreadableError("Its table of sample sizes is truncated.")
    return fixed, count, stsz[12:]


def _runs(table: memoryview | None, code: str, count: int) -> Runs:
    if table is None:
        raise MediaUnreadableError("Its index has no table of times.")
    return Runs(words(table[8:], "I")[::2], words(table[8:], code)[1::2], count)


class _Chunks:
    """The offsets of samples: chunks of the file, each with some samples (`stsc`, `stco` or `co64`)."""

    def __init__(self, tables: dict[bytes, memoryview]) -> None:
        if b"stco" in tables:
            self._offsets, self._code = tables[b"stco"][8:], "I"
        elif b"co64" in tables:
            self._offsets, self._code = tables[b"co64"][8:], "Q"
        else:
            raise MediaUnreadableError("Its index does not say where the samples are.")
        rows = words(tables[b"stsc"][8:], "I") if b"stsc" in tables else array("I")
        self._first, self._samples, self._described = rows[::3], rows[1::3], rows[2::3]
        if not self._described or 0 in self._first or 0 in self._samples:
            raise MediaUnreadableError("Its table of chunks is damaged.")
        lengths = map(sub, islice(self._first, 1, None), self._first)
        self._before = list(accumulate(map(mul, lengths, self._samples), initial=0))
        """For each row, the number of samples before it."""

    @property
    def samples(self) -> int:
        """The number of samples in all chunks."""
        last_row = len(self._offsets) // (4 if self._code == "I" else 8) - self._first[-1] + 1
        before: int = self._before[-1]
        return before + max(0, last_row) * self._samples[-1]

    def all(self, samples: int, most: int) -> tuple[array[int], array[int]]:
        """Return the offset of every chunk, and its number of samples."""
        places = array("q", words(self._offsets, self._code))
        if len(places) > most:
            raise MediaTooLargeError(f"A track has {len(places)} chunks; the limit is {most}.")
        lengths = array("q")
        for row, per_chunk in enumerate(self._samples):
            last = self._first[row + 1] - 1 if row + 1 < len(self._first) else len(places)
            lengths.extend(repeat(per_chunk, max(0, min(last, len(places)) - len(lengths))))
        del places[len(lengths) :]
        extra = sum(lengths) - samples
        if lengths and 0 < extra < lengths[-1]:
            lengths[-1] -= extra
        return places, lengths

    def window(
        self, first: int, end: int, sizes_of: Callable[[int, int], array[int]]
    ) -> tuple[array[int], list[tuple[int, int]]]:
        """Return the offsets of samples [first, end), and the descriptions with the sample from which each applies."""
        row = max(bisect_right(self._before, first) - 1, 0)
        into, extra = divmod(first - self._before[row], self._samples[row])
        chunk, count = self._first[row] - 1 + into, end - first + extra
        width = 4 if self._code == "I" else 8
        places = words(self._offsets[chunk * width : (chunk + count) * width], self._code)
        rows = slice(row, row + count)
        edges = [chunk + 1, *self._first[row + 1 : row + count], chunk + 1 + count]
        lengths = list(map(sub, edges[1:], edges))
        held = list(islice(_repeated(self._samples[rows], lengths), len(places)))
        begins = list(accumulate(held, initial=0))
        if begins.pop() < count:
            raise MediaUnreadableError(_DISAGREE)
        ends = list(accumulate(sizes_of(first - extra, end), initial=0))
        # For each sample: the chunk's offset minus the bytes before the chunk, plus the bytes before the sample.
        bases = map(sub, places, map(ends.__getitem__, takewhile(count.__gt__, begins)))
        offsets = array("q", map(add, _repeated(bases, held), ends[:-1]))
        described: list[tuple[int, int]] = []
        if len(set(self._described[rows])) == 1:
            return offsets[extra:], [(0, max(0, self._described[row] - 1))]
        for sample, number in zip(begins, _repeated(self._described[rows], lengths), strict=False):
            if sample < count and (not described or described[-1][1] != max(0, number - 1)):
                described.append((max(0, sample - extra), max(0, number - 1)))
        return offsets[extra:], described


def _repeated(values: Iterable[int], counts: Iterable[int]) -> Iterator[int]:
    """Yield each value as often as its count says."""
    return chain.from_iterable(map(repeat, values, counts))
