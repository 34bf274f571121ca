"""Finds the footage of a camera span, or says when to look again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeAlias

from cutback.domain.cameras.coverage import Coverage, Hole, cover, expected_at
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.errors import CutbackError, FootageExpiredError, FootageMissingError
from cutback.domain.requests.sources import CameraSpan
from cutback.ports import Catalogue

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(minutes=15)
SHORTEST_PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long clips wait for footage."""

    deadline: timedelta = timedelta(hours=6)
    """How long to wait after the end of the span or after the request, whichever is later."""
    late: timedelta = timedelta(seconds=30)
    """How long after a recording's arrival an earlier one may still arrive."""
    retention: timedelta = timedelta()
    """How long recordings are kept; zero means for ever."""
    drift: Fraction = Fraction(500, 1_000_000)
    """See `coverage.cover`."""


@dataclass(frozen=True, slots=True)
class Found:
    """The footage of the span, as complete as it will ever be."""

    coverage: Coverage


@dataclass(frozen=True, slots=True)
class NotYet:
    """Some footage may still arrive."""

    camera: str
    expected_at: datetime | None
    look_at: datetime
    until: datetime
    """When the clip stops waiting."""
    camera_is_new: bool = False
    """Whether the camera has no recording at all."""


@dataclass(frozen=True, slots=True)
class Never:
    """There is no footage for a clip, and none will arrive."""

    error: CutbackError


Verdict: TypeAlias = Found | NotYet | Never
Refresh: TypeAlias = Callable[[CameraRecording], CameraRecording | None]
"""Examines a recording again that was still being written; returns None if it is gone."""


def locate_footage(
    span: CameraSpan,
    catalogue: Catalogue,
    patience: Patience,
    *,
    asked_at: datetime,
    now: datetime,
    refresh: Refresh | None = None,
) -> Verdict:
    """Look up a span in the catalogue, and decide what to do.

    Raises:
        RecordsUnavailableError: the catalogue does not answer.
        StorageUnavailableError: a recording that is still being written could not be read.
    """
    inside = catalogue.covering(span.camera, span.start, span.end)
    around = catalogue.neighbours(span.camera, span.start, span.end)
    known = {each.key: each for each in (*around, *inside)}
    if refresh is not None:
        for each in list(known.values()):
            if each.growing and each.end < span.end:
                newer = refresh(each)
                known = {key: entry for key, entry in known.items() if key != each.key}
                if newer is not None and newer.camera == span.camera:
                    known[newer.key] = newer
    recordings = sorted(known.values(), key=lambda each: (each.start, each.key))
    coverage = cover(recordings, span.start, span.end, drift=patience.drift)
    return judge_footage(span, coverage, recordings, patience, asked_at=asked_at, now=now)


def judge_footage(
    span: CameraSpan,
    coverage: Coverage,
    recordings: Sequence[CameraRecording],
    patience: Patience,
    *,
    asked_at: datetime,
    now: datetime,
) -> Verdict:
    """Decide whether to cut, to wait or to fail. Pure.

    `recordings` are those that overlap the span and the nearest one on either side, by start.
    """
    if not coverage.takes and patience.retention and span.end <= now - patience.retention:
        return Never(FootageExpiredError(f"Recordings are kept for {_long(patience.retention)}."))
    until = max(span.end, asked_at) + patience.deadline
    open_holes = [hole for hole in coverage.holes if _may_fill(hole, recordings, patience, now)]
    if open_holes and now < until:
        newest = max(recordings, key=lambda each: each.start, default=None)
        expected = expected_at(span.end, newest)
        if expected is None and span.end > now:
            expected = span.end
        expected = None if expected is None else min(expected, until)
        return NotYet(span.camera, expected, min(_look_at(expected, now), until), until, not recordings)
    if not coverage.takes or (coverage.holes and span.gaps == "fail"):
        return Never(FootageMissingError(_what_was_found(span, coverage, recordings)))
    return Found(coverage)


def _may_fill(hole: Hole, recordings: Sequence[CameraRecording], patience: Patience, now: datetime) -> bool:
    """Whether footage for a hole may still arrive; once a later recording has been there for a while, it may not."""
    later = [each for each in recordings if each.start >= hole.ends]
    return not any(each.stored_at <= now - patience.late for each in later)


def _look_at(expected: datetime | None, now: datetime) -> datetime:
    """When to look again, in case no event arrives: when the footage is due, and then at growing intervals."""
    if expected is None:
        return now + SHORTEST_PAUSE * 12
    if expected > now:
        return min(expected + SHORTEST_PAUSE, now + LONGEST_PAUSE)
    return now + min(max((now - expected) / 2, SHORTEST_PAUSE), LONGEST_PAUSE)


def _what_was_found(span: CameraSpan, coverage: Coverage, recordings: Sequence[CameraRecording]) -> str:
    if not recordings:
        return f"The camera {span.camera!r} has no recording near that time."
    if coverage.takes:
        missing = ", ".join(f"{_clock(hole.begins)} to {_clock(hole.ends)}" for hole in coverage.holes[:5])
        return f"This is missing: {missing}."
    before = [each for each in recordings if each.end <= span.start]
    behind = [each for each in recordings if each.start >= span.end]
    found = [f"the previous one ends at {_clock(before[-1].end)} ({before[-1].key})"] if before else []
    found += [f"the next one begins at {_clock(behind[0].start)} ({behind[0].key})"] if behind else []
    return f"Of the camera's recordings, {' and '.join(found)}." if found else ""


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _long(span: timedelta) -> str:
    days, hours = span // timedelta(days=1), span / timedelta(hours=1)
    return f"{days} days" if days > 1 else f"{hours:g} hours"
