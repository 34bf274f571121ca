"""Splits a request for several cameras (a batch) into one request per camera. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Any, TypeGuard

from cutback.domain.errors import Fault, InvalidRequestError
from cutback.domain.requests.envelope import RequestItem, open_envelope
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.domain.requests.rules import RequestRules

MOST_CAMERAS = 100
"""Most cameras in one request."""


def single_requests(content: Any) -> list[Any]:
    """Return the request itself, or one request for each of its cameras. Nothing else is validated.

    The `id` of a batch becomes `<id>-<camera>`, so that sending it twice has the same effect as once.

    Raises:
        InvalidRequestError: the cameras are not a list of distinct names, or the batch has other sources too.
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
        raise InvalidRequestError([Fault(path, "names several cameras, so it must be the only source")])
    cameras = piece["camera"]
    if not cameras or len(cameras) > MOST_CAMERAS:
        raise InvalidRequestError([Fault(path, f"must name 1 to {MOST_CAMERAS} cameras")])
    if not all(isinstance(camera, str) for camera in cameras) or len(set(cameras)) < len(cameras):
        raise InvalidRequestError([Fault(path, "must be a list of camera names without duplicates")])
    return [_for_camera(content, piece, camera) for camera in cameras]


def _names_many(piece: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(piece, dict) and isinstance(piece.get("camera"), list)


def _for_camera(content: dict[str, Any], piece: dict[str, Any], camera: str) -> dict[str, Any]:
    made = content | {"source": piece | {"camera": camera}}
    if isinstance(content.get("id"), str):
        made["id"] = f"{content['id']}-{_as_id(camera)}"
    return made


def _as_id(camera: str) -> str:
    """Return the camera's name if ids allow it; otherwise its allowed characters and enough of a hash to be unique."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", camera)[:40]
    if plain == camera:
        return plain
    return f"{plain}-{hashlib.sha256(camera.encode(errors='replace')).hexdigest()[:8]}"


def requests_in(body: str | bytes, rules: RequestRules | None = None) -> list[ClipRequest]:
    """Return every valid request in a message, whatever its envelope; skip invalid ones.

    For `rules`, see `validate_request`.

    Raises:
        InvalidRequestError: the whole message is unreadable. Nothing else is raised, whatever `body` is.
    """
    made = []
    for item in open_envelope(body):
        if not isinstance(item, RequestItem):
            continue
        try:
            made += [validate_request(content, rules) for content in single_requests(item.content)]
        except InvalidRequestError:
            continue
    return made
