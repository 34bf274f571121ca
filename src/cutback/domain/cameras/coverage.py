"""Which recording shows which moment of a camera: seams, overlaps, gaps, drift. Pure; docs/cameras.md has the rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.wallclock import after, seconds_between

SEAM = timedelta(seconds=10)
"""Recordings that overlap by up to this many seconds follow one another; those that overlap by more contradict."""

ROUNDING = Fraction(1, 500)
"""Seconds by which a start or a duration may be off because it is rounded to milliseconds."""


@dataclass(frozen=True, slots=True)
class Take:
    """A part of a recording: the moments that it shows, and where in the recording they are."""

    recording: CameraRecording
    begins: datetime
    ends: datetime
    start: Fraction
    """Seconds from the recording's time zero."""
    end: Fraction
    pace: Fraction = Fraction(1)
    """Seconds of the recording's own time per second of the wall clock."""

    def moment(self, seconds: Fraction) -> datetime:
        """What the wall clock showed at `seconds` from the recording's time zero."""
        return after(self.recording.start, seconds / self.pace)


@dataclass(frozen=True, slots=True)
class Hole:
    """A period that no recording covers."""

    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> Fraction:
        """The length in seconds."""
        return seconds_between(self.begins, self.ends)


Stretch: TypeAlias = Take | Hole


@dataclass(frozen=True, slots=True)
class Coverage:
    """A span of a camera as takes and holes, in order; every moment of the span belongs to exactly one of them."""

    stretches: tuple[Stretch, ...]
    notes: tuple[str, ...] = ()
    """Notes for people, such as recordings that contradict each other."""

    @property
    def takes(self) -> tuple[Take, ...]:
        """The covered parts."""
        return tuple(each for each in self.stretches if isinstance(each, Take))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The parts without a recording."""
        return tuple(each for each in self.stretches if isinstance(each, Hole))


@dataclass(frozen=True, slots=True)
class _Clocked:
    """A recording, placed on the wall clock."""

    recording: CameraRecording
    ends: datetime
    pace: Fraction
    """Seconds of the recording's own time per second of the wall clock."""


def cover(recordings: Sequence[CameraRecording], start: datetime, end: datetime, *, drift: Fraction) -> Coverage:
    """Find the recordings that show each moment of the span [start, end) of a camera.

    `recordings` are those that overlap the span and the nearest one on either side, in any order. `drift` is how far
    a container's clock may deviate from the wall clock, as a ratio (0.0005 is 0.5 ms per second).
    """
    clocked = _on_the_clock(sorted(recordings, key=lambda each: (each.start, each.key)), drift)
    inside = [each for each in clocked if each.recording.start < end and each.ends > start]
    marks = {start, end}
    for each in inside:
        marks |= {mark for mark in (each.recording.start, each.ends) if start < mark < end}
    notes: list[str] = []
    owned: list[tuple[datetime, datetime, _Clocked | None]] = []
    coming, candidates = deque(inside), list[_Clocked]()
    for begins, ends in pairwise(sorted(marks)):
        while coming and coming[0].recording.start <= begins:
            candidates.append(coming.popleft())
        candidates = [each for each in candidates if each.ends >= ends]
        owner = _owner(candidates, notes)
        if owned and owned[-1][2] is owner:
            owned[-1] = (owned[-1][0], ends, owner)
        else:
            owned.append((begins, ends, owner))
    stretches = tuple(
        Hole(begins, ends) if owner is None else _take(owner, begins, ends) for begins, ends, owner in owned
    )
    folders = sorted({each.recording.folder for each in stretches if isinstance(each, Take)})
    if len(folders) > 1:
        notes.append(
            f"{len(folders)} folders name this camera: {shown_folders(folders)}. They may be different cameras."
        )
    return Coverage(stretches, tuple(dict.fromkeys(notes)))


def shown_folders(folders: Sequence[str]) -> str:
    """Format folders for people; the store's own folder has no name."""
    return ", ".join(folder or "the top folder" for folder in folders)


def _on_the_clock(recordings: list[CameraRecording], drift: Fraction) -> list[_Clocked]:
    """Compute where each recording ends on the wall clock. One that nearly meets the next one is assumed to meet it.

    The newest recording has no next one yet. If it meets the one before, it is assumed to run at the same pace. A clip
    of it is then the same whether it is requested before the next recording arrives or after.
    """
    made: list[_Clocked] = []
    for number, recording in enumerate(recordings):
        ends, pace = recording.end, Fraction(1)
        behind = (recordings[place] for place in range(number + 1, len(recordings)))
        later = next((each for each in behind if each.start > recording.start), None)
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
    """The latest possible end of the recording, whichever recordings precede or follow it."""
    slowest = recording.duration / (1 - drift)
    return after(recording.start, max(recording.duration + _slack(recording, drift), slowest))


def _slack(recording: CameraRecording, drift: Fraction) -> Fraction:
    frame = 1 / recording.frame_rate if recording.frame_rate else Fraction(0)
    return max(drift * recording.duration, frame + ROUNDING)


def _pace(duration: Fraction, distance: Fraction, drift: Fraction) -> Fraction:
    """Return a recording's pace. A recording that only lacks a frame counts as running at the normal pace."""
    pace = duration / distance
    return pace if abs(pace - 1) <= drift else Fraction(1)


def _take(owner: _Clocked, begins: datetime, ends: datetime) -> Take:
    recording = owner.recording
    start = seconds_between(recording.start, begins) * owner.pace
    end = seconds_between(recording.start, ends) * owner.pace
    return Take(recording, begins, ends, start, end, owner.pace)


def _owner(candidates: list[_Clocked], notes: list[str]) -> _Clocked | None:
    """Choose among recordings that all claim a moment. Candidates are ordered by start."""
    if not candidates:
        return None
    best = candidates[0]
    for other in candidates[1:]:
        common = min(best.ends, other.ends) - other.recording.start
        if common <= SEAM:
            best = other  # its first picture is a keyframe, so nothing of it has to be re-encoded
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
    """The time between the recording's end and its arrival in the store; it is large if the camera's clock is wrong."""
    return abs(each.recording.stored_at - each.ends)


def expected_at(span_end: datetime, known: CameraRecording | None) -> datetime | None:
    """Estimate when the footage up to `span_end` should be in the store, from the camera's newest recording.

    This assumes that recordings are about equally long and arrive a similar time after they end.
    """
    if known is None or known.duration <= 0:
        return None
    behind = max(known.stored_at - known.end, timedelta())
    missing = seconds_between(known.end, span_end)
    whole = max(0, -(-missing // known.duration))
    return after(known.end, whole * known.duration) + behind
