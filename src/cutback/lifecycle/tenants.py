"""Tenants in the registry: store one, find one, list them, remove one."""

from __future__ import annotations

import logging

from cutback.domain.base import read_stored
from cutback.domain.errors import TenantNotFoundError
from cutback.domain.readable import readable_documents
from cutback.domain.tenants import Tenant, Visible
from cutback.ports import Document, every_document
from cutback.services import Services

log = logging.getLogger(__name__)

KIND = "tenant"


def put_tenant(services: Services, name: str, visible: Visible) -> tuple[Tenant, bool]:
    """Store a tenant, or change what it sees. Returns it, and whether it is new."""
    while True:
        found = services.registry.get(KIND, name)
        created_at = services.clock() if found is None else _tenant(found).created_at
        tenant = Tenant(name=name, created_at=created_at, **visible.model_dump(include={"recordings", "cameras"}))
        content = tenant.model_dump(mode="json")
        if found is None:
            stored = services.registry.put_new(KIND, name, content)
        else:
            stored = services.registry.replace(found, content)
        if stored is not None:
            log.info("tenant=%s stored=yes", name)
            return tenant, found is None


def get_tenant(services: Services, name: str) -> Tenant:
    """Return a tenant.

    Raises:
        TenantNotFoundError: there is none.
    """
    found = services.registry.get(KIND, name)
    if found is None:
        raise TenantNotFoundError(f"The name is {name}.")
    return _tenant(found)


def list_tenants(services: Services, *, limit: int = 50, cursor: str | None = None) -> tuple[list[Tenant], str | None]:
    """Return tenants by name, and the cursor of the next page.

    Raises:
        ValueError: `cursor` is not from this function.
    """
    page = services.registry.list(KIND, limit=limit, cursor=cursor)
    return readable_documents(_tenant, page.documents), page.next_cursor


def all_tenants(services: Services) -> list[Tenant]:
    """Return every tenant, by name."""
    return readable_documents(_tenant, every_document(services.registry, KIND))


def remove_tenant(services: Services, name: str) -> None:
    """Remove a tenant. Its keys are refused from now on; its clips stay.

    Raises:
        TenantNotFoundError: there is none.
    """
    while True:
        found = services.registry.get(KIND, name)
        if found is None:
            raise TenantNotFoundError(f"The name is {name}.")
        if services.registry.remove(found):
            log.info("tenant=%s removed=yes", name)
            return


def _tenant(document: Document) -> Tenant:
    return read_stored(Tenant, document.content)
