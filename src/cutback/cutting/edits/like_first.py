"""Makes the pictures of recordings that differ in size, shape of pixels or orientation like those of the first one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.graph import PictureGraph, with_named_colours
from cutback.cutting.edits.shape_chain import ShapeChain, even
from cutback.cutting.turns import Turn, sideways, undone

_SAME = 2
"""Pixels by which a scaled picture may be smaller than the clip's: bars as thin as that would be rounding."""


@dataclass(frozen=True, slots=True)
class CodedShape:
    """How pictures are coded: their size, the shape of their pixels, and what makes them upright."""

    width: int
    height: int
    aspect: Fraction
    """Width of a pixel divided by its height."""
    turns: tuple[Turn, ...]


@dataclass(slots=True)
class LikeFirst:
    """Scales pictures into the size of the clip. Where their shape differs, they are between black bars."""

    target: CodedShape
    aspect: Fraction | None
    """The shape of pixels as the first recording says it; None if it does not."""
    said: dict[str, None] = field(default_factory=dict)
    """What was done, for the record."""

    def fitted(
        self, pictures: Iterator[Picture], aspect: Fraction | None, turns: tuple[Turn, ...]
    ) -> Iterator[Picture]:
        """Yield pictures like those of the clip.

        `aspect` is the shape of their pixels if they do not say it themselves; `turns` make them upright.
        """
        graph: PictureGraph | None = None
        seen: CodedShape | None = None
        for picture in pictures:
            frame = picture.frame
            own = CodedShape(frame.width, frame.height, picture.aspect or aspect or Fraction(1), turns)
            if own == self.target:
                yield replace(picture, aspect=self.aspect)
                continue
            if graph is None or own != seen or not graph.takes(frame):
                chain, seen = self._chain(own), own
                graph = PictureGraph(frame, chain.filters)
            shown = with_named_colours(frame, graph.apply(frame)) if chain.filters else frame
            yield replace(picture, frame=shown, aspect=self.aspect)

    def _chain(self, own: CodedShape) -> ShapeChain:
        """Return what makes a picture like those of the clip."""
        target = self.target
        back = tuple(undone(turn) for turn in reversed(target.turns))
        canvas = ShapeChain(own.width, own.height)
        if own.turns != target.turns:
            canvas = canvas.turned((*own.turns, *back))
        across = sideways(own.turns) != sideways(target.turns)
        wide = canvas.width * (1 / own.aspect if across else own.aspect) / target.aspect
        grow = min(target.width / wide, Fraction(target.height, canvas.height))
        width, height = max(2, even(wide * grow)), max(2, even(canvas.height * grow))
        bars = target.width - width > _SAME or target.height - height > _SAME
        if not bars:
            width, height = target.width, target.height
        before = f"{own.width}×{own.height}"
        if own.aspect != target.aspect:
            before += f" with pixels of {own.aspect.numerator}:{own.aspect.denominator}"
        if (width, height) != (canvas.width, canvas.height):
            canvas = canvas.scaled(width, height)
        if bars:
            canvas = canvas.padded(target.width, target.height)
        if canvas.filters:
            done = ["turned"] if own.turns != target.turns else []
            if (own.width, own.height) != (target.width, target.height) or bars:
                done.append(f"scaled to {target.width}×{target.height}")
            self.said[f"Pictures of {before} are {' and '.join(done)}{', with black bars' if bars else ''}."] = None
        return canvas
