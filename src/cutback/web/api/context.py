"""What routes get with each request."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from cutback.domain.base import MAX_JSON_BYTES
from cutback.domain.errors import BodyTooLargeError
from cutback.services import Services
from cutback.web.api.sandbox_slots import SandboxSlots


def services_of(request: Request) -> Services:
    """Return the services that `create_app` was given."""
    return cast("Services", request.app.state.services)


async def read_body(request: Request) -> bytes:
    """Read the body, but no more of it than a request for a clip may have.

    Raises:
        BodyTooLargeError: it is larger.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise BodyTooLargeError(f"It may have {MAX_JSON_BYTES} bytes.")
    return bytes(body)


def address_of(request: Request) -> str:
    """Return where the API is: CUTBACK_PUBLIC_URL, or as this request addressed it, such as `http://127.0.0.1:8080`."""
    return services_of(request).settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")


def slots_of(request: Request) -> SandboxSlots:
    """Return the slots of this node for work in the sandbox."""
    return cast("SandboxSlots", request.app.state.sandbox_slots)


SlotsDep = Annotated[SandboxSlots, Depends(slots_of)]
"""What limits the work in the sandbox that requests may cause at once."""

Address = Annotated[str, Depends(address_of)]
"""The beginning of links."""

ServicesDep = Annotated[Services, Depends(services_of)]
"""The services of this process."""

Body = Annotated[bytes, Depends(read_body)]
"""The body as it was sent, to be parsed by `cutback.domain.base.read_json`, which is stricter than FastAPI."""
