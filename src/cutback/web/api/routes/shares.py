"""Shares: make links to clips for people without a key, list them, revoke them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from cutback.domain.shares import Share, ShareFields
from cutback.lifecycle import shares
from cutback.services import Services
from cutback.web.api.access import Reader, Requester
from cutback.web.api.context import Address, ServicesDep
from cutback.web.api.openapi import responses
from cutback.web.api.routes.webhooks import owner_of, wrong_cursor
from cutback.web.api.strict_json import StrictRoute
from cutback.web.api.visible import visible_clip

_ERRORS = responses("Problem", errors=(404, 409, 413, 422, 503))

router = APIRouter(prefix="/shares", tags=["shares"], route_class=StrictRoute, responses=_ERRORS)


@router.post("", status_code=201)
def share_clip(
    fields: ShareFields, services: ServicesDep, caller: Requester, address: Address, response: Response
) -> dict[str, Any]:
    """Share a clip that is ready. The answer has the link, as `url`."""
    clip = visible_clip(services, caller, fields.clip)
    share, _ = shares.share_clip(services, clip, expires_in=fields.expires_in, download=fields.download)
    response.headers["Location"] = f"/v1/shares/{share.id}"
    return _shown(services, share, address)


@router.get("")
def list_shares(
    services: ServicesDep,
    caller: Reader,
    address: Address,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """List shares with their links."""
    try:
        found, following = shares.list_shares(services, tenant=owner_of(caller), limit=limit, cursor=cursor)
    except ValueError:
        raise wrong_cursor() from None
    return {"items": [_shown(services, share, address) for share in found], "next": following}


@router.get("/{share_id}")
def read_share(share_id: str, services: ServicesDep, caller: Reader, address: Address) -> dict[str, Any]:
    """Return a share with its link."""
    return _shown(services, shares.get_share(services, share_id, tenant=owner_of(caller)), address)


@router.delete("/{share_id}", status_code=204)
def revoke_share(share_id: str, services: ServicesDep, caller: Requester) -> None:
    """Revoke a share: its link stops working at once."""
    shares.revoke_share(services, share_id, tenant=owner_of(caller))


def _shown(services: Services, share: Share, address: str) -> dict[str, Any]:
    return {**share.public(), "url": f"{address}/s/{shares.token_of(services, share)}"}
