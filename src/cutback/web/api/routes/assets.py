"""The pictures, videos and sounds that edits name: which there are, and their files, for previews."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from cutback.reading.assets import asset_opener, key_of
from cutback.web.api.access import Reader
from cutback.web.api.context import ServicesDep
from cutback.web.api.openapi import responses
from cutback.web.api.shown_file import send_to_be_shown

router = APIRouter(tags=["clips"])

_MOST = 1000
_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
}
"""What browsers may show."""

_FILE: dict[str, Any] = {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", **_FILE},
    206: {"description": "The requested ranges.", **_FILE},
    304: {"description": "You have it."},
    **responses("Problem", errors=(404, 416, 422, 503)),
}


@router.get("/assets", response_model=None, responses=responses("Page", 200, errors=(503,)))
def list_assets(services: ServicesDep, caller: Reader) -> dict[str, Any]:
    """List the assets that edits of this caller can name, by name: the first 1000 of them."""
    folder = key_of("", caller.tenant)
    found = islice(services.assets.list(folder), _MOST)
    items = [{"name": each.key.removeprefix(folder), "size": each.size} for each in found]
    return {"items": sorted(items, key=lambda item: str(item["name"])), "next": None}


@router.get("/assets/{name:path}/file", response_model=None, responses=_ANSWERS)
def read_asset(
    name: Annotated[str, Path(description="The asset's name, as in an edit.", max_length=1024)],
    request: Request,
    services: ServicesDep,
    caller: Reader,
) -> Response:
    """Return an asset itself. Ranges, `If-Range` and `If-None-Match` work."""
    with asset_opener(services.assets, caller.tenant, stopped=lambda: False)(name) as reader:
        info = reader.info
    return send_to_be_shown(request, services.assets, info, _TYPES)
