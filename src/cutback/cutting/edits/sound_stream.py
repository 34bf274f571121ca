"""A clip's sound on its way from the decoder to the encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import av

from cutback.cutting.edits import graph


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio track of the clip, as planar floats."""

    rate: int
    """Hz."""
    layout: str
    duration: Fraction
    """Seconds."""
    blocks: Callable[[], Iterator[av.AudioFrame]]
    """Begins to read it; can be called more than once."""

    def filtered(self, *filters: graph.Filter) -> Sound:
        """The same sound through filters that keep its length."""
        blocks = self.blocks

        def changed() -> Iterator[av.AudioFrame]:
            yield from graph.sound_through(blocks(), self.rate, self.layout, filters)

        return replace(self, blocks=changed)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return round(self.duration * self.rate)
