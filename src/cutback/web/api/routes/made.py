"""What is made from recordings when somebody asks for it: their activity."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path
from fastapi.responses import Response

from cutback.domain.errors import CutbackError
from cutback.lifecycle.activity import activities
from cutback.web.api.access import Reader
from cutback.web.api.clip_view import tags_in
from cutback.web.api.context import ServicesDep, SlotsDep
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.openapi import responses
from cutback.web.api.sandbox_slots import short
from cutback.web.api.visible import visible_recording

router = APIRouter(tags=["recordings"])

_REVALIDATED = "private, no-cache"

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
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    with slots.one():
        (found,) = activities(services, [recording], limits=short(services.settings.limits))
    if isinstance(found, CutbackError):
        raise found
    return JsonResponse(found, headers=headers)
