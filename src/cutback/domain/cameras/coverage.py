"""Which recording shows which moment of a camera: seams, overlaps, gaps, drift. Pure; docs/cameras.md has the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.wallclock import after, seconds_between

SEAM = timedelta(seconds=10)
"""Recordings that overlap by no more than this follow one another; those that overlap by more contradict."""

ROUNDING = Fraction(1, 500)
"""Seconds that a start or a duration may be off for being written in milliseconds."""


@dataclass(frozen=True, slots=True)
class Take:
    """A piece of a recording: the moments it shows, and where in the recording they lie."""

    recording: CameraRecording
    begins: datetime
    ends: datetime
    start: Fraction
    """Seconds from the recording's time zero."""
    end: Fraction
    pace: Fraction = Fraction(1)
    """Seconds of the recording's own time that pass in a second of the wall clock."""

    def moment(self, seconds: Fraction) -> datetime:
        """What the wall clock showed at `seconds` from the recording's time zero."""
        return after(self.recording.start, seconds / self.pace)


@dataclass(frozen=True, slots=True)
class Hole:
    """Moments of which there is no recording."""

    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> Fraction:
        """How long it is."""
        return seconds_between(self.begins, self.ends)


Stretch: TypeAlias = Take | Hole


@dataclass(frozen=True, slots=True)
class Coverage:
    """A span of a camera, without a moment missing or twice: takes and holes, in order."""

    stretches: tuple[Stretch, ...]
    notes: tuple[str, ...] = ()
    """What a person should know, such as recordings that contradict each other."""

    @property
    def takes(self) -> tuple[Take, ...]:
        """What there is."""
        return tuple(each for each in self.stretches if isinstance(each, Take))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """What there is not."""
        return tuple(each for each in self.stretches if isinstance(each, Hole))


@dataclass(frozen=True, slots=True)
class _Clocked:
    """A recording on the wall clock."""

    recording: CameraRecording
    ends: datetime
    pace: Fraction
    """Seconds of the recording's own time that pass in a second of the wall clock."""


def cover(recordings: Sequence[CameraRecording], start: datetime, end: datetime, *, drift: Fraction) -> Coverage:
    """Lay the span [start, end) out over a camera's recordings.

    `recordings` are those that overlap the span and its neighbours on either side, in any order. `drift` is how far
    the container's clock may stray from the wall's, as a share (0.0005 is 0.5 ms a second).
    """
    clocked = _on_the_clock(sorted(recordings, key=lambda each: (each.start, each.key)), drift)
    inside = [each for each in clocked if each.recording.start < end and each.ends > start]
    marks = {start, end}
    for each in inside:
        marks |= {mark for mark in (each.recording.start, each.ends) if start < mark < end}
    notes: list[str] = []
    owned: list[tuple[datetime, datetime, _Clocked | None]] = []
    for begins, ends in pairwise(sorted(marks)):
        owner = _owner([each for each in inside if each.recording.start <= begins and each.ends >= ends], notes)
        if owned and owned[-1][2] is owner:
            owned[-1] = (owned[-1][0], ends, owner)
        else:
            owned.append((begins, ends, owner))
    stretches = tuple(
        Hole(begins, ends) if owner is None else _take(owner, begins, ends) for begins, ends, owner in owned
    )
    return Coverage(stretches, tuple(dict.fromkeys(notes)))


def _on_the_clock(recordings: list[CameraRecording], drift: Fraction) -> list[_Clocked]:
    """Where each recording ends on the wall clock. One that nearly meets its follower is taken to meet it.

    The newest one has no follower yet. It is taken to run at the pace of the one before, if that met it: a clip of it
    is then the same whether it is asked for before the next recording comes or after.
    """
    made: list[_Clocked] = []
    for number, recording in enumerate(recordings):
        ends, pace = recording.end, Fraction(1)
        later = next((each for each in recordings[number + 1 :] if each.start > recording.start), None)
        if later is not None and recording.duration > 0 and not recording.growing:
            distance = seconds_between(recording.start, later.start)
            if abs(recording.duration - distance) <= _slack(recording, drift):
                ends, pace = later.start, _pace(recording.duration, distance, drift)
        elif later is None and not recording.growing and made and made[-1].ends == recording.start:
            pace = made[-1].pace
            ends = after(recording.start, recording.duration / pace)
        if ends > recording.start:
            made.append(_Clocked(recording, ends, pace))
    return made


def reach(recording: CameraRecording, drift: Fraction) -> datetime:
    """No moment from this one on is the recording's, whatever comes before or after it."""
    slowest = recording.duration / (1 - drift)
    return after(recording.start, max(recording.duration + _slack(recording, drift), slowest))


def _slack(recording: CameraRecording, drift: Fraction) -> Fraction:
    frame = 1 / recording.frame_rate if recording.frame_rate else Fraction(0)
    return max(drift * recording.duration, frame + ROUNDING)


def _pace(duration: Fraction, distance: Fraction, drift: Fraction) -> Fraction:
    """A recording whose clock runs otherwise is read at its pace; one that merely lacks a frame is not stretched."""
    pace = duration / distance
    return pace if abs(pace - 1) <= drift else Fraction(1)


def _take(owner: _Clocked, begins: datetime, ends: datetime) -> Take:
    recording = owner.recording
    start = seconds_between(recording.start, begins) * owner.pace
    end = seconds_between(recording.start, ends) * owner.pace
    return Take(recording, begins, ends, start, end, owner.pace)


def _owner(candidates: list[_Clocked], notes: list[str]) -> _Clocked | None:
    """Who shows a moment that several claim. Candidates come by start."""
    if not candidates:
        return None
    best = candidates[0]
    for other in candidates[1:]:
        common = min(best.ends, other.ends) - other.recording.start
        if common <= SEAM:
            best = other  # its first picture is a keyframe, so that nothing of it need be encoded anew
            continue
        winner = min((best, other), key=_strangeness)
        loser = other if winner is best else best
        notes.append(
            f"{best.recording.key} and {other.recording.key} both claim "
            f"{other.recording.start:%Y-%m-%d %H:%M:%S} UTC and after; {loser.recording.key} is left out there."
        )
        best = winner
    return best


def _strangeness(each: _Clocked) -> timedelta:
    """How far the recording's end lies from when the store got it: a camera with a wrong clock stands out."""
    return abs(each.recording.stored_at - each.ends)


def expected_at(span_end: datetime, known: CameraRecording | None) -> datetime | None:
    """When the footage up to `span_end` should have come, judging by the camera's newest recording.

    A camera brings one recording after the other, of about equal length, each some time after it ended.
    """
    if known is None or known.duration <= 0:
        return None
    behind = max(known.stored_at - known.end, timedelta())
    missing = seconds_between(known.end, span_end)
    whole = max(0, -(-missing // known.duration))
    return after(known.end, whole * known.duration) + behind
