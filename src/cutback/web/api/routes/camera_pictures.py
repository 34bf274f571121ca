"""Pictures and sound of a span of a camera, for scrubbing: small pictures on a sheet, thumbnails, a waveform."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, ConfigDict, Field

from cutback.cutting.job import Limits
from cutback.domain.base import Model, iso
from cutback.domain.errors import CameraUnknownError, Fault, FootageMissingError, InvalidRequestError
from cutback.domain.scrubbing import camera_sprites_vtt, waveform_svg
from cutback.lifecycle.camera_pictures import CameraSprites, ScrubbedSpan, camera_span, camera_sprites, camera_waveform
from cutback.services import Services
from cutback.web.api.access import Caller, Reader
from cutback.web.api.clip_view import tags_in
from cutback.web.api.context import Address, ServicesDep, SlotsDep
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.openapi import responses
from cutback.web.api.sandbox_slots import SandboxSlots, short

router = APIRouter(tags=["cameras"])

LONGEST_SPAN = timedelta(days=2)
"""Longest span with sprites."""
LONGEST_HEARD = timedelta(hours=1)
"""Longest span with a waveform: all of its sound is decoded."""
MOST_TILES = 100
_LONGEST = 80
"""Maximum seconds for a waveform: less than an answer may take until it begins."""


class PicturedSpan(Model):
    """A span of the wall clock, and how many pictures of it."""

    model_config = ConfigDict(extra="forbid")

    begins: AwareDatetime = Field(alias="from", description="The first moment.")
    ends: AwareDatetime = Field(alias="to", description="The end of the span; at most 2 days later.")
    count: int = Field(MOST_TILES, ge=1, le=MOST_TILES, description="Most pictures; they are at least 1 s apart.")


class HeardSpan(Model):
    """A span of the wall clock."""

    model_config = ConfigDict(extra="forbid")

    begins: AwareDatetime = Field(alias="from", description="The first moment.")
    ends: AwareDatetime = Field(alias="to", description="The end of the span; at most 1 hour later.")


class _Asked(NamedTuple):
    span: ScrubbedSpan
    headers: dict[str, str]
    unchanged: Response | None
    """The answer, if the caller has it."""


Name = Annotated[str, Path(description="The camera's name.", max_length=200)]
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` that you have.")]
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "You have it."}}


def _file(kind: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": "The file.", "content": {kind: {"schema": {"type": "string"}}}},
        **_UNCHANGED,
        **responses("Problem", errors=(404, 422, 503)),
    }


@router.get(
    "/cameras/{name:path}/thumbnails",
    response_model=None,
    responses={**responses("Thumbnails", 200, errors=(404, 422, 503)), **_UNCHANGED},
)
def list_thumbnails(
    name: Name,
    wanted: Annotated[PicturedSpan, Query()],
    services: ServicesDep,
    caller: Reader,
    slots: SlotsDep,
    address: Address,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return what a camera showed over a span: small pictures, all on one sheet, with their moments and frames.

    Only keyframes are decoded. Parts of the span without footage have none.
    """
    asked = _asked(services, caller, name, wanted, "thumbnails", if_none_match)
    if asked.unchanged is not None:
        return asked.unchanged
    made = _sprites(services, slots, asked.span)
    found = {
        "camera": name,
        "from": iso(wanted.begins),
        "to": iso(wanted.ends),
        "sheet": f"{address}/v1/cameras/{quote(name)}/{_sheet(wanted)}" if made.tiles else None,
        "width": made.size[0],
        "height": made.size[1],
        "items": [tile.public() for tile in made.tiles],
    }
    return JsonResponse(found, headers=asked.headers)


