"""Tenants: who shares this installation, and what each of them sees."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from cutback.domain.errors import Fault, InvalidRequestError
from cutback.domain.tenants import TenantName, Visible
from cutback.lifecycle import tenants
from cutback.web.api.access import Operator
from cutback.web.api.context import ServicesDep
from cutback.web.api.routes.keys import Cursor, Limit
from cutback.web.api.strict_json import StrictRoute

router = APIRouter(tags=["tenants"], route_class=StrictRoute)

Name = Annotated[TenantName, Path(description="The tenant's name.")]


@router.put(
    "/tenants/{name}",
    responses={
        201: {"description": "The tenant is new.", "content": {"application/json": {"schema": {"type": "object"}}}}
    },
)
def put_tenant(
    name: Name, visible: Visible, services: ServicesDep, _caller: Operator, response: Response
) -> dict[str, Any]:
    """Store a tenant, or change what it sees."""
    tenant, new = tenants.put_tenant(services, name, visible)
    response.status_code = 201 if new else 200
    return tenant.model_dump(mode="json")


@router.get("/tenants")
def list_tenants(services: ServicesDep, _caller: Operator, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """List the tenants by name."""
    try:
        found, following = tenants.list_tenants(services, limit=limit, cursor=cursor)
    except ValueError:
        raise InvalidRequestError([Fault("cursor", "must be `next` of a page")]) from None
    return {"items": [tenant.model_dump(mode="json") for tenant in found], "next": following}


@router.get("/tenants/{name}")
def read_tenant(name: Name, services: ServicesDep, _caller: Operator) -> dict[str, Any]:
    """Return a tenant."""
    return tenants.get_tenant(services, name).model_dump(mode="json")


@router.delete("/tenants/{name}", status_code=204)
def remove_tenant(name: Name, services: ServicesDep, _caller: Operator) -> None:
    """Remove a tenant: its keys are refused from now on. Its clips stay."""
    tenants.remove_tenant(services, name)
