"""The files of clips: the clip itself and its posters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from cutback.domain.clips.clip import Clip
from cutback.domain.clips.files import ClipFile, clip_of_key, disposition, files_of, saved_name
from cutback.domain.errors import ClipNotFoundError, NotFoundError, ObjectNotFoundError, RangeNotSatisfiableError
from cutback.domain.requests.ids import may_be_of
from cutback.lifecycle.lookup import look_at_clip
from cutback.services import Services
from cutback.web.api.access import Caller, Reader
from cutback.web.api.context import ServicesDep
from cutback.web.api.file_response import StoredFile, send, unsatisfiable
from cutback.web.api.openapi import responses
from cutback.web.api.problems import respond

router = APIRouter(tags=["media"])

IMMUTABLE = "private, max-age=31536000, immutable"
"""Every attempt has its own files, which never change."""

_LISTS = (".m3u8", ".vtt")
"""Playlists and lists of sprites are never redirected: their names are relative to where they came from, and a link to
a store is for one file."""

LINK_LASTS = timedelta(minutes=15)
"""How long a presigned URL of the store works."""

Key = Annotated[str, Path(description="The key of a file of a clip, as its `media` has it.", max_length=1024)]
Download = Annotated[bool, Query(description="Whether to save the file instead of showing it.")]

_BINARY: dict[str, Any] = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", **_BINARY},
    206: {"description": "The requested ranges.", **_BINARY},
    304: {"description": "You have the file."},
    307: {"description": "The file is at the store, at the URL in `Location`."},
    **responses("Problem", errors=(404, 416, 422, 503)),
}


@router.get("/media/{key:path}", response_model=None, responses=_ANSWERS)
def read_file(
    key: Key, request: Request, services: ServicesDep, caller: Reader, *, download: Download = False
) -> Response:
    """Return a file of a clip. Ranges, `If-Range` and `If-None-Match` work, and the answer may be cached for ever."""
    clip, file = _find(services, caller, key)
    return send_file(request, services, clip, file, download=download, body=True)


@router.head("/media/{key:path}", response_model=None, responses=_ANSWERS)
def look_at_file(
    key: Key, request: Request, services: ServicesDep, caller: Reader, *, download: Download = False
) -> Response:
    """Return the headers of a file of a clip."""
    clip, file = _find(services, caller, key)
    return send_file(request, services, clip, file, download=download, body=False)


def send_file(
    request: Request,
    services: Services,
    clip: Clip,
    file: ClipFile,
    *,
    download: bool,
    body: bool,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer with a file of a clip, in the way that the settings choose. `headers` replace the usual ones.

    Raises:
        NotFoundError: the file is missing.
        StorageUnavailableError: the store does not answer.
    """
    settings, key = services.settings, file.key
    name = disposition(saved_name(clip, file, settings.zones), attachment=download)
    usual = {"Cache-Control": IMMUTABLE, "Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
    headers = {**usual, **(headers or {})}
    if settings.media_delivery == "accel":
        accel = settings.media_accel_prefix.rstrip("/") + "/" + quote(key)
        return Response(headers={**headers, "Content-Type": file.media_type, "X-Accel-Redirect": accel})
    if settings.media_delivery == "redirect" and body and not key.endswith(_LISTS):
        url = services.clips.presigned_url(key, lasts=LINK_LASTS)
        return RedirectResponse(url, HTTPStatus.TEMPORARY_REDIRECT, {"Cache-Control": "no-store"})
    try:
        info = services.clips.head(key)
    except ObjectNotFoundError:
        raise NotFoundError("The file of the clip is missing.") from None
    stored = StoredFile(services.clips, info, file.media_type, headers)
    try:
        return send(stored, request.headers, body=body)
    except RangeNotSatisfiableError as error:
        return respond(request, error, unsatisfiable(info.size))


def _find(services: Services, caller: Caller, key: str) -> tuple[Clip, ClipFile]:
    """Return the clip and its file with this key. Everything else is not found, whatever the reason."""
    clip_id = clip_of_key(key)
    if clip_id is None or not may_be_of(caller.tenant, clip_id):
        raise NotFoundError  # without a look: a cache would answer sooner if another tenant has it
    try:
        clip = look_at_clip(services, clip_id)
    except ClipNotFoundError:
        raise NotFoundError from None
    if not caller.may_see_clip(clip) or clip.is_deleted(services.clock()):
        raise NotFoundError
    file = next((file for file in files_of(clip) if file.key == key), None)
    if file is None:
        raise NotFoundError
    return clip, file
