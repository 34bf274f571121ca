"""API keys in the registry: make one, find one by its text, list them, revoke one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from cutback.domain.api_keys import ApiKey, Scope, digest_of, is_key_text, key_id_of, new_key_text
from cutback.domain.base import read_stored
from cutback.domain.errors import KeyNotFoundError, SurroundingsError
from cutback.domain.readable import readable_documents
from cutback.lifecycle.tenants import get_tenant
from cutback.ports import Document, every_document
from cutback.services import Services

log = logging.getLogger(__name__)

KIND = "api_key"
USE_NOTED_EVERY = timedelta(minutes=10)
"""A request writes the time of the last use only if the noted one is older than this."""


def create_key(services: Services, *, name: str, scopes: Iterable[Scope], tenant: str = "") -> tuple[ApiKey, str]:
    """Store a new key. Returns it and its text, which is not stored and cannot be restored.

    Raises:
        TenantNotFoundError: there is no such tenant.
    """
    if tenant:
        get_tenant(services, tenant)
    chosen = set(scopes)
    while True:
        text = new_key_text()
        key = ApiKey(
            id=key_id_of(text),
            name=name,
            tenant=tenant,
            scopes=tuple(scope for scope in Scope if scope in chosen),
            digest=digest_of(text),
            created_at=services.clock(),
        )
        if services.registry.put_new(KIND, key.id, key.model_dump(mode="json"), owner=tenant) is not None:
            log.info("key=%s tenant=%s scopes=%s created=yes", key.id, tenant or "-", ",".join(key.scopes))
            return key, text


def any_key(services: Services) -> bool:
    """Whether there is a key at all. Without one, everybody on this machine may do everything."""
    return bool(services.registry.list(KIND, limit=1).documents)


def find_key(services: Services, text: str) -> ApiKey | None:
    """Return the key with this text, and note its use; None if there is none."""
    if not is_key_text(text):
        return None
    found = services.registry.get(KIND, key_id_of(text))
    if found is None or not _key(found).matches(text):
        return None
    return _used(services, found)


def key_by_id(services: Services, key_id: str) -> ApiKey | None:
    """Return the key with this id, which its owner has proved before, and note its use; None if it was revoked."""
    found = services.registry.get(KIND, key_id)
    return None if found is None else _used(services, found)


def get_key(services: Services, key_id: str, *, tenant: str | None = None) -> ApiKey:
    """Return a key, of a tenant or (None) of anyone.

    Raises:
        KeyNotFoundError: there is none.
    """
    return _key(_found(services, key_id, tenant))


def list_keys(
    services: Services, *, tenant: str | None = None, limit: int = 50, cursor: str | None = None
) -> tuple[list[ApiKey], str | None]:
    """Return keys by id, of a tenant or (None) of all, and the cursor of the next page. Passes over unreadable ones.

    Raises:
        ValueError: `cursor` is not from this function.
    """
    page = services.registry.list(KIND, owner=tenant, limit=limit, cursor=cursor)
    return readable_documents(_key, page.documents), page.next_cursor


def all_keys(services: Services) -> list[ApiKey]:
    """Return every key, by id."""
    return readable_documents(_key, every_document(services.registry, KIND))


def revoke_key(services: Services, key_id: str, *, tenant: str | None = None) -> None:
    """Remove a key, of a tenant or (None) of anyone. Requests with it are refused from now on, on every node.

    Raises:
        KeyNotFoundError: there is none.
    """
    while not services.registry.remove(_found(services, key_id, tenant)):
        pass  # its use was noted meanwhile
    log.info("key=%s revoked=yes", key_id)


def _found(services: Services, key_id: str, tenant: str | None) -> Document:
    found = services.registry.get(KIND, key_id)
    if found is None or tenant not in {None, found.owner}:
        raise KeyNotFoundError(f"The id is {key_id}.")
    return found


def _key(document: Document) -> ApiKey:
    return read_stored(ApiKey, document.content)


def _used(services: Services, document: Document) -> ApiKey:
    key, now = _key(document), services.clock()
    if key.last_used_at is not None and now - key.last_used_at < USE_NOTED_EVERY:
        return key
    used = key.model_copy(update={"last_used_at": now})
    content: dict[str, Any] = used.model_dump(mode="json")
    try:
        services.registry.replace(document, content)
    except SurroundingsError as error:  # a full disk is no reason to refuse a reader
        log.warning("key=%s the last use cannot be noted: %s", key.id, error.message)
    return used
