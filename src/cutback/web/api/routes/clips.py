"""Clips: request them, list them, look at one, change it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, ConfigDict, Field

from cutback.domain.base import Model, read_json
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import (
    CutbackError,
    Fault,
    InvalidRequestError,
    PreconditionFailedError,
    PreconditionRequiredError,
    SurroundingsError,
)
from cutback.domain.requests.request import ClipRequest, validate_description
from cutback.lifecycle import accept
from cutback.lifecycle.lookup import get_clip
from cutback.ports import ClipQuery
from cutback.services import Services
from cutback.web.api.access import Caller, Reader, Requester
from cutback.web.api.clip_requests import read_requests, with_key
from cutback.web.api.clip_view import ClipView, etag_of, names_revision, recordings_of, tags_in
from cutback.web.api.context import Address, Body, ServicesDep
from cutback.web.api.event_feed import EventFeed
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.openapi import body_of, responses
from cutback.web.api.problems import describe
from cutback.web.api.visible import visible_clip
from cutback.worker.webhooks import check_address

router = APIRouter(tags=["clips"])

LONGEST_WAIT = 60
"""Seconds."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two looks at a clip that somebody waits for."""

ClipId = Annotated[str, Path(description="The clip's id.", max_length=256)]
IfMatch = Annotated[str | None, Header(description="The clip's `ETag`.")]


class ClipFilter(Model):
    """Which clips to list. Unknown parameters are refused, so that a misspelt filter is not ignored."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    state: list[ClipState] = Field(default=[], max_length=20, description="Any of these states.")
    camera: str | None = Field(None, max_length=200, description="A camera that the request names.")
    recording: str | None = Field(None, max_length=1024, description="A recording that the request names.")
    tag: str | None = Field(None, max_length=64, description="A tag of the clip.")
    text: str = Field(
        "", max_length=200, description="Words that all occur in id, title, tags, labels, cameras or recordings."
    )
    created_from: AwareDatetime | None = Field(None, alias="from", description="Requested at this moment or later.")
    created_before: AwareDatetime | None = Field(None, alias="to", description="Requested before this moment.")
    limit: int = Field(50, ge=1, le=200, description="Most clips of one page.")
    cursor: str | None = Field(None, max_length=1000, description="`next` of the page before.")
    total: bool = Field(default=False, description="Whether to count all matching clips, which takes longer.")

    def query(self, tenant: str) -> ClipQuery:
        """Return the query for the clips of a tenant; if it is empty, for those of all."""
        return ClipQuery(
            states=tuple(self.state),
            tag=self.tag,
            recording=self.recording,
            created_from=self.created_from,
            created_before=self.created_before,
            camera=self.camera,
            tenant=tenant or None,
            text=self.text,
        )


@router.post(
    "/clips",
    status_code=HTTPStatus.ACCEPTED,
    response_model=None,
    openapi_extra=body_of("ClipRequest", "ClipRequests"),
    responses=responses("Clip", 200, 202, errors=(404, 409, 413, 422, 503)) | responses("Results", 207),
)
def request_clips(
    body: Body,
    services: ServicesDep,
    caller: Requester,
    address: Address,
    idempotency_key: Annotated[str | None, Header(description="Becomes the clip's id.")] = None,
) -> JsonResponse:
    """Request a clip, or a list of clips.

    A new clip is 202. The same request again is 200, with the clip as it is now. A list, or a request for several
    cameras, is 207 with a clip or a problem for each.
    """
    content = with_key(read_json(body), idempotency_key)
    items = read_requests(services, caller, content)
    view = ClipView(address, services.settings, caller.tenant)
    if len(items) > 1 or isinstance(content, list):
        return JsonResponse({"items": _request_many(services, caller, items, view)}, HTTPStatus.MULTI_STATUS)
    clip, is_new = _request(services, caller, items[0])
    status = HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK
    answer = _answer(clip, view, status=status)
    answer.headers["Location"] = view.address_of(clip)
    if not clip.state.final:
        answer.headers["Retry-After"] = "1"
    return answer


def _request(services: Services, caller: Caller, item: ClipRequest | CutbackError) -> tuple[Clip, bool]:
    if isinstance(item, CutbackError):
        raise item
    if item.webhook is not None:
        check_address(services.settings, item.webhook, local=caller.is_local)
    return accept.submit_or_find(services, item)


def _request_many(
    services: Services, caller: Caller, items: Iterable[ClipRequest | CutbackError], view: ClipView
) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    outage: SurroundingsError | None = None
    for item in items:
        try:
            # What the queue or the records do not take now, they are not asked for again: each would be waited for.
            wanted = outage if outage is not None and isinstance(item, ClipRequest) else item
            clip, is_new = _request(services, caller, wanted)
        except CutbackError as error:
            outage = error if isinstance(error, SurroundingsError) else outage
            problem = describe(services.settings, error)
            results.append({"status": problem["status"], "problem": problem})
        else:
            results.append({"status": HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK, "clip": view.show(clip)})
    return results


@router.get("/clips", response_model=None, responses=responses("ClipPage", 200, errors=(422, 503)))
def list_clips(
    wanted: Annotated[ClipFilter, Query()], services: ServicesDep, caller: Reader, address: Address
) -> dict[str, Any]:
    """List clips, newest first. Pages stay correct while clips are added and removed."""
    query = wanted.query(caller.tenant)
    try:
        page = services.records.list_clips(query, limit=wanted.limit, cursor=wanted.cursor)
    except ValueError:
        raise InvalidRequestError([Fault("cursor", "must be `next` of a page")]) from None
    view = ClipView(address, services.settings, caller.tenant, recordings_of(services, page.clips))
    found: dict[str, Any] = {
        "items": [view.show(clip) for clip in page.clips],
        "next": page.next_cursor,
    }
    return found | ({"total": services.records.count_clips(query)} if wanted.total else {})


@router.get(
    "/clips/{clip_id}",
    response_model=None,
    responses=responses("Clip", 200, errors=(404, 422, 503)) | {304: {"description": "The clip has not changed."}},
)
async def read_clip(
    clip_id: ClipId,
    request: Request,
    services: ServicesDep,
    caller: Reader,
    address: Address,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for a change.")] = 0,
    if_none_match: Annotated[str | None, Header(description="The `ETag` of the clip that you have.")] = None,
) -> Response:
    """Return a clip.

    With `wait`, the answer comes when the clip is finished. If you also send its `ETag` as `If-None-Match`, it comes as
    soon as anything about the clip changes, or is 304 if nothing does in that time.
    """
    known = tags_in(if_none_match or "")

    def is_news(clip: Clip) -> bool:
        return etag_of(clip) not in known if known else clip.state.final

    clip = await _await_clip(lambda: visible_clip(services, caller, clip_id), is_news, wait, request)
    if etag_of(clip) in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_headers(clip))
    known_recordings = await run_in_threadpool(recordings_of, services, [clip])
    return _answer(clip, ClipView(address, services.settings, caller.tenant, known_recordings))


async def _await_clip(
    look: Callable[[], Clip], is_news: Callable[[Clip], bool], seconds: float, request: Request
) -> Clip:
    """Look at the clip until it has news, the time is over, the client is gone or the server stops.

    Pauses grow while nothing happens.
    """
    events: EventFeed = request.app.state.events
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        clip = await run_in_threadpool(look)
        left = deadline - time.monotonic()
        if left <= 0 or is_news(clip) or events.closed or await request.is_disconnected():
            return clip
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


@router.patch(
    "/clips/{clip_id}",
    response_model=None,
    openapi_extra=body_of("ClipDescription"),
    responses=responses("Clip", 200, errors=(404, 412, 413, 422, 428, 503)),
)
def describe_clip(
    clip_id: ClipId, body: Body, services: ServicesDep, caller: Requester, address: Address, if_match: IfMatch = None
) -> JsonResponse:
    """Change a clip's title, tags or labels. Fields that you leave out stay as they are."""
    description = validate_description(read_json(body))
    clip = get_clip(services, visible_clip(services, caller, clip_id).id)
    if if_match is None:
        raise PreconditionRequiredError
    if not names_revision(if_match, clip):
        raise PreconditionFailedError
    view = ClipView(address, services.settings, caller.tenant)
    return _answer(accept.describe(services, clip, description), view)


