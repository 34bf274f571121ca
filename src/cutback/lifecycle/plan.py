"""Plans a clip without making it: what would be copied and encoded, and what the clip would really show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from cutback.catalogue.locate import Found, Never
from cutback.cutting.job import CutRange, Limits, RealSpan
from cutback.domain.base import iso
from cutback.domain.cameras.coverage import Coverage
from cutback.domain.clips.clip import ClipState
from cutback.domain.clips.expected import expected_seconds
from cutback.domain.errors import FootageMissingError
from cutback.domain.requests.request import ClipRequest
from cutback.lifecycle.waiting import look_up
from cutback.ports import ClipQuery
from cutback.reading.resolve import OpenedSources, resolve
from cutback.services import Services

_COMPARED = 50
"""How many recent clips tell how long a clip takes."""


def plan_clip(
    services: Services, request: ClipRequest, *, limits: Limits, stopped: Callable[[], bool]
) -> dict[str, Any]:
    """Return the plan of `cutback plan --json`, with recordings and moments, the gaps, and the size and time to expect.

    Raises:
        FootageMissingError: a camera has no footage of the time, or it has not arrived yet.
        CutbackError: what the clip would fail with; see `cutback.cutting.preview`.
    """
    found = _coverages(services, request)
    with resolve(
        request, services.sources, services.cache, stopped=stopped, coverages=found, assets=services.assets
    ) as footage:
        job = footage.job(request, limits)
        job = replace(job, ranges=tuple(each for each in job.ranges if isinstance(each, CutRange)))
        planned = services.prober.preview(job, footage.readers, stopped=stopped)
        parts = [_named(part, footage) for part in planned.pop("parts")]
        read = planned["bytes"]["read"] + planned["bytes"]["sound"]
        gaps = [gap.model_dump(mode="json") for gap in footage.gaps]
    return {
        **planned,
        "spans": parts,
        "gaps": gaps,
        "expected": {
            "size": sum(each["size"] for each in planned["outputs"]),
            "bytes_read": read,
            "seconds": _seconds(services, request.tenant, sum(each["frames_encoded"] for each in planned["outputs"])),
        },
    }


def _coverages(services: Services, request: ClipRequest) -> list[Coverage]:
    found = []
    for verdict in look_up(services, request, asked_at=services.clock()):
        match verdict:
            case Found(coverage):
                found.append(coverage)
            case Never(error):
                raise error
            case _:
                raise FootageMissingError("It may still arrive; a clip would wait for it.")
    return found


def _named(part: dict[str, Any], footage: OpenedSources) -> dict[str, Any]:
    """Return a part of the plan with the recording, and the moments of the camera if there is one."""
    number = part.pop("source")
    span = RealSpan(source=number, start=Fraction(part["start"]), end=Fraction(part["end"]), clamped=part["clamped"])
    camera, begins = footage.wall_clock(span)
    recording = footage.recordings[number]
    named: dict[str, Any] = {"recording": recording.key, "etag": recording.etag, **part}
    if recording.is_asset:
        named["asset"] = True
    if "first_frame" in part:
        named["last_frame"] = part["first_frame"] + part["frames"] - 1
    return named | ({} if camera is None or begins is None else {"camera": camera, "begins": iso(begins)})


def _seconds(services: Services, tenant: str, frames_encoded: int) -> float | None:
    query = ClipQuery(states=(ClipState.READY,), tenant=tenant or None)
    recent: Sequence[Any] = services.records.list_clips(query, limit=_COMPARED).clips
    results = [clip.result for clip in recent if clip.result is not None]
    return expected_seconds([(each.frames_encoded, each.seconds) for each in results], frames_encoded)
