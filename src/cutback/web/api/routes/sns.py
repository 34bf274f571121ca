"""The endpoint that Amazon SNS calls, so that nodes hear of events at once."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cutback.web.api.access import Anybody
from cutback.web.api.context import Body
from cutback.web.api.openapi import responses
from cutback.web.api.sns import SnsSubscription

router = APIRouter(tags=["events"])


@router.post(
    "/sns",
    status_code=204,
    dependencies=[Anybody],
    openapi_extra={"security": []},
    responses=responses("Problem", errors=(403, 404, 413, 422, 429, 503)),
)
def take_message(request: Request, body: Body) -> Response:
    """Take a message of Amazon SNS. It needs no key: its signature is checked instead."""
    subscription: SnsSubscription = request.app.state.sns
    subscription.take(body)
    return Response(status_code=204)
