"""Finds the edits of a shape that change nothing, so that no picture is re-encoded for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from cutback.cutting.edit_value import Edit
from cutback.cutting.edits.shape_chain import upright
from cutback.cutting.edits.step import EditStep
from cutback.cutting.index import Track
from cutback.cutting.plan.pieces import Located, first_pictures, of_each_kind
from cutback.cutting.turns import shape_of_pixels, turns_of
from cutback.domain.errors import EditImpossibleError

Steps = Sequence[tuple[Edit, EditStep[Any]]]


def keeping_shape(steps: Steps, pieces: Sequence[Located]) -> dict[Edit, str]:
    """Return the edits that leave all pictures as large and as upright as they are, and what they say.

    Decodes the first picture of each kind of recording, if their descriptions do not rule it out.
    """
    shaping = [(edit, step) for edit, step in steps if step.shapes(edit)]
    if not shaping or any(step.moves(edit) for edit, step in shaping):
        return {}
    kinds = of_each_kind(pieces)
    tracks = [track for media, _, _ in kinds if (track := media.index.video)]
    try:
        kept = _in_all(
            _keeping(shaping, track, entry.width, entry.height, None)
            for track in tracks
            for entry in track.descriptions
        )
        if not kept:
            return {}
        return _in_all(
            _keeping(shaping, track, each.frame.width, each.frame.height, each.aspect)
            for track, pictures in zip(tracks, first_pictures(kinds, 1), strict=True)
            for each in pictures
        )
    except EditImpossibleError:
        return {}  # the pictures themselves show whether it is


def _keeping(shaping: Steps, track: Track, width: int, height: int, aspect: Fraction | None) -> dict[Edit, str]:
    """Return those that keep the shape of pictures of this size. What is not square must become so."""
    square = Fraction(aspect or shape_of_pixels(track, width, height))
    canvas = upright(width, height, square, turns_of(track.matrix))
    found: dict[Edit, str] = {}
    for edit, step in shaping:
        before, said = canvas, list[str]()
        canvas = step.shape(edit, before, said)
        if canvas.filters == before.filters and square == 1:
            found[edit] = ", ".join(said)
    return found


def _in_all(found: Iterator[dict[Edit, str]]) -> dict[Edit, str]:
    kept = next(found, {})
    for each in found:
        kept = {edit: words for edit, words in kept.items() if edit in each}
    return kept
