"""Uploads of recordings: in parts, each of which can be sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import anyio.from_thread
import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from cutback.domain.base import Model
from cutback.domain.errors import BodyTooLargeError, Fault, InvalidRequestError, NotFoundError
from cutback.domain.uploads import UploadedPart, UploadFields
from cutback.lifecycle import uploads
from cutback.web.api.access import Reader, Requester
from cutback.web.api.context import ServicesDep
from cutback.web.api.guard import allowance_of
from cutback.web.api.openapi import responses
from cutback.web.api.routes.webhooks import owner_of, wrong_cursor
from cutback.web.api.strict_json import StrictRoute

_ERRORS = responses("Problem", errors=(404, 409, 413, 422, 503, 507))

router = APIRouter(prefix="/uploads", tags=["uploads"], route_class=StrictRoute, responses=_ERRORS)

PARTS_AT_ONCE = 32
"""Parts that arrive in a process at once; others wait. A part takes a thread for as long as its client sends it, so
parts have threads of their own: slow clients must not take those of all other requests."""


class PartNumbers(Model):
    """Parts to sign."""

    numbers: Annotated[tuple[int, ...], Field(min_length=1, max_length=uploads.SIGNED_AT_ONCE)] = Field(
        description="The numbers of the parts, from 1."
    )


@router.post("", status_code=201)
def begin_upload(fields: UploadFields, services: ServicesDep, caller: Requester, response: Response) -> dict[str, Any]:
    """Begin an upload. The answer has the recording's key, the size of each part, and how many parts there are.

    `untold` names what neither key nor request says, `camera` and `start`: without a camera, the recording will not be
    listed, and without a start only if its container says when it was made.
    """
    if not caller.may_see_key(fields.key):
        raise InvalidRequestError([Fault("key", "is not below one of the prefixes of this tenant")])
    upload = uploads.begin_upload(services, fields, tenant=caller.tenant, may_see_camera=caller.may_see_camera)
    response.headers["Location"] = f"/v1/uploads/{upload.id}"
    return {**upload.public(), "direct": services.part_store.is_direct, "untold": uploads.untold(services, fields)}


@router.get("")
def list_uploads(
    services: ServicesDep,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """List uploads: those in progress, and those that ended within a day."""
    try:
        found, following = uploads.list_uploads(services, tenant=owner_of(caller), limit=limit, cursor=cursor)
    except ValueError:
        raise wrong_cursor() from None
    return {"items": [upload.public() for upload in found], "next": following}


@router.get("/{upload_id}")
def read_upload(upload_id: str, services: ServicesDep, caller: Reader) -> dict[str, Any]:
    """Return an upload."""
    return uploads.get_upload(services, upload_id, tenant=owner_of(caller)).public()


@router.post("/{upload_id}/parts")
def sign_parts(upload_id: str, parts: PartNumbers, services: ServicesDep, caller: Requester) -> dict[str, Any]:
    """Return where to `PUT` these parts. URLs of a store work for an hour; ask again when they have expired."""
    upload = uploads.get_upload(services, upload_id, tenant=owner_of(caller))
    return {"items": uploads.sign_parts(services, upload, parts.numbers), "next": None}


@router.get("/{upload_id}/parts")
def list_parts(upload_id: str, services: ServicesDep, caller: Reader) -> dict[str, Any]:
    """List the parts that have arrived."""
    upload = uploads.get_upload(services, upload_id, tenant=owner_of(caller))
    return {"items": [_shown(part) for part in uploads.list_parts(services, upload)], "next": None}


@router.put(
    "/{upload_id}/parts/{number}",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_part(
    upload_id: str, number: int, request: Request, services: ServicesDep, caller: Requester
) -> dict[str, Any]:
    """Send a part, if the source store is a folder. It must have exactly the size that was announced for it."""
    upload = await run_in_threadpool(uploads.get_upload, services, upload_id, tenant=owner_of(caller))
    try:
        size = upload.size_of(number)
    except ValueError:
        raise NotFoundError(f"The upload has {upload.parts} parts.") from None
    declared = request.headers.get("content-length")
    if declared is not None and declared != str(size):
        raise InvalidRequestError([Fault("Content-Length", f"must be {size}")])
    allowance = allowance_of(request)
    allowance.body_bytes = allowance.body_seconds = None  # `_chunks` counts the bytes
    allowance.body_rate = services.settings.upload_rate
    stream = request.stream()
    threads: anyio.CapacityLimiter = request.app.state.part_threads
    part = await anyio.to_thread.run_sync(
        uploads.put_part, services, upload, number, _chunks(stream, size), limiter=threads
    )
    return _shown(part)


@router.post("/{upload_id}/complete")
def complete_upload(upload_id: str, services: ServicesDep, caller: Requester) -> dict[str, Any]:
    """Make the parts a recording. It is looked into, as every recording is, and refused if it is not one."""
    return uploads.complete_upload(services, upload_id, tenant=owner_of(caller)).public()


@router.delete("/{upload_id}", status_code=204)
def abort_upload(upload_id: str, services: ServicesDep, caller: Requester) -> None:
    """Remove an upload with its parts."""
    uploads.abort_upload(services, upload_id, tenant=owner_of(caller))


def _shown(part: UploadedPart) -> dict[str, Any]:
    return {"number": part.number, "size": part.size, "etag": part.etag}


def _chunks(stream: AsyncIterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the body's chunks in the thread that stores them, as fast as it does. They must have `size` bytes."""
    got = 0
    while True:
        chunk = anyio.from_thread.run(_next, stream)
        if chunk is None:
            break
        got += len(chunk)
        if got > size:
            raise BodyTooLargeError(f"This part has {size} bytes.")
        yield chunk
    if got != size:
        raise InvalidRequestError([Fault("", f"the part must have {size} bytes, and has {got}")])


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    try:
        return await anext(stream, None)
    except ClientDisconnect:
        raise InvalidRequestError([Fault("", "the part did not arrive completely")]) from None
