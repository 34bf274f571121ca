"""The moments of cameras: where something happens, found without decoding anything."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, ConfigDict, Field

from cutback.domain.base import Model, iso
from cutback.domain.cameras.moments import LEAST_STRENGTH, CameraMoment
from cutback.domain.errors import CameraUnknownError, Fault, InvalidRequestError
from cutback.lifecycle.moments import camera_activity, camera_moments, keyframe_at, picture_at
from cutback.services import Services
from cutback.web.api.access import Caller, Reader
from cutback.web.api.clip_view import tags_in
from cutback.web.api.context import Address, ServicesDep, SlotsDep
from cutback.web.api.openapi import responses
from cutback.web.api.sandbox_slots import short

router = APIRouter(tags=["cameras"])

LONGEST_SPAN = timedelta(days=2)
"""Longest span whose moments can be read at once."""


class MomentSpan(Model):
    """A camera and a span of the wall clock."""

    model_config = ConfigDict(extra="forbid")

    camera: str = Field(min_length=1, max_length=200, description="The camera's name.")
    begins: AwareDatetime = Field(alias="from", description="The first moment.")
    ends: AwareDatetime = Field(alias="to", description="The end of the span; at most 2 days later.")


class MomentFilter(MomentSpan):
    """Which moments of a camera to return."""

    least: float = Field(LEAST_STRENGTH, ge=0.1, le=1, description="Lowest strength, from 0.1 to 1.")


@router.get("/moments", response_model=None, responses=responses("Moments", 200, errors=(404, 422, 503)))
def list_moments(
    wanted: Annotated[MomentFilter, Query()], services: ServicesDep, caller: Reader, slots: SlotsDep, address: Address
) -> dict[str, Any]:
    """Return where something happens on a camera: peaks of activity over what is usual in the hour around them.

    Only the indexes of recordings are read. The first time takes longest.
    """
    _check(services, caller, wanted)
    found = camera_moments(
        services,
        wanted.camera,
        wanted.begins,
        wanted.ends,
        least=wanted.least,
        limits=short(services.settings.limits),
        turn=slots.slow,
    )
    return {
        "camera": wanted.camera,
        "from": iso(wanted.begins),
        "to": iso(wanted.ends),
        "items": [_show(wanted.camera, moment, address) for moment in found.moments],
        "notes": found.notes,
    }


@router.get("/activity", response_model=None, responses=responses("CameraActivity", 200, errors=(404, 422, 503)))
def read_activity(
    wanted: Annotated[MomentSpan, Query()], services: ServicesDep, caller: Reader, slots: SlotsDep
) -> dict[str, Any]:
    """Return how much moves on a camera: the activity of each recording that overlaps the span."""
    _check(services, caller, wanted)
    limits = short(services.settings.limits)
    lines, notes = camera_activity(services, wanted.camera, wanted.begins, wanted.ends, limits=limits, turn=slots.slow)
    return {
        "camera": wanted.camera,
        "items": [{"begins": iso(begins), **found} for begins, found in lines],
        "notes": notes,
    }


CameraName = Annotated[str, Query(min_length=1, max_length=200, description="The camera's name.")]
Moment = Annotated[AwareDatetime, Query(description="The moment.")]
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The frame.", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "You have it."},
    **responses("Problem", errors=(404, 409, 422, 503)),
}


@router.get("/moments/poster.jpg", response_model=None, responses=_PICTURE)
def read_poster(
    camera: CameraName, at: Moment, request: Request, services: ServicesDep, caller: Reader, slots: SlotsDep
) -> Response:
    """Return the frame that a camera showed at a moment, as JPEG, 640 pixels wide."""
    _check_camera(services, caller, camera)
    found = picture_at(services, camera, at, limits=short(services.settings.limits), turn=slots.one)
    return _picture(request, *found)


@router.get("/moments/keyframe.jpg", response_model=None, responses=_PICTURE)
def read_keyframe(
    camera: CameraName, at: Moment, request: Request, services: ServicesDep, caller: Reader, slots: SlotsDep
) -> Response:
    """Return the last keyframe that a camera showed before a moment, as JPEG, 300 pixels wide.

    It costs less than the exact frame. For the camera's latest picture, send its `last`.
    """
    _check_camera(services, caller, camera)
    found = keyframe_at(services, camera, at, limits=short(services.settings.limits), turn=slots.one)
    return _picture(request, *found)


def _picture(request: Request, picture: bytes, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if etag in tags_in(request.headers.get("if-none-match", "")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(picture, headers=headers, media_type="image/jpeg")


def _check(services: Services, caller: Caller, wanted: MomentSpan) -> None:
    if not timedelta() < wanted.ends - wanted.begins <= LONGEST_SPAN:
        raise InvalidRequestError([Fault("to", f"must be after from, by at most {LONGEST_SPAN.days} days")])
    _check_camera(services, caller, wanted.camera)


def _check_camera(services: Services, caller: Caller, name: str) -> None:
    if not caller.may_see_camera(name) or not services.catalogue.list_recordings(name, limit=1).recordings:
        raise CameraUnknownError(f"The name is {name}.")


def _show(camera: str, moment: CameraMoment, address: str) -> dict[str, Any]:
    query = urlencode({"camera": camera, "at": iso(moment.peak)})
    return {
        "begins": iso(moment.begins),
        "ends": iso(moment.ends),
        "peak": iso(moment.peak),
        "strength": moment.strength,
        "poster": f"{address}/v1/moments/poster.jpg?{query}",
    }
