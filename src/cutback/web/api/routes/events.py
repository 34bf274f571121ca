"""Events: as a stream, and page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import Fault, InvalidRequestError, StoppedError
from cutback.domain.requests.sources import CameraName
from cutback.web.api.access import Caller, Reader, address_of
from cutback.web.api.event_feed import EventFeed, LoggedEvent
from cutback.web.api.event_stream import EventStreamResponse, Stream
from cutback.web.api.guard import STOPPING
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.openapi import responses

router = APIRouter(tags=["events"])

_LARGEST = 2**63 - 1

_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The events. A stream has, for each, the lines `id` (its position), `event` and `data`.",
        "content": {
            "text/event-stream": {"schema": {"type": "string"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["items", "next"],
                    "properties": {
                        "items": {"type": "array", "items": {"type": "object"}},
                        "next": {"type": "string"},
                    },
                }
            },
        },
    },
    **responses("Problem", errors=(422, 429, 503)),
}


@router.get("/events", response_model=None, responses=_CONTENT)
async def events(
    request: Request,
    caller: Reader,
    camera: Annotated[list[CameraName] | None, Query(max_length=50)] = None,
    state: Annotated[list[ClipState] | None, Query(max_length=50)] = None,
    clip: Annotated[list[str] | None, Query(max_length=200)] = None,
    after: Annotated[int | None, Query(ge=0, le=_LARGEST)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    accept: Annotated[str, Header()] = "*/*",
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Return what happened to clips: a stream of server-sent events, or with `Accept: application/json` one page.

    A stream resumes after `Last-Event-ID` or `after`, and otherwise has the events from now on. A page begins after
    `after`; pass its `next` as the following `after`. Several values of one filter mean any of them.
    """
    feed: EventFeed = request.app.state.events
    wants = chosen(caller, cameras=camera or (), states=state or (), clips=clip or ())
    if wants_page(accept, has_after=after is not None):
        return await asyncio.to_thread(_page, feed, wants, after or 0, limit)
    if feed.closed:
        raise StoppedError(STOPPING)
    resume = _position(last_event_id) if last_event_id else after
    last = await asyncio.to_thread(feed.open)
    stream = Stream(feed, last if resume is None else min(resume, last), wants)
    who = caller.key_id or address_of(request)
    return EventStreamResponse(stream, request.app.state.stream_places, who)


def wants_page(accept: str, *, has_after: bool) -> bool:
    """Whether a client that accepts these types gets a page of JSON instead of a stream. Pure."""
    types = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    if "text/event-stream" in types:
        return False
    return "application/json" in types or has_after


def chosen(
    caller: Caller, *, cameras: list[str] | tuple[()], states: list[ClipState] | tuple[()], clips: list[str] | tuple[()]
) -> Callable[[LoggedEvent], bool]:
    """Return what decides whether a client gets an event."""
    wanted_cameras, wanted_states, wanted_clips = frozenset(cameras), frozenset(states), frozenset(clips)

    def wants(logged: LoggedEvent) -> bool:
        if wanted_states and logged.state not in wanted_states:
            return False
        if wanted_cameras and not wanted_cameras & logged.cameras:
            return False
        if wanted_clips and not wanted_clips & logged.clip_ids:
            return False
        return not caller.tenant or caller.tenant == logged.tenant

    return wants


def _page(feed: EventFeed, wants: Callable[[LoggedEvent], bool], after: int, limit: int) -> JsonResponse:
    """Return one page. It looks at a bounded part of the log, so it may have fewer events than there are."""
    items: list[dict[str, Any]] = []
    position = after
    for logged in feed.read(after):
        position = logged.position
        if wants(logged):
            items.append(logged.event.body())
            if len(items) == limit:
                break
    return JsonResponse({"items": items, "next": str(position)}, headers={"Cache-Control": "no-store"})


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidRequestError([Fault("Last-Event-ID", "must be the id of an event of this stream")])
    return int(text)
