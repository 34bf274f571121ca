"""What is made from recordings when somebody asks for it: activity, sprites for scrubbing, waveforms."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path
from fastapi.responses import Response

from cutback.cutting.job import Limits
from cutback.domain.errors import CutbackError
from cutback.domain.scrubbing import sprites_vtt, waveform_svg
from cutback.lifecycle.activity import activities
from cutback.lifecycle.frames import version_of
from cutback.lifecycle.made_pictures import sprites, waveform
from cutback.services import Services
from cutback.storage.object_info import ObjectInfo
from cutback.web.api.access import Caller, Reader
from cutback.web.api.clip_view import tags_in
from cutback.web.api.context import ServicesDep, SlotsDep
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.openapi import responses
from cutback.web.api.sandbox_slots import short
from cutback.web.api.visible import visible_recording

router = APIRouter(tags=["recordings"])

_REVALIDATED = "private, no-cache"

_LONGEST = 80
"""Maximum seconds for a waveform: less than an answer may take until it begins."""

Key = Annotated[str, Path(description="The recording's key in the source store.", max_length=1024)]
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` that you have.")]
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "You have it."}}


@router.get(
    "/recordings/{key:path}/activity.json",
    response_model=None,
    responses={**responses("Activity", 200, errors=(404, 409, 422, 503)), **_UNCHANGED},
)
def read_recording_activity(
    key: Key, services: ServicesDep, caller: Reader, slots: SlotsDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Return how much moves in each second of a recording. Nothing is decoded: the sizes of coded pictures tell."""
    recording = visible_recording(services, caller, key)
    etag = f'"{recording.etag.strip(chr(34))}-activity"'
    headers = {"ETag": etag, "Cache-Control": _REVALIDATED}
    if etag in tags_in(if_none_match or ""):
        return _unchanged(headers)
    (found,) = activities(services, [recording], limits=short(services.settings.limits), turn=slots.slow)
    if isinstance(found, CutbackError):
        raise found
    return JsonResponse(found, headers=headers)


def _file(kind: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": "The file.", "content": {kind: {"schema": {"type": "string"}}}},
        **_UNCHANGED,
        **responses("Problem", errors=(404, 409, 422, 503)),
    }


@router.get("/recordings/{key:path}/sprites.vtt", response_model=None, responses=_file("text/vtt"))
def read_sprites(
    key: Key, services: ServicesDep, caller: Reader, slots: SlotsDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Return WebVTT with a small picture for each part of a recording: keyframes, on the sheet beside it."""
    info, headers = _version(services, caller, key, "vtt")
    if headers["ETag"] in tags_in(if_none_match or ""):
        return _unchanged(headers)
    found, _ = sprites(services, info, limits=short(services.settings.limits), turn=slots.slow)
    return Response(sprites_vtt(found, "sprites.jpg"), headers=headers, media_type="text/vtt")


@router.get("/recordings/{key:path}/sprites.jpg", response_model=None, responses=_file("image/jpeg"))
def read_sprite_sheet(
    key: Key, services: ServicesDep, caller: Reader, slots: SlotsDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Return the sheet of small pictures to which the WebVTT refers: at most 100, 160 pixels wide, ten in a row."""
    info, headers = _version(services, caller, key, "sheet")
    if headers["ETag"] in tags_in(if_none_match or ""):
        return _unchanged(headers)
    _, sheet = sprites(services, info, limits=short(services.settings.limits), turn=slots.slow)
    return Response(sheet, headers=headers, media_type="image/jpeg")


@router.get(
    "/recordings/{key:path}/waveform.json",
    response_model=None,
    responses={**responses("Waveform", 200, errors=(404, 409, 422, 503)), **_UNCHANGED},
)
def read_waveform(
    key: Key, services: ServicesDep, caller: Reader, slots: SlotsDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Return the peaks of a recording's sound, in two resolutions."""
    info, headers = _version(services, caller, key, "waveform")
    if headers["ETag"] in tags_in(if_none_match or ""):
        return _unchanged(headers)
    found = waveform(services, info, limits=_patient(services.settings.limits), turn=slots.slow)
    return JsonResponse(found, headers=headers)


@router.get("/recordings/{key:path}/waveform.svg", response_model=None, responses=_file("image/svg+xml"))
def read_waveform_picture(
    key: Key, services: ServicesDep, caller: Reader, slots: SlotsDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Return the coarser resolution of a recording's waveform as a picture."""
    info, headers = _version(services, caller, key, "waveform-svg")
    if headers["ETag"] in tags_in(if_none_match or ""):
        return _unchanged(headers)
    found = waveform(services, info, limits=_patient(services.settings.limits), turn=slots.slow)
    picture = waveform_svg(found["coarse"]["peaks"], found["scale"])
    return Response(picture, headers=headers, media_type="image/svg+xml")


def _unchanged(headers: dict[str, str]) -> Response:
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)


def _patient(limits: Limits) -> Limits:
    """All of the sound is decoded, once."""
    return replace(limits, seconds=min(limits.seconds, _LONGEST), stall_seconds=min(limits.stall_seconds, _LONGEST))


def _version(services: Services, caller: Caller, key: str, name: str) -> tuple[ObjectInfo, dict[str, str]]:
    visible_recording(services, caller, key)
    info = version_of(services, key)
    etag = f'"{info.etag.strip(chr(34))}-{name}"'
    return info, {"ETag": etag, "Cache-Control": _REVALIDATED, "X-Content-Type-Options": "nosniff"}
