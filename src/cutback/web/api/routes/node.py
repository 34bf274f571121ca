"""What load balancers and orchestrators ask a server. Only `/metrics` reads queues and records."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

import cutback
from cutback.web.api.access import Operator
from cutback.web.api.metrics import Metrics
from cutback.web.api.node import Node, NodeState

router = APIRouter(tags=["node"])

_NO_KEY: dict[str, list[str]] = {"security": []}


@router.get("/healthz", openapi_extra=_NO_KEY)
async def healthz() -> dict[str, str]:
    """Say that the process runs. If this fails, restart it."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    openapi_extra=_NO_KEY,
    responses={503: {"description": "The server is starting or draining; send clients elsewhere."}},
)
async def readyz(request: Request, response: Response) -> dict[str, str]:
    """Say whether to send clients here. The status is 503 while the server starts and while it drains."""
    node: Node = request.app.state.node
    if node.state is not NodeState.READY:
        response.status_code = 503
    return {"status": node.state.value}


@router.get("/version", openapi_extra=_NO_KEY)
async def version() -> dict[str, str]:
    """Return Cutback's version."""
    return {"version": cutback.__version__}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"description": "Metrics in the text format of Prometheus."}},
)
def metrics(request: Request, _caller: Operator) -> Response:
    """Return metrics for Prometheus: requests of this server, the queues, and the workers of all machines."""
    measured: Metrics = request.app.state.metrics
    return Response(measured.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
