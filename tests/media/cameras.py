"""Cameras for tests: consecutive recordings whose frames show their moment, and the expected frames of a clip.

A frame's number says to which recording it belongs and its position there; with the recording's start and the camera's
pace, that gives its wall-clock time. The expected frames are found one by one, not by ranges as Cutback does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from tests.support.media import MediaSpec, cached_media

from cutback.domain.cameras.recording import CameraRecording

T0 = datetime(2026, 6, 21, 10, 0, tzinfo=UTC)
FILE = 1000
"""Numbers that each recording has to itself."""
NEAR = Fraction(1, 1000)
"""A time within this of a frame's is that frame's."""


@dataclass(frozen=True)
class Part:
    """One recording of a camera: frames, and when it begins, in seconds after `T0`."""

    frames: int
    start: Fraction
    pace: Fraction = Fraction(1)
    """Seconds of the recording's own time in a second of the wall clock."""


@dataclass(frozen=True)
class Shot:
    """A frame: when the camera saw it, in seconds after `T0`, and the number in its picture."""

    moment: Fraction
    number: int


@dataclass(frozen=True)
class Camera:
    """A camera's recordings, and the same as the catalogue knows them."""

    spec: MediaSpec
    parts: tuple[Part, ...]
    paths: tuple[Path, ...]

    @property
    def recordings(self) -> list[CameraRecording]:
        """By start."""
        return [
            CameraRecording(
                key=f"camera/{number}{self.spec.suffix}",
                etag=f"e{number}",
                size=path.stat().st_size,
                camera="camera",
                start=T0 + timedelta(microseconds=int(part.start * 1_000_000)),
                duration=part.frames / self.spec.fps,
                stored_at=T0 + timedelta(seconds=float(part.start) + part.frames / float(self.spec.fps) + 1),
                frame_rate=self.spec.fps,
            )
            for number, (part, path) in enumerate(zip(self.parts, self.paths, strict=True))
        ]

    def shots(self, number: int) -> list[Shot]:
        """Every frame of a recording."""
        part = self.parts[number]
        return [Shot(part.start + n / self.spec.fps / part.pace, FILE * (number + 1) + n) for n in range(part.frames)]

    def end(self, number: int) -> Fraction:
        """When a recording ends, by the wall clock."""
        part = self.parts[number]
        return part.start + part.frames / self.spec.fps / part.pace

    def shown(self, start: Fraction, end: Fraction) -> list[Shot]:
        """The frames that a span must show: of each moment, those of the recording that began last."""
        made = []
        for number in range(len(self.parts)):
            later = [
                (self.parts[other].start, self.end(other))
                for other in range(len(self.parts))
                if self.parts[other].start > self.parts[number].start
            ]
            for shot in self.shots(number):
                at = shot.moment + NEAR
                if start <= at < end + NEAR and shot.moment < end - NEAR and not any(a <= at < b for a, b in later):
                    made.append(shot)
        return sorted(made, key=lambda shot: shot.moment)


def make_camera(spec: MediaSpec, parts: Sequence[Part], folder: Path) -> Camera:
    """Generate a camera's recordings."""
    paths = tuple(
        cached_media(dataclasses.replace(spec, frames=part.frames, first_counter=FILE * (number + 1)), folder)
        for number, part in enumerate(parts)
    )
    return Camera(spec, tuple(parts), paths)
