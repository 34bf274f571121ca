"""Cameras, recordings and coverage as the API shows them. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote

from cutback.domain.base import iso
from cutback.domain.cameras.coverage import Coverage
from cutback.domain.cameras.recording import Camera, CameraRecording

_INTERNAL = {"index", "evidence", "rules", "sequencer"}
"""Fields that only the catalogue needs."""


def show_camera(camera: Camera, zone: tzinfo, api: str) -> dict[str, Any]:
    """Return a camera for users. `api` is where the API is."""
    name = quote(camera.name, safe="")
    return {
        "name": camera.name,
        "recordings": camera.recordings,
        "first": iso(camera.first),
        "last": iso(camera.last),
        "time_zone": str(zone),
        "folders": list(camera.folders),
        "links": {"recordings": f"{api}/v1/recordings?camera={name}", "clips": f"{api}/v1/clips?camera={name}"},
    }


def show_recording(recording: CameraRecording, api: str) -> dict[str, Any]:
    """Return a recording for users. `api` is where the API is."""
    shown = recording.model_dump(mode="json", exclude=_INTERNAL)
    return {**shown, "end": iso(recording.end), "self": f"{api}/v1/recordings/{quote(recording.key, safe='/')}"}


def show_coverage(camera: str, start: datetime, end: datetime, coverage: Coverage) -> dict[str, Any]:
    """Return the covered periods and the gaps of a span for users. Recordings that meet are one period."""
    periods: list[tuple[datetime, datetime]] = []
    for take in coverage.takes:
        if periods and periods[-1][1] == take.begins:
            periods[-1] = periods[-1][0], take.ends
        else:
            periods.append((take.begins, take.ends))
    growing = [each for each in coverage.takes if each.recording.growing]
    return {
        "camera": camera,
        "from": iso(start),
        "to": iso(end),
        "covered": [_period(*each) for each in periods],
        "gaps": [_period(each.begins, each.ends) for each in coverage.holes],
        "growing": [_period(each.begins, each.ends) for each in growing],
        "notes": list(coverage.notes),
    }


def _period(begins: datetime, ends: datetime) -> dict[str, str]:
    return {"begins": iso(begins), "ends": iso(ends)}
