"""The clip's time: where points of a request are in it, and when frames were recorded. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from cutback.cutting.job import CutJob
from cutback.cutting.plan.pieces import Located
from cutback.cutting.plan.retiming import Retiming
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import AtMoment, Finished, Point
from cutback.domain.times import FRAME_TOLERANCE, FromEnd, format_seconds


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A range of the clip, in cut time, and on the wall clock if that is known."""

    start: Fraction
    end: Fraction
    epoch: Fraction | None
    """Seconds since 1970 at its start."""
    pace: Fraction
    """Seconds of cut time per second of the wall clock."""
    camera: str


class ClipTime:
    """The joined ranges of a clip."""

    def __init__(self, pieces: Sequence[Located], job: CutJob) -> None:
        """`pieces` are the ranges as they were found in the recordings."""
        self._stretches: list[_Stretch] = []
        at = Fraction(0)
        for _, source, piece in pieces:
            epoch, pace, camera = None, Fraction(1), ""
            clock = job.wall_clock(source)
            if piece.fill is not None:
                before = self._stretches[-1] if self._stretches else None
                if before is not None and before.epoch is not None:
                    epoch = before.epoch + (before.end - before.start) / before.pace
                    camera = before.camera
            elif clock is not None:
                pace, camera = clock.pace, clock.camera
                epoch = clock.epoch + piece.start / pace
            self._stretches.append(_Stretch(at, at + piece.duration, epoch, pace, camera))
            at += piece.duration
        self.duration = at
        """Seconds in cut time."""

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras of the clip, each once."""
        return tuple(dict.fromkeys(stretch.camera for stretch in self._stretches if stretch.camera))

    @property
    def is_known(self) -> bool:
        """Whether all of the clip is known to be recorded at a certain time."""
        return all(stretch.epoch is not None for stretch in self._stretches)

    def moment(self, cut: Fraction) -> tuple[Fraction, str] | None:
        """Return the seconds since 1970 at a time in cut time, and the camera; None if they are not known."""
        place = bisect_right(self._stretches, cut + FRAME_TOLERANCE, key=lambda stretch: stretch.start) - 1
        stretch = self._stretches[max(0, place)]
        if stretch.epoch is None:
            return None
        return stretch.epoch + (cut - stretch.start) / stretch.pace, stretch.camera

    @property
    def recorded_seconds(self) -> int:
        """How often a camera's clock goes on by a second, or jumps."""
        known = (stretch for stretch in self._stretches if stretch.epoch is not None)
        return sum(1 + ceil((stretch.end - stretch.start) / stretch.pace) for stretch in known)

    def full_seconds(self) -> Iterator[Fraction]:
        """Yield the times in cut time at which a camera's clock goes on by a second, or jumps."""
        for stretch in self._stretches:
            if stretch.epoch is None:
                continue
            yield stretch.start
            seconds = (stretch.end - stretch.start) / stretch.pace
            for second in range(ceil(stretch.epoch), ceil(stretch.epoch + seconds)):
                yield stretch.start + (second - stretch.epoch) * stretch.pace

    def cut(self, point: Point, edit: str, retiming: Retiming | None = None) -> Fraction:
        """Return a point in cut time.

        Raises:
            EditImpossibleError: it is not within the clip; `edit` names the edit.
        """
        match point:
            case Finished():
                found = point.seconds if retiming is None else retiming.cut(point.seconds)
                words = f"{format_seconds(point.seconds)} s of the finished clip"
            case FromEnd():
                found, words = self.duration - point.seconds, f"{format_seconds(point.seconds)} s before its end"
            case AtMoment():
                found, words = self._at(point.epoch, edit), "a moment"
            case _:
                found, words = point, f"{format_seconds(point)} s"
        if not 0 <= found <= self.duration + FRAME_TOLERANCE:
            raise EditImpossibleError(
                f"{edit}: {words} is not within the clip, which has {format_seconds(self.duration, 3)} s before edits."
            )
        return min(found, self.duration)

    def _at(self, epoch: Fraction, edit: str) -> Fraction:
        known = [stretch for stretch in self._stretches if stretch.epoch is not None]
        if not known:
            raise EditImpossibleError(f"{edit}: a moment needs a source that names a camera.")
        for stretch in known:
            assert stretch.epoch is not None
            since = (epoch - stretch.epoch) * stretch.pace
            if since < 0:
                # In time that the clip leaves out, the next frame is meant; before the clip, nothing is.
                return stretch.start if stretch is not known[0] else since
            if since <= stretch.end - stretch.start:
                return stretch.start + since
        return self.duration + 1
