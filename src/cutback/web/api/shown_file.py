"""Sends a file that somebody else stored, such as a recording, so that no browser takes it for a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from fastapi import Request
from fastapi.responses import Response

from cutback.domain.errors import RangeNotSatisfiableError
from cutback.domain.media_types import UNKNOWN
from cutback.storage.object_info import ObjectInfo
from cutback.storage.store import Store
from cutback.web.api.file_response import StoredFile, send, unsatisfiable
from cutback.web.api.problems import respond


def send_to_be_shown(request: Request, store: Store, info: ObjectInfo, types: Mapping[str, str]) -> Response:
    """Answer with the file, or the ranges of it that are asked for.

    `types` are the media types that browsers may show, by extension. Other files are sent as bytes to save.
    """
    media_type = types.get(PurePosixPath(info.key).suffix.lower(), UNKNOWN)
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if media_type == UNKNOWN:
        headers["Content-Disposition"] = "attachment"
    try:
        return send(StoredFile(store, info, media_type, headers), request.headers, body=True)
    except RangeNotSatisfiableError as error:
        return respond(request, error, unsatisfiable(info.size))
