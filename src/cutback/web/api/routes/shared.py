"""What the link of a share shows: a page, and the files in it. Needs no key: the link proves everything."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from cutback.domain.clips.clip import Clip
from cutback.domain.clips.files import ClipFile, files_of
from cutback.domain.errors import NotFoundError
from cutback.domain.visible import plain
from cutback.lifecycle.shares import open_share
from cutback.services import Services
from cutback.web.api.context import Address, ServicesDep
from cutback.web.api.routes.media import send_file
from cutback.web.pages.share_page import SharedClip, render, render_gone, security_policy

router = APIRouter(prefix="/s", include_in_schema=False)

_PAGE_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
_FILE_HEADERS = {
    "Cache-Control": "private, max-age=300",  # a link that was revoked must not show for long
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Robots-Tag": "noindex",
}
_LARGEST_POSTER = 1500
"""Pixels of width of the poster on the page, if there is a larger one."""


@router.api_route("/{token}", methods=["GET", "HEAD"], response_model=None)
def show(token: str, services: ServicesDep, address: Address) -> HTMLResponse:
    """Show the page of a shared clip."""
    headers = {
        **_PAGE_HEADERS,
        "Content-Security-Policy": security_policy(from_store=services.settings.media_delivery == "redirect"),
    }
    try:
        share, clip = open_share(services, token)
    except NotFoundError:
        return HTMLResponse(render_gone(), 404, headers)
    page = render(_described(services, clip, f"{address}/s/{token}", download=share.download))
    return HTMLResponse(page, 200, headers)


@router.api_route("/{token}/clip.{extension}", methods=["GET", "HEAD"], response_model=None)
def send_clip(
    token: str, extension: str, request: Request, services: ServicesDep, *, download: Annotated[bool, Query()] = False
) -> Response:
    """Send the shared clip."""
    share, clip = open_share(services, token)
    file = files_of(clip)[0]
    if not file.key.endswith(f".{extension}") or (download and not share.download):
        raise NotFoundError
    return _send(request, services, clip, file, download=download)


@router.api_route("/{token}/poster.jpg", methods=["GET", "HEAD"], response_model=None)
def send_poster(token: str, request: Request, services: ServicesDep) -> Response:
    """Send the poster of the shared clip."""
    _, clip = open_share(services, token)
    posters = [] if clip.result is None else sorted(clip.result.posters, key=lambda each: each.width)
    if not posters:
        raise NotFoundError
    chosen = ([each for each in posters if each.width <= _LARGEST_POSTER] or posters[:1])[-1]
    file = next(file for file in files_of(clip) if file.key == chosen.key)
    return _send(request, services, clip, file, download=False)


def _send(request: Request, services: Services, clip: Clip, file: ClipFile, *, download: bool) -> Response:
    body = request.method != "HEAD"
    return send_file(request, services, clip, file, download=download, body=body, headers=_FILE_HEADERS)


def _described(services: Services, clip: Clip, address: str, *, download: bool) -> SharedClip:
    assert clip.result is not None
    file = files_of(clip)[0]
    # Not more than the clip itself says: a link must not tell strangers which camera a recording comes from.
    span = next((each for each in clip.result.spans if each.camera and each.begins), None)
    camera, moment = "", ""
    if span is not None and span.camera is not None and span.begins is not None:
        camera = span.camera
        local = span.begins.astimezone(services.settings.zones.for_camera(camera))
        moment = f"{local:%d %B %Y, %H:%M:%S %Z}".lstrip("0")
    return SharedClip(
        address=address,
        title=plain(clip.title),
        camera=plain(camera),
        moment=moment,
        seconds=float(clip.result.duration),
        width=clip.result.width,
        height=clip.result.height,
        file=f"clip{PurePosixPath(file.key).suffix}",
        media_type=file.media_type,
        poster=bool(clip.result.posters),
        download=download,
    )


@router.api_route("/{token}/{name}", methods=["GET", "HEAD"], response_model=None)
def send_part(token: str, name: str, request: Request, services: ServicesDep) -> Response:
    """Send another file of the shared clip, such as a segment of HLS: its playlists refer to them by their names."""
    _, clip = open_share(services, token)
    keys = clip.result.outputs[0].files if clip.result and clip.result.outputs else ()
    file = next((file for file in files_of(clip) if file.key in keys and PurePosixPath(file.key).name == name), None)
    if file is None:
        raise NotFoundError
    return _send(request, services, clip, file, download=False)
