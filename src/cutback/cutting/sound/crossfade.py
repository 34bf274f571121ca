"""Mixes sound where one range turns into the next, at equal power: sounds that differ stay as loud as they are."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from math import cos, pi, sin

import av

from cutback.cutting.plan.crossfades import Crossfade


def coming(place: int, samples: int) -> float:
    """Return what a sample of what follows is multiplied with; `place` is its number in the crossfade."""
    return sin(pi / 2 * (place + 0.5) / samples)


def going(place: int, samples: int) -> float:
    """Return what a sample of what was heard before is multiplied with."""
    return cos(pi / 2 * (place + 0.5) / samples)


class Tail:
    """The end of what was heard before a crossfade, in memory."""

    def __init__(self, crossfade: Crossfade, blocks: Iterator[av.AudioFrame], rate: int) -> None:
        """Read the blocks, planar floats from the beginning of the crossfade."""
        self._begin = round(crossfade.start * rate)
        self._samples = round(crossfade.end * rate) - self._begin
        self._columns: list[array[float]] = []
        for block in blocks:
            if not self._columns:
                self._columns = [array("f") for _ in block.planes]
            for column, plane in zip(self._columns, block.planes, strict=True):
                column.frombytes(bytes(plane)[: 4 * block.samples])
        for column in self._columns:
            for place in range(min(len(column), self._samples)):
                column[place] *= going(place, self._samples)

    def mixed_into(self, blocks: Iterator[av.AudioFrame], position: int) -> Iterator[av.AudioFrame]:
        """Yield sound that begins at a sample of the clip, with this tail in it."""
        for block in blocks:
            begin = max(position, self._begin)
            end = min(position + block.samples, self._begin + self._samples)
            if begin < end:
                self._mix(block, begin - position, begin - self._begin, end - begin)
            position += block.samples
            yield block

    def _mix(self, block: av.AudioFrame, at: int, place: int, count: int) -> None:
        block.make_writable()
        gains = array("f", (coming(place + n, self._samples) for n in range(count)))
        for number, plane in enumerate(block.planes):
            samples = array("f", bytes(plane)[: 4 * block.samples])
            tail = self._columns[number][place : place + count] if self._columns else array("f")
            tail.extend([0.0] * (count - len(tail)))
            heard = samples[at : at + count]
            samples[at : at + count] = array("f", (h * g + t for h, g, t in zip(heard, gains, tail, strict=True)))
            data = samples.tobytes()
            plane.update(data + bytes(plane.buffer_size - len(data)))
