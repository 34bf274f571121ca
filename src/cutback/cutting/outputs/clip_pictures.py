"""The pictures of a clip as they are shown, after all edits, for outputs that are no videos."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from cutback.cutting.codecs.encoder import Shape
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.pipeline import Pipeline
from cutback.cutting.index import Track
from cutback.cutting.job import ByteSource, CutJob, RealSpan
from cutback.cutting.pictures.chosen import decoded_run
from cutback.cutting.pictures.clock import ClipClock, clock_of
from cutback.cutting.pictures.fill_gap import frames_in, period_of, picture_of_gap
from cutback.cutting.pictures.splice import FINEST, shown_times
from cutback.cutting.plan.changed_parts import encoded_run
from cutback.cutting.plan.crossfades import overlapped, spans_shown
from cutback.cutting.plan.parts import PlannedRange, plan_parts
from cutback.cutting.plan.pieces import Located, has_pictures
from cutback.cutting.plan.plan import PlannedRun
from cutback.cutting.posters.still import Still, shown_as
from cutback.cutting.turns import shape_of_pixels, turns_of
from cutback.domain.errors import MediaUnreadableError, MediaUnsupportedError
from cutback.domain.measures import Point
from cutback.domain.times import FRAME_TOLERANCE

_AROUND = 16
"""Frames on either side of one that edits may compare it with."""


class Shown(NamedTuple):
    """A picture of the clip."""

    number: int
    """Its place among all of them."""
    still: Still


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Pictures that are decoded together, or those of a gap."""

    part: PlannedRange
    run: PlannedRun | None
    """None: a gap."""
    times: tuple[int, ...]
    """When they are shown, in ticks."""


