"""The moments of a camera: where something happens, found in its recordings' indexes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from cutback.cutting.job import Limits
from cutback.domain.base import iso
from cutback.domain.cameras.moments import AROUND, LEAST_STRENGTH, CameraMoment, find_moments
from cutback.domain.errors import CutbackError, FootageMissingError
from cutback.domain.frame_times import frame_at
from cutback.domain.wallclock import seconds_between
from cutback.lifecycle.activity import activities, activity_lines
from cutback.lifecycle.confirm_moments import confirmed
from cutback.lifecycle.frames import frame_map, frame_picture, version_of
from cutback.lifecycle.turn import Turn, at_once
from cutback.services import Services
from cutback.storage.object_info import ObjectInfo

_POSTER_WIDTH = 640
"""Pixels, if the picture has so many."""
_SMALL_WIDTH = 300
_INSTANT, _JUST_BEFORE = timedelta(microseconds=1), timedelta(milliseconds=1)
"""A recording's end is rounded."""


@dataclass(frozen=True, slots=True)
class FoundMoments:
    """The moments of a span of a camera."""

    moments: tuple[CameraMoment, ...]
    notes: tuple[str, ...]
    """For people: which recordings could not be read, and which moments could not be confirmed."""


def camera_moments(
    services: Services,
    camera: str,
    begins: datetime,
    ends: datetime,
    *,
    least: float = LEAST_STRENGTH,
    confirm: bool = False,
    limits: Limits | None = None,
    stopped: Callable[[], bool] = lambda: False,
    turn: Turn = at_once,
) -> FoundMoments:
    """Return the moments of a camera with peaks in [begins, ends) and at least this strength, by time.

    Nothing is decoded, unless `confirm` is set: then moments in whose pictures nothing moves are dropped. The indexes
    of recordings that were looked into before are not read again.

    Raises:
        SurroundingsError: catalogue or store do not answer.
        StoppedError: `stopped` answered True.
    """
    recordings = services.catalogue.covering(camera, begins - AROUND, ends + AROUND)
    found = activities(services, recordings, limits=limits or services.settings.limits, stopped=stopped, turn=turn)
    lines, notes = [], []
    for recording, each in zip(recordings, found, strict=True):
        if isinstance(each, CutbackError):
            notes.append(f"{recording.key}: {each}")
        else:
            lines += activity_lines(recording, each)
    moments = find_moments(lines, begins, ends, least=least)
    if confirm:
        limits = limits or services.settings.limits
        moments, unconfirmed = confirmed(services, camera, moments, limits=limits, stopped=stopped, turn=turn)
        notes += unconfirmed
    return FoundMoments(tuple(moments), tuple(notes))


def camera_activity(
    services: Services,
    camera: str,
    begins: datetime,
    ends: datetime,
    *,
    limits: Limits | None = None,
    turn: Turn = at_once,
) -> tuple[list[tuple[datetime, dict[str, Any]]], tuple[str, ...]]:
    """Return each recording's start and activity, of those that overlap [begins, ends), and notes.

    Raises:
        SurroundingsError: catalogue or store do not answer.
    """
    recordings = services.catalogue.covering(camera, begins, ends)
    found = activities(services, recordings, limits=limits or services.settings.limits, turn=turn)
    lines, notes = [], []
    for recording, each in zip(recordings, found, strict=True):
        if isinstance(each, CutbackError):
            notes.append(f"{recording.key}: {each}")
        else:
            lines.append((recording.start, each))
    return lines, tuple(notes)


def picture_at(
    services: Services, camera: str, at: datetime, *, limits: Limits, turn: Turn = at_once
) -> tuple[bytes, str]:
    """Return the frame that a camera showed at a moment, as a JPEG of 640 pixels, and its entity tag.

    Raises:
        FootageMissingError: no recording has this moment.
        CutbackError: the recording cannot be read, or takes too long.
    """
    info, _, number = _frame_at(services, camera, at, at + _INSTANT, limits, turn)
    picture = frame_picture(services, info, number, _POSTER_WIDTH, limits=limits, turn=turn)
    return picture, f'"{info.etag.strip(chr(34))}-{number}"'


def keyframe_at(
    services: Services, camera: str, at: datetime, *, limits: Limits, turn: Turn = at_once
) -> tuple[bytes, str]:
    """Return the last keyframe that a camera showed before a moment, as a JPEG of 300 pixels, and its entity tag.

    The moment may be the end of a recording. Only one frame is decoded. Raises like `picture_at`.
    """
    info, found, number = _frame_at(services, camera, at - _JUST_BEFORE, at + _INSTANT, limits, turn)
    place = bisect_right(found["keyframes"], number) - 1
    keyframe = found["keyframes"][place] if place >= 0 else 0
    picture = frame_picture(services, info, keyframe, _SMALL_WIDTH, limits=limits, turn=turn)
    return picture, f'"{info.etag.strip(chr(34))}-{keyframe}-small"'


def _frame_at(
    services: Services, camera: str, begins: datetime, ends: datetime, limits: Limits, turn: Turn
) -> tuple[ObjectInfo, dict[str, Any], int]:
    """Return the version, the frame map and the number of the last frame that a camera showed in [begins, ends)."""
    covering = services.catalogue.covering(camera, begins, ends)
    if not covering:
        raise FootageMissingError(f"{camera} has no recording of {iso(begins)}.")
    recording = covering[-1]
    info = version_of(services, recording.key)
    found = frame_map(services, info, limits=limits, turn=turn)
    at = seconds_between(recording.start, ends - _INSTANT)
    return info, found, frame_at(found["durations"], found["time_scale"], Fraction(found["start"]), at)
