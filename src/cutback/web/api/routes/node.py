"""What load balancers and orchestrators ask a server. These answers touch no database, queue or store."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

import cutback
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
