"""Several cameras in one request: a batch of clips, one a camera. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Any, TypeGuard

from cutback.domain.errors import Fault, InvalidRequestError
from cutback.domain.requests.envelope import Asked, open_envelope
from cutback.domain.requests.request import ClipRequest, validate_request

MOST_CAMERAS = 100
"""In one request."""


def single_requests(content: Any) -> list[Any]:
    """The requests that a request is: itself, or one for each of its cameras. Nothing is validated beyond that.

    An `id` of a batch becomes `<id>-<camera>`, so that asking twice stays the same as asking once.

    Raises:
        InvalidRequestError: cameras are listed in a way that cannot be told apart.
    """
    if not isinstance(content, dict):
        return [content]
    source = content.get("source")
    pieces = source if isinstance(source, list) else [source]
    many = [(number, piece) for number, piece in enumerate(pieces) if _names_many(piece)]
    if not many:
        return [content]
    number, piece = many[0]
    path = f"source[{number}].camera"
    if len(pieces) > 1:
        raise InvalidRequestError([Fault(path, "several cameras make several clips, so they must be the only source")])
    cameras = piece["camera"]
    if not cameras or len(cameras) > MOST_CAMERAS:
        raise InvalidRequestError([Fault(path, f"must name 1 to {MOST_CAMERAS} cameras")])
    if not all(isinstance(camera, str) for camera in cameras) or len(set(cameras)) < len(cameras):
        raise InvalidRequestError([Fault(path, "must be names of cameras, each once")])
    return [_for_camera(content, piece, camera) for camera in cameras]


def _names_many(piece: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(piece, dict) and isinstance(piece.get("camera"), list)


def _for_camera(content: dict[str, Any], piece: dict[str, Any], camera: str) -> dict[str, Any]:
    made = content | {"source": piece | {"camera": camera}}
    if isinstance(content.get("id"), str):
        made["id"] = f"{content['id']}-{_as_id(camera)}"
    return made


def _as_id(camera: str) -> str:
    """The camera's name where ids may have it, else that much of it and enough of its hash to be its own."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", camera)[:40]
    if plain == camera:
        return plain
    return f"{plain}-{hashlib.sha256(camera.encode(errors='replace')).hexdigest()[:8]}"


def requests_in(body: str | bytes) -> list[ClipRequest]:
    """Every valid request that a message holds, whatever it is wrapped in; the others are left out."""
    try:
        items = [item for item in open_envelope(body) if isinstance(item, Asked)]
    except InvalidRequestError:
        return []
    made = []
    for item in items:
        try:
            made += [validate_request(content) for content in single_requests(item.content)]
        except InvalidRequestError:
            continue
    return made
