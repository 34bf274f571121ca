"""The files of recordings, for players: ranges of them, of one version."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from cutback.domain.errors import SourceChangedError
from cutback.lifecycle.frames import version_of
from cutback.web.api.access import Reader
from cutback.web.api.context import ServicesDep
from cutback.web.api.openapi import responses
from cutback.web.api.shown_file import send_to_be_shown
from cutback.web.api.visible import visible_recording

router = APIRouter(tags=["recordings"])

_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".ts": "video/mp2t",
    ".mts": "video/mp2t",
    ".m2ts": "video/mp2t",
}
"""What browsers may show."""

_VIDEO: dict[str, Any] = {"content": {"video/*": {"schema": {"type": "string", "format": "binary"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", **_VIDEO},
    206: {"description": "The requested ranges.", **_VIDEO},
    304: {"description": "You have it."},
    **responses("Problem", errors=(404, 409, 416, 422, 503)),
}

Key = Annotated[str, Path(description="The recording's key in the source store.", max_length=1024)]
Version = Annotated[
    str | None, Query(max_length=300, description="The version that you mean; another one is refused with 409.")
]


@router.get("/recordings/{key:path}/file", response_model=None, responses=_ANSWERS)
def read_file(key: Key, request: Request, services: ServicesDep, caller: Reader, version: Version = None) -> Response:
    """Return the recording itself. Ranges, `If-Range` and `If-None-Match` work."""
    visible_recording(services, caller, key)
    info = version_of(services, key)
    if version is not None and version.strip('"') != info.etag.strip('"'):
        raise SourceChangedError
    return send_to_be_shown(request, services.sources, info, _TYPES)
