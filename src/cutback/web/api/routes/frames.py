"""The frames of recordings: when each is shown, what it looks like, and a preview of some that every browser plays."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response

from cutback.domain.errors import (
    Fault,
    InvalidRequestError,
    RangeNotSatisfiableError,
    RecordingNotFoundError,
    SourceChangedError,
)
from cutback.domain.frame_times import frames_around
from cutback.lifecycle.frames import excerpt, frame_map, frame_picture, version_of
from cutback.services import Services
from cutback.storage.object_info import ObjectInfo
from cutback.web.api.access import Caller, Reader
from cutback.web.api.clip_view import tags_in
from cutback.web.api.context import Address, ServicesDep, SlotsDep
from cutback.web.api.file_response import MadeFile, send, unsatisfiable
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.openapi import responses
from cutback.web.api.problems import respond
from cutback.web.api.recording_view import show_recording
from cutback.web.api.sandbox_slots import short
from cutback.web.api.visible import visible_recording

router = APIRouter(tags=["recordings"])

_IMMUTABLE = "private, max-age=31536000, immutable"
_REVALIDATED = "private, no-cache"
_MOST_FRAMES = 2**31
_LONGEST_PREVIEW = 10
"""Seconds."""
_MOST_SHOWN = 600
"""Frames of a preview on each side of its moment, whatever their rate."""
_RECIPE = 1
"""Part of a preview's entity tag. Change it whenever previews are made in another way."""

Key = Annotated[str, Path(description="The recording's key in the source store.", max_length=1024)]
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` that you have.")]
Version = Annotated[
    str | None, Query(max_length=300, description="The version that you mean; another one is refused with 409.")
]

_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The frame.", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "You have it."},
    **responses("Problem", errors=(404, 409, 422, 503)),
}


@router.get(
    "/recordings/{key:path}/frames",
    response_model=None,
    responses={**responses("FrameMap", 200, errors=(404, 409, 422, 503)), 304: {"description": "You have it."}},
)
def read_frame_map(
    key: Key, services: ServicesDep, caller: Reader, slots: SlotsDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Return when each frame of a recording is shown: compute with this, never with a frame rate."""
    info = _version(services, caller, key, None)
    headers = {"ETag": _etag(info), "Cache-Control": _REVALIDATED}
    if _etag(info) in tags_in(if_none_match or ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    found = frame_map(services, info, limits=short(services.settings.limits), turn=slots.one)
    return JsonResponse({"key": key, "version": info.etag, **found}, headers=headers)


@router.get("/recordings/{key:path}/frames/{number}.jpg", response_model=None, responses=_PICTURE)
def read_frame(
    key: Key,
    number: Annotated[int, Path(ge=0, lt=_MOST_FRAMES, description="The frame's number, from 0.")],
    services: ServicesDep,
    caller: Reader,
    slots: SlotsDep,
    version: Version = None,
    width: Annotated[Literal["300", "640", "1500", "3000"], Query(description="Pixels, if it has so many.")] = "640",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return exactly this frame as JPEG. With `version`, the answer may be cached for ever."""
    info = _version(services, caller, key, version)
    headers = {"ETag": _etag(info), "Cache-Control": _REVALIDATED if version is None else _IMMUTABLE}
    if _etag(info) in tags_in(if_none_match or ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    limits = short(services.settings.limits)
    picture = frame_picture(services, info, number, int(width), limits=limits, turn=slots.one)
    return Response(picture, headers={**headers, "X-Content-Type-Options": "nosniff"}, media_type="image/jpeg")


_VIDEO: dict[str, Any] = {"content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}}
_PREVIEW: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The preview. Without `at`, the recording whose key is the whole path, if there is one.",
        "content": {**_VIDEO["content"], **responses("Recording", 200)[200]["content"]},
    },
    206: {"description": "The requested ranges.", **_VIDEO},
    304: {"description": "You have it."},
    **responses("Problem", errors=(404, 409, 413, 416, 422, 503)),
}


@router.get("/recordings/{key:path}/preview.mp4", response_model=None, responses=_PREVIEW)
def read_preview(
    key: Key,
    request: Request,
    services: ServicesDep,
    caller: Reader,
    slots: SlotsDep,
    address: Address,
    at: Annotated[
        int | None, Query(ge=0, lt=_MOST_FRAMES, description="The number of the frame in the middle, from 0; required.")
    ] = None,
    seconds: Annotated[
        Decimal, Query(ge=Decimal("0.1"), le=_LONGEST_PREVIEW, decimal_places=3, description="Its length in seconds.")
    ] = Decimal(4),
    version: Version = None,
) -> Response:
    """Return the frames around a frame as a small MP4 (H.264, without sound) for browsers that lack the codec.

    It has exactly the recording's frames that begin at most `seconds` / 2 before frame `at`, or less than that after
    it. With `version`, the answer may be cached for ever.
    """
    if at is None:
        return _recording_of_that_name(services, caller, f"{key}/preview.mp4", address)
    info = _version(services, caller, key, version)
    limits = short(services.settings.limits)
    found = frame_map(services, info, limits=limits, turn=slots.one)
    frames = frames_around(found["durations"], found["time_scale"], at, Fraction(seconds), most=_MOST_SHOWN)
    headers = {
        "Cache-Control": _REVALIDATED if version is None else _IMMUTABLE,
        "Cutback-First-Frame": str(frames.start),
        "Cutback-Frames": str(len(frames)),
    }
    etag = f'{_etag(info)[:-1]}-{frames.start}-{frames.stop}-{_RECIPE}"'
    if etag in tags_in(request.headers.get("if-none-match", "")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag, **headers})
    content = excerpt(services, info, frames, limits=limits, turn=slots.one)
    try:
        return send(MadeFile(content, etag, "video/mp4", headers), request.headers, body=True)
    except RangeNotSatisfiableError as error:
        return respond(request, error, unsatisfiable(len(content)))


def _recording_of_that_name(services: Services, caller: Caller, key: str, address: str) -> Response:
    """Return the recording whose key ends like the address of a preview."""
    try:
        return JsonResponse(show_recording(visible_recording(services, caller, key), address))
    except RecordingNotFoundError:
        raise InvalidRequestError([Fault("query.at", "is required: the number of a frame")]) from None


def _version(services: Services, caller: Caller, key: str, wanted: str | None) -> ObjectInfo:
    visible_recording(services, caller, key)
    info = version_of(services, key)
    if wanted is not None and wanted.strip('"') != info.etag.strip('"'):
        raise SourceChangedError
    return info


def _etag(info: ObjectInfo) -> str:
    return f'"{info.etag.strip(chr(34))}"'
