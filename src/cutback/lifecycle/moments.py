"""The moments of a camera: where something happens, found in its recordings' indexes."""

from __future__ import annotations

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
from cutback.lifecycle.frames import frame_map, frame_picture, version_of
from cutback.services import Services

_POSTER_WIDTH = 640
"""Pixels, if the picture has so many."""


@dataclass(frozen=True, slots=True)
class FoundMoments:
    """The moments of a span of a camera."""

    moments: tuple[CameraMoment, ...]
    notes: tuple[str, ...]
    """For people: which recordings could not be read."""


def camera_moments(
    services: Services,
    camera: str,
    begins: datetime,
    ends: datetime,
    *,
    least: float = LEAST_STRENGTH,
    limits: Limits | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> FoundMoments:
    """Return the moments of a camera with peaks in [begins, ends) and at least this strength, by time.

    Nothing is decoded. The indexes of recordings that were looked into before are not read again.

    Raises:
        SurroundingsError: catalogue or store do not answer.
        StoppedError: `stopped` answered True.
    """
    recordings = services.catalogue.covering(camera, begins - AROUND, ends + AROUND)
    found = activities(services, recordings, limits=limits or services.settings.limits, stopped=stopped)
    lines, notes = [], []
    for recording, each in zip(recordings, found, strict=True):
        if isinstance(each, CutbackError):
            notes.append(f"{recording.key}: {each}")
        else:
            lines += activity_lines(recording, each)
    return FoundMoments(tuple(find_moments(lines, begins, ends, least=least)), tuple(notes))


def camera_activity(
    services: Services,
    camera: str,
    begins: datetime,
    ends: datetime,
    *,
    limits: Limits | None = None,
) -> tuple[list[tuple[datetime, dict[str, Any]]], tuple[str, ...]]:
    """Return each recording's start and activity, of those that overlap [begins, ends), and notes.

    Raises:
        SurroundingsError: catalogue or store do not answer.
    """
    recordings = services.catalogue.covering(camera, begins, ends)
    found = activities(services, recordings, limits=limits or services.settings.limits)
    lines, notes = [], []
    for recording, each in zip(recordings, found, strict=True):
        if isinstance(each, CutbackError):
            notes.append(f"{recording.key}: {each}")
        else:
            lines.append((recording.start, each))
    return lines, tuple(notes)


def picture_at(services: Services, camera: str, at: datetime, *, limits: Limits) -> tuple[bytes, str]:
    """Return the frame that a camera showed at a moment, as a JPEG of 640 pixels, and its entity tag.

    Raises:
        FootageMissingError: no recording has this moment.
        CutbackError: the recording cannot be read, or takes too long.
    """
    covering = services.catalogue.covering(camera, at, at + timedelta(microseconds=1))
    if not covering:
        raise FootageMissingError(f"{camera} has no recording of {iso(at)}.")
    recording = covering[-1]
    info = version_of(services, recording.key)
    found = frame_map(services, info, limits=limits)
    number = frame_at(
        found["durations"], found["time_scale"], Fraction(found["start"]), seconds_between(recording.start, at)
    )
    picture = frame_picture(services, info, number, _POSTER_WIDTH, limits=limits)
    return picture, f'"{info.etag.strip(chr(34))}-{number}"'
