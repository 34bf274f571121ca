"""The pages and their files. They hold no data: scripts fetch it from `/v1`, which asks for a key if one is needed."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from cutback.domain.errors import NotFoundError
from cutback.web.api.content_coding import accepts_gzip
from cutback.web.api.context import ServicesDep
from cutback.web.pages.shell import Shell
from cutback.web.pages.static_files import PREFIX, static_files

router = APIRouter(include_in_schema=False)

_IMMUTABLE = "public, max-age=31536000, immutable"
_PATHS = {
    "/": "library",
    "/cameras/{name:path}": "library",
    "/recordings": "library",
    "/cut": "cut",
    "/clips": "clips",
    "/clips/{clip_id}": "clips",
    "/status": "status",
    "/settings": "settings",
}


def _add(path: str, place: str) -> None:
    def show(services: ServicesDep) -> HTMLResponse:
        settings = services.settings
        shell = Shell(
            static_files(),
            secrets.token_urlsafe(16),
            store_media=settings.media_delivery == "redirect",
            store_uploads=settings.source_url.startswith("s3://"),
        )
        headers = {"Content-Security-Policy": shell.security_policy, "Cache-Control": "no-store"}
        return HTMLResponse(shell.render(place), headers=headers)

    router.add_api_route(path, show, methods=["GET", "HEAD"], response_model=None)


for _path, _place in _PATHS.items():
    _add(_path, _place)


@router.api_route(PREFIX + "{path:path}", methods=["GET", "HEAD"], response_model=None)
def send(path: str, request: Request) -> Response:
    """Send a file. Its address names its content, so it may be kept for ever."""
    file = static_files().by_address.get(PREFIX + path)
    if file is None:
        raise NotFoundError
    headers = {"Cache-Control": _IMMUTABLE, "Vary": "Accept-Encoding", "Content-Type": file.media_type}
    if accepts_gzip(request.headers):
        return Response(file.compressed, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.content, headers=headers)
