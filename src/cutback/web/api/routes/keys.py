"""API keys: make, list and revoke them. A tenant's administrator sees and makes only the tenant's own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from cutback.domain.api_keys import KeyName, Scope
from cutback.domain.base import Model
from cutback.domain.errors import Fault, InvalidRequestError, TenantNotFoundError
from cutback.domain.tenants import TenantName
from cutback.lifecycle import api_keys
from cutback.web.api.access import Admin
from cutback.web.api.context import ServicesDep
from cutback.web.api.strict_json import StrictRoute

router = APIRouter(tags=["keys"], route_class=StrictRoute)

Limit = Annotated[int, Query(ge=1, le=1000, description="Most items of one page.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]


class NewKey(Model):
    """What a new key permits."""

    name: KeyName
    scopes: tuple[Scope, ...] = Field((Scope.READ, Scope.REQUEST), min_length=1, max_length=3)
    tenant: TenantName | None = None
    """The caller's own tenant if left out."""


@router.post("/keys", status_code=201)
def create_key(new: NewKey, services: ServicesDep, caller: Admin, response: Response) -> dict[str, Any]:
    """Make a key. The answer has its text in `key`, which cannot be read again."""
    tenant = caller.tenant if new.tenant is None else new.tenant
    if caller.tenant and tenant != caller.tenant:
        raise TenantNotFoundError(f"The name is {tenant}.")
    key, text = api_keys.create_key(services, name=new.name, scopes=new.scopes, tenant=tenant)
    response.headers["Location"] = f"/v1/keys/{key.id}"
    response.headers["Cache-Control"] = "no-store"
    return {**key.public(), "key": text}


@router.get("/keys")
def list_keys(services: ServicesDep, caller: Admin, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """List the keys by id, without their texts."""
    try:
        found, following = api_keys.list_keys(services, tenant=caller.tenant or None, limit=limit, cursor=cursor)
    except ValueError:
        raise InvalidRequestError([Fault("cursor", "must be `next` of a page")]) from None
    return {"items": [key.public() for key in found], "next": following}


@router.get("/keys/{key_id}")
def read_key(key_id: str, services: ServicesDep, caller: Admin) -> dict[str, Any]:
    """Return a key, without its text."""
    return api_keys.get_key(services, key_id, tenant=caller.tenant or None).public()


@router.delete("/keys/{key_id}", status_code=204)
def revoke_key(key_id: str, services: ServicesDep, caller: Admin) -> None:
    """Revoke a key: every node refuses requests with it from now on."""
    api_keys.revoke_key(services, key_id, tenant=caller.tenant or None)
