"""Plans: what a clip would be, without making it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from cutback.domain.base import read_json
from cutback.lifecycle.plan import plan_clip
from cutback.web.api.access import Reader
from cutback.web.api.clip_requests import read_request
from cutback.web.api.context import Body, ServicesDep, SlotsDep
from cutback.web.api.openapi import body_of, responses
from cutback.web.api.sandbox_slots import short
from cutback.web.api.visible import check_sources

router = APIRouter(tags=["clips"])


@router.post(
    "/plans",
    response_model=None,
    openapi_extra=body_of("ClipRequest"),
    responses=responses("Plan", 200, errors=(404, 409, 413, 422, 503)),
)
def plan(body: Body, services: ServicesDep, caller: Reader, slots: SlotsDep) -> dict[str, Any]:
    """Return what the clip of a request would be: nothing is made or stored.

    The answer has the frames that would be copied and encoded and why, the bytes to read, the expected size and
    seconds, and the real first and last frame of each span.
    """
    request = read_request(read_json(body), caller, services.settings.request_rules)
    check_sources(services, caller, request)
    with slots.one():
        return plan_clip(services, request, limits=short(services.settings.limits), stopped=lambda: False)