@router.get("/cameras/{name:path}/sprites.vtt", response_model=None, responses=_file("text/vtt"))
def read_camera_sprites(
    name: Name,
    wanted: Annotated[PicturedSpan, Query()],
    services: ServicesDep,
    caller: Reader,
    slots: SlotsDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return WebVTT with a small picture for each part of a span. Its times count from the span's beginning."""
    asked = _asked(services, caller, name, wanted, "vtt", if_none_match)
    if asked.unchanged is not None:
        return asked.unchanged
    made = _sprites(services, slots, asked.span)
    content = camera_sprites_vtt(made.tiles, wanted.begins, made.size, _sheet(wanted))
    return Response(content, headers=asked.headers, media_type="text/vtt")


@router.get("/cameras/{name:path}/sprites.jpg", response_model=None, responses=_file("image/jpeg"))
def read_camera_sprite_sheet(
    name: Name,
    wanted: Annotated[PicturedSpan, Query()],
    services: ServicesDep,
    caller: Reader,
    slots: SlotsDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return the sheet of small pictures to which the WebVTT and the thumbnails of the same span refer."""
    asked = _asked(services, caller, name, wanted, "sheet", if_none_match)
    if asked.unchanged is not None:
        return asked.unchanged
    made = _sprites(services, slots, asked.span)
    if not made.tiles:
        raise FootageMissingError(f"{name} has no pictures from {iso(wanted.begins)} to {iso(wanted.ends)}.")
    return Response(made.sheet, headers=asked.headers, media_type="image/jpeg")


@router.get(
    "/cameras/{name:path}/waveform.json",
    response_model=None,
    responses={**responses("Waveform", 200, errors=(404, 422, 503)), **_UNCHANGED},
)
def read_camera_waveform(
    name: Name,
    wanted: Annotated[HeardSpan, Query()],
    services: ServicesDep,
    caller: Reader,
    slots: SlotsDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return the peaks of a camera's sound over a span, in two resolutions. Time 0 is where the span begins."""
    asked = _asked(services, caller, name, wanted, "waveform", if_none_match)
    if asked.unchanged is not None:
        return asked.unchanged
    found = _waveform(services, slots, asked.span)
    return JsonResponse(found, headers=asked.headers)


@router.get("/cameras/{name:path}/waveform.svg", response_model=None, responses=_file("image/svg+xml"))
def read_camera_waveform_picture(
    name: Name,
    wanted: Annotated[HeardSpan, Query()],
    services: ServicesDep,
    caller: Reader,
    slots: SlotsDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return the coarser resolution of a camera's waveform as a picture."""
    asked = _asked(services, caller, name, wanted, "waveform-svg", if_none_match)
    if asked.unchanged is not None:
        return asked.unchanged
    found = _waveform(services, slots, asked.span)
    picture = waveform_svg(found["coarse"]["peaks"], found["scale"])
    return Response(picture, headers=asked.headers, media_type="image/svg+xml")


def _asked(
    services: Services,
    caller: Caller,
    name: str,
    wanted: PicturedSpan | HeardSpan,
    kind: str,
    if_none_match: str | None,
) -> _Asked:
    """Look the span up.

    Raises:
        InvalidRequestError: it is empty, or longer than allowed.
        CameraUnknownError: the caller may not see the camera, or it has no recording.
    """
    longest = LONGEST_SPAN if isinstance(wanted, PicturedSpan) else LONGEST_HEARD
    if not timedelta() < wanted.ends - wanted.begins <= longest:
        hours = longest // timedelta(hours=1)
        raise InvalidRequestError([Fault("to", f"must be after from, by at most {hours} h")])
    if not caller.may_see_camera(name) or not services.catalogue.list_recordings(name, limit=1).recordings:
        raise CameraUnknownError(f"The name is {name}.")
    count = wanted.count if isinstance(wanted, PicturedSpan) else 1
    span = camera_span(services, name, wanted.begins, wanted.ends, count)
    etag = f'"{span.version[:32]}-{kind}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    unchanged = etag in tags_in(if_none_match or "")
    return _Asked(span, headers, Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers) if unchanged else None)


def _sprites(services: Services, slots: SandboxSlots, span: ScrubbedSpan) -> CameraSprites:
    return camera_sprites(services, span, limits=short(services.settings.limits), slot=slots.slow)


def _waveform(services: Services, slots: SandboxSlots, span: ScrubbedSpan) -> dict[str, Any]:
    return camera_waveform(services, span, limits=_patient(services.settings.limits), slot=slots.slow)


def _sheet(wanted: PicturedSpan) -> str:
    """Return the address of the sheet, relative to that of the WebVTT."""
    query = {"from": _short(wanted.begins), "to": _short(wanted.ends), "count": wanted.count}
    return f"sprites.jpg?{urlencode(query)}"


def _short(moment: datetime) -> str:
    return iso(moment).replace(".000000Z", "Z")


def _patient(limits: Limits) -> Limits:
    return replace(limits, seconds=min(limits.seconds, _LONGEST), stall_seconds=min(limits.stall_seconds, _LONGEST))
