"""A clip as it is played: every finished picture and all of its sound, for formats into which nothing is copied."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from cutback.cutting.chapters import chapters_of
from cutback.cutting.codecs.colours import shows_hdr
from cutback.cutting.codecs.encoder import Shape
from cutback.cutting.cut import Ranges, real_spans
from cutback.cutting.edits.edited_pictures import EditedPictures
from cutback.cutting.edits.pipeline import Pipeline
from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.edits.step import ShownAt
from cutback.cutting.index import Track
from cutback.cutting.job import Facts
from cutback.cutting.outputs.format import Workbench
from cutback.cutting.pictures.chosen import decoded_run
from cutback.cutting.pictures.clock import clock_of
from cutback.cutting.pictures.dynamic_range_notes import all_to_sdr, some_converted
from cutback.cutting.pictures.fill_gap import frames_in, held_picture, period_of
from cutback.cutting.pictures.splice import FINEST
from cutback.cutting.plan.changed_parts import encoded_run
from cutback.cutting.plan.crossfades import overlapped
from cutback.cutting.plan.parts import PlannedRange, plan_parts
from cutback.cutting.plan.pieces import has_pictures, languages
from cutback.cutting.plan.plan import PlannedRun
from cutback.cutting.plan.steps import bytes_of, fed
from cutback.cutting.posters.still import Still, still_with
from cutback.cutting.sound.soundtrack import sound_of
from cutback.cutting.tags import Chapter
from cutback.cutting.turns import turns_of
from cutback.domain.errors import MediaUnreadableError
from cutback.domain.measures import Finished, Point
from cutback.domain.times import FRAME_TOLERANCE


class PlayedPicture(NamedTuple):
    """A finished picture of a clip."""

    still: Still
    """The picture and how to show it: `still.shown(width)` is upright, with square pixels."""
    start: Fraction
    """When it is shown, in seconds of the finished clip."""
    end: Fraction


class _TimedRun(NamedTuple):
    """A run of pictures that are decoded together, or one that fills a gap."""

    part: PlannedRange
    run: PlannedRun | None
    times: tuple[Fraction, ...]
    """When each is shown."""


@dataclass(frozen=True, slots=True)
class _Clip:
    """A clip that is planned."""

    edits: Pipeline
    ranges: Ranges
    parts: tuple[PlannedRange, ...]
    said: list[str]


class PlayedClip:
    """The clip of a job. Pictures are decoded when they are asked for, each time again."""

    def __init__(self, bench: Workbench) -> None:
        """Nothing is opened before it is needed."""
        self._bench = bench
        self._shows_hdr = False
        self._converted: dict[str, None] = {}

    @cached_property
    def _clip(self) -> _Clip:
        job = self._bench.job
        pieces, crossfades = overlapped(self._bench.footage.pieces())
        edits = Pipeline(job, pieces, self._bench.sources, crossfades)
        pieces = edits.pieces
        parts: list[PlannedRange] = []
        if has_pictures(pieces):
            parts = plan_parts(pieces, "exact", copy=False, changed=edits.changed(), retiming=edits.retiming)
        return _Clip(edits, Ranges(pieces, crossfades), tuple(parts), [])

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        if self._clip.edits.retiming is not None:
            return self._clip.edits.retiming.length
        return sum((piece.duration for _, _, piece in self._shown.pieces), Fraction(0))

    @cached_property
    def times(self) -> tuple[Fraction, ...]:
        """When each picture is shown, in seconds; empty without video."""
        return tuple(time for timed in self._runs for time in timed.times)

    def pictures(self, first: int = 0, stop: int | None = None) -> Generator[PlayedPicture, None, None]:
        """Yield the clip's pictures [first, stop), counted from 0. Only what they need is decoded.

        Raises:
            MediaUnreadableError: one cannot be decoded.
            EditImpossibleError: an edit does not fit them.
        """
        if not self._clip.parts:
            return
        stop = len(self.times) if stop is None else min(stop, len(self.times))
        ends = (*self.times[1:], self.duration)
        track = _track(self._clip.parts[0])
        edits = self._clip.edits.pictures()
        turns = turns_of(edits.matrix(track))
        shape = Shape(track, self._timescale, beside_copies=False, limit=self._bench.job.limits.memory)
        number = 0
        for timed in self._runs:
            begin, end = max(0, first - number), min(len(timed.times), stop - number)
            number += len(timed.times)
            if begin >= end:
                continue
            wanted = _TimedRun(timed.part, _part_of(timed.run, begin, end), timed.times[begin:end])
            at = number - len(timed.times) + begin
            for still in self._decoded(wanted, edits, shape, turns):
                self._shows_hdr = self._shows_hdr or shows_hdr(still.picture.frame)
                yield PlayedPicture(still, self.times[at], ends[at])
                at += 1
            if at != number - len(timed.times) + end:
                raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")
        self._clip.said[:] = edits.said
        self._converted = shape.converted

    def _decoded(
        self, timed: _TimedRun, edits: EditedPictures, shape: Shape, turns: tuple[tuple[str, str | None], ...]
    ) -> Iterator[Still]:
        track = _track(timed.part)
        if timed.run is None:
            held = held_picture(timed.part, shape, edits)
            pixels = edits.shape_of_pixels(track, held)
            for _ in timed.times:
                yield still_with(held, pixels, turns)
            return
        shown = None
        if edits.depend_on_time:
            cuts = timed.run.shown
            shown = [edits.shown_at(time) for time in timed.times]
            if cuts is not None:
                shown = [ShownAt(time, frame.cut) for time, frame in zip(timed.times, cuts, strict=True)]
        for picture in edits.changed(track, decoded_run(timed.part.media, track, timed.run), shown, shape.fit):
            fitted = replace(picture, frame=shape.fit(picture.frame))
            yield still_with(fitted, edits.shape_of_pixels(track, picture), turns)

    def bytes_read(self, first: int, stop: int) -> int:
        """Return how many bytes are read for the pictures [first, stop)."""
        number = size = 0
        for timed in self._runs:
            begin, end = max(0, first - number), min(len(timed.times), stop - number)
            number += len(timed.times)
            run = _part_of(timed.run, begin, end) if begin < end else None
            if run is not None:
                track = _track(timed.part)
                wanted = encoded_run(track, run.first, run.end, run.reason) if run.shown is None else run
                size += bytes_of(track, fed(track, wanted))
        return size

    @property
    def poster(self) -> int | None:
        """The number of the picture that an edit makes the clip's poster; None if none does."""
        at = self._clip.edits.poster
        return None if at is None else max(0, bisect_right(self.times, at + FRAME_TOLERANCE) - 1)

    def number_at(self, point: Point) -> int:
        """Return the number of the picture that is shown at a point of the clip.

        Raises:
            EditImpossibleError: the point is not within the clip.
        """
        edits = self._clip.edits
        finished = edits.finished(edits.time.cut(point, "at", edits.retiming))
        backwards = edits.retiming is not None and edits.retiming.backwards
        if backwards and not isinstance(point, Finished):  # what begins there in cut time ends there
            return max(0, bisect_left(self.times, finished - FRAME_TOLERANCE) - 1)
        return max(0, bisect_right(self.times, finished + FRAME_TOLERANCE) - 1)

    @property
    def _timescale(self) -> int:
        scale = _track(self._clip.parts[0]).timescale
        return scale * -(-FINEST // scale)

    @cached_property
    def _runs(self) -> tuple[_TimedRun, ...]:
        """The same times as in `splice`."""
        retiming, base, runs = self._clip.edits.retiming, Fraction(0), []
        parts = self._clip.parts
        for part in reversed(parts) if retiming is not None and retiming.backwards else parts:
            if part.piece.fill is not None:
                fills = [base + number * period_of(part) for number in range(frames_in(part))]
                finished = [time if retiming is None else retiming.finished(time) for time in fills]
                runs.append(_TimedRun(part, None, tuple(finished)))
            else:
                runs += self._of_part(part, base)
            base += part.piece.duration
        return tuple(runs)

    def _of_part(self, part: PlannedRange, base: Fraction) -> Iterator[_TimedRun]:
        track, retiming, timescale = _track(part), self._clip.edits.retiming, self._timescale
        clock = clock_of(track, base - part.piece.start, timescale, retiming)
        first_shown = track.pts[track.order[part.piece.first]]
        if track.seconds(first_shown) < part.piece.start:  # the previous picture is still shown
            begins = base if retiming is None else retiming.finished(base)
            clock.hold(first_shown, round(begins * timescale))
        for run in part.runs:
            if run.shown is None:
                ticks = [clock.ticks(track.pts[n]) for n in track.order[run.first : run.end]]
            else:
                ticks = [round(frame.at * timescale) for frame in run.shown]
            yield _TimedRun(part, run, tuple(Fraction(tick, timescale) for tick in ticks))

    def sound(self) -> Sound | None:
        """Return the first audio track of the clip, edited; None if it has none.

        Raises:
            EditImpossibleError: an edit cannot be done to it.
        """
        edits, said, (pieces, crossfades) = self._clip.edits, self._clip.said, self._shown
        heard = edits.heard(languages(pieces))
        if edits.silent(said) or edits.replaces_sound or not heard:
            added = edits.added_sound(self.duration)
            return None if added is None else edits.sound(added, said, added=True)
        sound = sound_of([(media, piece) for media, _, piece in pieces], heard[0], crossfades)
        if sound is None or not edits.change_sound:
            return sound
        return edits.sound(sound, said)

    @property
    def _shown(self) -> Ranges:
        """The ranges as they are planned."""
        pieces, crossfades = self._clip.ranges
        return Ranges([(part.media, part.source, part.piece) for part in self._clip.parts] or pieces, crossfades)

    def chapters(self, notes: list[str]) -> list[Chapter]:
        """Return its chapters. Raises and adds notes like `chapters_of`."""
        return chapters_of(self._shown.pieces, self._bench.job, self._clip.edits.retiming, notes)

    def facts(self, *, size: int, width: int = 0, height: int = 0, frames: int = 0, drawn_as: str = "") -> Facts:
        """Return the facts about an output of `size` bytes with so many pictures of that size.

        `drawn_as` is what its pictures were drawn as, for people.
        """
        said = [*self._clip.said, *self._clip.edits.described()]
        notes = [note for media, _, _ in self._clip.ranges.pieces for note in media.index.notes]
        notes += [all_to_sdr(drawn_as)] if self._shows_hdr else map(some_converted, self._converted)
        return Facts(
            size=size,
            duration=self.duration,
            width=width,
            height=height,
            frames=frames,
            frames_copied=0,
            frames_encoded=frames,
            spans=real_spans(self._shown),
            notes=tuple(dict.fromkeys(notes)),
            edits=tuple(dict.fromkeys(said)),
        )


def _part_of(run: PlannedRun | None, begin: int, end: int) -> PlannedRun | None:
    """Return the pictures [begin, end) of a run."""
    if run is None or (begin, end) == (0, len(run)):
        return run
    if run.shown is None:
        return replace(run, first=run.first + begin, end=run.first + end)
    if run.backwards:  # all frames are decoded, from the last one to the first
        return replace(run, first=run.end - end, end=run.end - begin, shown=run.shown[begin:end])
    return replace(run, shown=run.shown[begin:end])


def _track(part: PlannedRange) -> Track:
    track = part.media.index.video
    assert track is not None
    return track