class ClipPictures:
    """The pictures of the ranges of a job, edited."""

    def __init__(self, job: CutJob, located: list[Located], sources: Sequence[ByteSource]) -> None:
        """`located` are the ranges as they were found in the recordings.

        Raises:
            MediaUnsupportedError: they have no pictures.
            EditImpossibleError: an edit does not fit the clip.
        """
        pieces, crossfades = overlapped(located)
        if not has_pictures(pieces):
            raise MediaUnsupportedError("It has no pictures.")
        self._edits = Pipeline(job, pieces, sources, crossfades)
        self._parts = plan_parts(
            self._edits.pieces, "exact", copy=False, changed=self._edits.changed(), retiming=self._edits.retiming
        )
        first = self._parts[0].media.index.video
        assert first is not None
        self._track = first
        self._changing = self._edits.pictures()
        self._matrix = self._changing.matrix(first)
        self._shape = Shape(first, self._scale, beside_copies=False, limit=job.limits.memory)
        self._stretches = list(self._laid_out())
        self._crossfades = crossfades

    @property
    def _scale(self) -> int:
        return self._track.timescale * -(-FINEST // self._track.timescale)

    @property
    def length(self) -> Fraction:
        """Seconds of the finished clip."""
        return self._edits.length

    @property
    def times(self) -> list[Fraction]:
        """When each picture begins, in seconds of the finished clip."""
        return [Fraction(ticks, self._scale) for stretch in self._stretches for ticks in stretch.times]

    @property
    def spans(self) -> tuple[RealSpan, ...]:
        """What is cut from the recordings."""
        pieces = [(part.media, part.source, part.piece) for part in self._parts]
        shown = spans_shown(pieces, self._crossfades)
        return tuple(RealSpan(source, piece.start, piece.end, piece.clamped) for _, source, piece in shown)

    def said(self) -> tuple[str, ...]:
        """Say what the edits did. Complete only when the pictures were made."""
        return tuple(dict.fromkeys((*self._changing.said, *self._edits.described())))

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes about the recordings, for people."""
        return tuple(dict.fromkeys(note for part in self._parts for note in part.media.index.notes))

    def number_at(self, point: Point) -> int:
        """Return the number of the picture that is shown at a point of the clip.

        Raises:
            EditImpossibleError: the point is not within the clip.
        """
        finished = self._edits.finished(self._edits.time.cut(point, "at", self._edits.retiming))
        return max(0, bisect_right(self.times, finished + FRAME_TOLERANCE) - 1)

    def all(self) -> Iterator[Shown]:
        """Yield all pictures, in order.

        Raises:
            MediaUnreadableError: one cannot be decoded.
        """
        number = 0
        for stretch in self._stretches:
            for picture in self._made(stretch):
                yield Shown(number, self._still(picture))
                number += 1

    def one(self, number: int) -> Still:
        """Return one picture; as little as possible is decoded. Raises like `all`."""
        for stretch in self._stretches:
            if number < len(stretch.times):
                narrow, place = _narrowed(stretch, number)
                for at, picture in enumerate(self._made(narrow)):
                    if at == place:
                        return self._still(picture)
            number -= len(stretch.times)
        raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")

    def _laid_out(self) -> Iterator[_Stretch]:
        base = Fraction(0)
        edits = self._edits
        backwards = edits.retiming is not None and edits.retiming.backwards
        for part in reversed(self._parts) if backwards else self._parts:
            if part.piece.fill is not None:
                count, period = frames_in(part), period_of(part)
                finished = (edits.finished(base + number * period) for number in range(count))
                yield _Stretch(part, None, tuple(round(at * self._scale) for at in finished))
            else:
                track = _track_of(part)
                clock = self._clock(part, track, base)
                for run in part.runs:
                    if run.shown is None:
                        times = tuple(clock.ticks(track.pts[n]) for n in track.order[run.first : run.end])
                    else:
                        times = tuple(round(frame.at * self._scale) for frame in run.shown)
                    yield _Stretch(part, run, times)
            base += part.piece.duration

    def _clock(self, part: PlannedRange, track: Track, base: Fraction) -> ClipClock:
        clock = clock_of(track, base - part.piece.start, self._scale, self._edits.retiming)
        first = track.pts[track.order[part.piece.first]]
        if track.seconds(first) < part.piece.start:  # the previous picture is still shown
            clock.hold(first, round(self._edits.finished(base) * self._scale))
        return clock

    def _made(self, stretch: _Stretch) -> Iterator[Picture]:
        if not stretch.times:
            return
        if stretch.run is None:
            picture = picture_of_gap(stretch.part, self._shape, self._changing)
            for _ in stretch.times:
                yield picture
            return
        track = _track_of(stretch.part)
        seconds = [Fraction(ticks, self._scale) for ticks in stretch.times]
        shown = shown_times(stretch.run, seconds, self._changing)
        decoded = decoded_run(stretch.part.media, track, stretch.run)
        count = 0
        for picture in self._changing.changed(track, decoded, shown, self._shape.fit):
            count += 1
            yield replace(picture, frame=self._shape.fit(picture.frame))
        if count != len(stretch.times):
            raise MediaUnreadableError(f"{count} pictures could be decoded instead of {len(stretch.times)}.")

    def _still(self, picture: Picture) -> Still:
        if self._changing.shapes:
            return shown_as(picture, Fraction(1), ())
        frame = picture.frame
        aspect = picture.aspect or shape_of_pixels(self._track, frame.width, frame.height)
        return shown_as(picture, Fraction(aspect), turns_of(self._matrix))


def _narrowed(stretch: _Stretch, number: int) -> tuple[_Stretch, int]:
    """Return a stretch with few pictures around one of them, and its new number."""
    run = stretch.run
    if run is None:
        return replace(stretch, times=stretch.times[number : number + 1]), 0
    low, high = max(0, number - _AROUND), min(len(stretch.times), number + _AROUND + 1)
    if run.shown is None:
        few = encoded_run(_track_of(stretch.part), run.first + low, run.first + high, run.reason)
    else:
        shown = run.shown[low:high]
        ranks = [frame.rank for frame in shown]
        stop = max(ranks) + 1 if run.backwards else min(run.end, max(ranks) + 2)
        few = replace(run, first=min(ranks), end=stop, shown=shown)
    return _Stretch(stretch.part, few, stretch.times[low:high]), number - low


def _track_of(part: PlannedRange) -> Track:
    track = part.media.index.video
    assert track is not None
    return track
