"""Cameras, and which time they cover."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, ConfigDict, Field

from cutback.catalogue.covered_span import cover_span
from cutback.domain.base import Model
from cutback.domain.cameras.recording import Camera
from cutback.domain.errors import CameraUnknownError, Fault, InvalidRequestError
from cutback.services import Services
from cutback.web.api.access import Caller, Reader
from cutback.web.api.context import Address, ServicesDep
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.openapi import responses
from cutback.web.api.recording_view import show_camera, show_coverage

router = APIRouter(tags=["cameras"])

LONGEST_SPAN = timedelta(days=8)
"""Longest span whose coverage can be read at once."""


class CoverageSpan(Model):
    """A camera and a span of the wall clock."""

    model_config = ConfigDict(extra="forbid")

    camera: str = Field(min_length=1, max_length=200, description="The camera's name.")
    begins: AwareDatetime = Field(alias="from", description="The first moment.")
    ends: AwareDatetime = Field(alias="to", description="The end of the span; at most 8 days later.")


@router.get("/cameras", response_model=None, responses=responses("Page", 200, errors=(422, 503)))
def list_cameras(
    services: ServicesDep,
    caller: Reader,
    address: Address,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most cameras of one page.")] = 100,
    cursor: Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")] = None,
) -> dict[str, Any]:
    """List the cameras that have recordings, by name."""
    after = _name_of(cursor) if cursor is not None else ""
    found = sorted(_visible(services, caller), key=lambda each: each.name)
    left = [each for each in found if each.name > after]
    zones = services.settings.zones
    return {
        "items": [show_camera(each, zones.for_camera(each.name), address) for each in left[:limit]],
        "next": _cursor_after(left[limit - 1].name) if len(left) > limit else None,
    }


@router.get("/cameras/{name:path}", response_model=None, responses=responses("Camera", 200, errors=(404, 422, 503)))
def read_camera(
    name: Annotated[str, Path(max_length=200)], services: ServicesDep, caller: Reader, address: Address
) -> dict[str, Any]:
    """Return a camera."""
    for each in _visible(services, caller):
        if each.name == name:
            return show_camera(each, services.settings.zones.for_camera(name), address)
    raise CameraUnknownError(f"The name is {name}.")


@router.get("/coverage", response_model=None, responses=responses("Coverage", 200, errors=(404, 422, 503)))
def read_coverage(wanted: Annotated[CoverageSpan, Query()], services: ServicesDep, caller: Reader) -> JsonResponse:
    """Return which time of a span a camera covers, and its gaps. Every covered moment can be cut."""
    if not timedelta() < wanted.ends - wanted.begins <= LONGEST_SPAN:
        raise InvalidRequestError([Fault("to", f"must be after from, by at most {LONGEST_SPAN.days} days")])
    if all(each.name != wanted.camera for each in _visible(services, caller)):
        raise CameraUnknownError(f"The name is {wanted.camera}.")
    drift = Fraction(services.settings.clock_drift) / 1_000_000
    coverage = cover_span(services.catalogue, wanted.camera, wanted.begins, wanted.ends, drift=drift)
    # A day may have thousands of gaps: FastAPI would copy all of it, value by value, before it is sent.
    return JsonResponse(show_coverage(wanted.camera, wanted.begins, wanted.ends, coverage))


def _visible(services: Services, caller: Caller) -> list[Camera]:
    return [each for each in services.catalogue.cameras() if caller.may_see_camera(each.name)]


def _cursor_after(name: str) -> str:
    return urlsafe_b64encode(name.encode()).decode()


def _name_of(cursor: str) -> str:
    try:
        name = urlsafe_b64decode(cursor.encode("ascii")).decode()
    except ValueError:
        name = ""
    if not name or _cursor_after(name) != cursor:
        raise InvalidRequestError([Fault("cursor", "must be `next` of a page")])
    return name
