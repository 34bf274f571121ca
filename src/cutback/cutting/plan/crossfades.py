"""Lets ranges overlap where one turns into the next: the end of one is mixed into the beginning of the other. Pure.

The first range ends where the crossfade begins. What it showed from there on, its tail, is mixed into the pictures and
the sound of the range that follows, so that each frame of the crossfade is a frame of that range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cutback.cutting.plan.pieces import Located
from cutback.cutting.plan.plan import rank_at
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import FRAME_TOLERANCE, format_seconds


@dataclass(frozen=True, slots=True)
class Crossfade:
    """Where two ranges overlap."""

    start: Fraction
    """Seconds in cut time."""
    duration: Fraction
    """Seconds."""
    frames: int
    """How many frames of what follows are mixed; 0 without video."""
    tail: tuple[Located, ...]
    """What is shown before, in order: together as long as the crossfade."""

    @property
    def end(self) -> Fraction:
        """Seconds in cut time."""
        return self.start + self.duration

    def share(self, cut: Fraction) -> Fraction:
        """Return how much is seen at a time of what follows, from 0 to 1. It is symmetric: no frame is seen alone."""
        half_a_frame = Fraction(1, 2 * self.frames) if self.frames else Fraction(0)
        return min(max((cut - self.start) / self.duration + half_a_frame, Fraction(0)), Fraction(1))


def overlapped(pieces: Sequence[Located]) -> tuple[list[Located], tuple[Crossfade, ...]]:
    """Shorten the ranges before crossfades by their tails. Returns the ranges, and the crossfades in order.

    Raises:
        EditImpossibleError: a crossfade is longer than what it joins, or it touches a filled gap.
    """
    made: list[Located] = []
    found: list[Crossfade] = []
    for place, (media, source, piece) in enumerate(pieces):
        if piece.crossfade:
            length = piece.crossfade
            frames = _frames_mixed(list(_following(pieces, place)), length)
            start = sum((each.duration for _, _, each in made), Fraction(0)) - length
            if start < (found[-1].end if found else 0):
                raise _too_long(length, "before")
            found.append(Crossfade(start, length, frames, _cut_off(made, length)))
        made.append((media, source, replace(piece, crossfade=Fraction(0))))
    return made, tuple(found)


def spans_shown(pieces: Sequence[Located], crossfades: Sequence[Crossfade]) -> Iterator[Located]:
    """Yield the ranges of footage, each to its end: with the tail that a crossfade shows of it."""
    starting = {crossfade.start: crossfade.tail for crossfade in crossfades}
    due = Fraction(0)
    yield from starting.get(due, ())
    for media, source, piece in pieces:
        due += piece.duration
        tail = list(starting.get(due, ()))
        whole = piece
        if tail and tail[0][1] == source and tail[0][2].start == piece.end:
            rest = tail.pop(0)[2]
            whole = replace(piece, end=rest.end, stop=rest.stop, clamped=rest.clamped)
        if piece.fill is None:
            yield media, source, whole
        yield from tail


def _following(pieces: Sequence[Located], place: int) -> Iterator[Located]:
    yield pieces[place]
    for each in pieces[place + 1 :]:
        if each[2].crossfade:
            return
        yield each


def _frames_mixed(following: Sequence[Located], wanted: Fraction) -> int:
    """Return how many frames of what follows begin within a crossfade; 0 without video."""
    begins, frames = Fraction(0), 0
    for media, _, piece in following:
        if piece.fill is not None:
            raise EditImpossibleError("crossfade: a filled gap cannot be part of it.")
        ends = begins + piece.duration
        if wanted > ends + FRAME_TOLERANCE:
            begins, frames = ends, frames + piece.stop - piece.first
            continue
        track = media.index.video
        if track is None:
            return 0
        stop = piece.stop if wanted >= ends else min(piece.stop, rank_at(track, wanted - begins + piece.start))
        return frames + max(stop - piece.first, 1)
    raise _too_long(wanted, "after")


def _cut_off(made: list[Located], length: Fraction) -> tuple[Located, ...]:
    """Remove the last `length` seconds of what was made, and return them."""
    tail: list[Located] = []
    while length > 0:
        media, source, piece = made.pop()
        if piece.fill is not None:
            raise EditImpossibleError("crossfade: a filled gap cannot be part of it.")
        split = piece.end - length
        if split <= piece.start + FRAME_TOLERANCE:
            tail.append((media, source, piece))
            length -= min(length, piece.duration)
            continue
        track = media.index.video
        stop = piece.stop if track is None else min(piece.stop, rank_at(track, split))
        shown = piece.first if track is None else max(piece.first, rank_at(track, split + 2 * FRAME_TOLERANCE) - 1)
        made.append((media, source, replace(piece, end=split, stop=stop, clamped=False)))
        tail.append((media, source, replace(piece, start=split, first=shown)))
        break
    return tuple(reversed(tail))


def _too_long(wanted: Fraction, where: str) -> EditImpossibleError:
    return EditImpossibleError(f"crossfade: {format_seconds(wanted)} s are longer than what is {where} it in the clip.")