@router.post(
    "/clips/{clip_id}/cancel", response_model=None, responses=responses("Clip", 200, errors=(404, 409, 422, 503))
)
def cancel_clip(clip_id: ClipId, services: ServicesDep, caller: Requester, address: Address) -> JsonResponse:
    """Cancel a clip that is not finished."""
    return _change(services, caller, clip_id, address, accept.cancel)


@router.post(
    "/clips/{clip_id}/retry",
    status_code=HTTPStatus.ACCEPTED,
    response_model=None,
    responses=responses("Clip", 202, errors=(404, 409, 422, 503)),
)
def retry_clip(clip_id: ClipId, services: ServicesDep, caller: Requester, address: Address) -> JsonResponse:
    """Try a failed or cancelled clip again."""
    return _change(services, caller, clip_id, address, accept.retry, status=HTTPStatus.ACCEPTED)


@router.delete("/clips/{clip_id}", response_model=None, responses=responses("Clip", 200, errors=(404, 409, 422, 503)))
def delete_clip(clip_id: ClipId, services: ServicesDep, caller: Requester, address: Address) -> JsonResponse:
    """Delete a clip: its files and its record. Until `delete_at`, it can be restored."""
    return _change(services, caller, clip_id, address, accept.delete_later)


@router.post(
    "/clips/{clip_id}/restore", response_model=None, responses=responses("Clip", 200, errors=(404, 409, 422, 503))
)
def restore_clip(clip_id: ClipId, services: ServicesDep, caller: Requester, address: Address) -> JsonResponse:
    """Take the deletion of a clip back."""
    return _change(services, caller, clip_id, address, accept.restore)


def _change(
    services: Services,
    caller: Caller,
    clip_id: str,
    address: str,
    change: Callable[[Services, str], Clip],
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> JsonResponse:
    clip = visible_clip(services, caller, clip_id)
    view = ClipView(address, services.settings, caller.tenant)
    return _answer(change(services, clip.id), view, status=status)


def _answer(clip: Clip, view: ClipView, *, status: HTTPStatus = HTTPStatus.OK) -> JsonResponse:
    return JsonResponse(view.show(clip), status, _headers(clip))


def _headers(clip: Clip) -> dict[str, str]:
    return {"ETag": etag_of(clip), "Cache-Control": "private, no-cache"}
