"""Registered webhooks: registering, changing, listing and removing them, the log of deliveries, and redelivery."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from cutback.domain.base import read_stored
from cutback.domain.clips.event import Event
from cutback.domain.clips.webhook import DELIVERY_KIND, KIND, DeliveryTry, Webhook, WebhookFields
from cutback.domain.errors import (
    Fault,
    InvalidRequestError,
    NotFoundError,
    RecordsUnavailableError,
    TooManyError,
)
from cutback.domain.readable import readable_documents
from cutback.ports import Document
from cutback.services import Services

MOST_WEBHOOKS = 100
"""Of one tenant."""

KEPT_TRIES = 200
"""How many tries of each webhook stay in its log, or a few more."""

REDELIVERED_AT_ONCE = 500
"""Events that one call looks at."""

_PRUNE_EVERY = 10
_RACES = 20
_LATEST = 10**17
"""Microseconds; later than any time, so that newer entries sort first."""


def new_secret() -> str:
    """Return a random secret in the form of Standard Webhooks."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def add_webhook(services: Services, fields: WebhookFields, *, tenant: str) -> Webhook:
    """Register a webhook.

    Raises:
        InvalidRequestError: webhooks are not available with these settings.
        TooManyError: the tenant has too many.
        RecordsUnavailableError: the registry does not answer.
    """
    if services.webhooks is None:
        raise InvalidRequestError([Fault("url", "is not available: CUTBACK_WEBHOOK_QUEUE_URL is not set")])
    if len(services.registry.list(KIND, owner=tenant, limit=MOST_WEBHOOKS).documents) >= MOST_WEBHOOKS:
        raise TooManyError(f"There are {MOST_WEBHOOKS} webhooks.")
    now = services.clock()
    webhook = Webhook(
        id=f"wh_{secrets.token_hex(10)}",
        tenant=tenant,
        secret=new_secret(),
        created_at=now,
        updated_at=now,
        **fields.model_dump(),
    )
    stored = services.registry.put_new(KIND, webhook.id, webhook.model_dump(mode="json"), owner=tenant)
    if stored is None:
        raise RecordsUnavailableError("The id of a new webhook was taken.")
    return webhook


def list_webhooks(
    services: Services, *, tenant: str | None, limit: int, cursor: str | None
) -> tuple[list[Webhook], str | None]:
    """Return webhooks of a tenant (None: of all) by id, and the cursor of the next page.

    Raises:
        ValueError: `cursor` was not made by this function.
        RecordsUnavailableError: the registry does not answer.
    """
    page = services.registry.list(KIND, owner=tenant, limit=limit, cursor=cursor)
    return readable_documents(_read, page.documents), page.next_cursor


def get_webhook(services: Services, webhook_id: str, *, tenant: str | None) -> Webhook:
    """Return a webhook of a tenant (None: of any).

    Raises:
        NotFoundError: there is none.
        RecordsUnavailableError: the registry does not answer.
    """
    return _read(_document(services, webhook_id, tenant))


def change_webhook(
    services: Services, webhook_id: str, change: Callable[[Webhook], Webhook], *, tenant: str | None
) -> Webhook:
    """Apply `change` to the webhook as it is now. Raises like `get_webhook`."""
    for _ in range(_RACES):
        document = _document(services, webhook_id, tenant)
        changed = change(_read(document))
        if services.registry.replace(document, changed.model_dump(mode="json")) is not None:
            return changed
    raise RecordsUnavailableError("The webhook is being changed by too many at once.")


def remove_webhook(services: Services, webhook_id: str, *, tenant: str | None) -> None:
    """Remove a webhook with its log. Deliveries that are still queued are dropped. Raises like `get_webhook`."""
    while not services.registry.remove(_document(services, webhook_id, tenant)):
        pass  # it was changed meanwhile
    _drop_tries(services, webhook_id, keep=0)


def _document(services: Services, webhook_id: str, tenant: str | None) -> Document:
    document = services.registry.get(KIND, webhook_id)
    if document is None or tenant not in {None, document.owner}:
        raise NotFoundError(f"There is no webhook {webhook_id[:64]}.")
    return document


# --- deliveries ------------------------------------------------------------------------------------


def delivery_of(webhook: Webhook, event: Event) -> str:
    """Return the message that delivers an event to a registered webhook."""
    delivery = {"id": event.id, "url": webhook.url, "event": event.body(), "webhook": webhook.id}
    return json.dumps(delivery, ensure_ascii=False, separators=(",", ":"))


def redeliver(services: Services, webhook: Webhook, *, after: int) -> tuple[int, int | None]:
    """Queue the events after a position for a webhook once more.

    Looks at `REDELIVERED_AT_ONCE` events. Returns how many it queued, and the position at which to go on; None if there
    is nothing left.

    Raises:
        SurroundingsError: records or queue do not answer; some may be queued.
    """
    assert services.webhooks is not None
    page = services.records.events_after(after, limit=REDELIVERED_AT_ONCE)
    awake = webhook.model_copy(update={"paused": False})
    wanted = [delivery_of(webhook, event) for _, event in page if awake.wants(event)]
    services.webhooks.send_all(wanted)
    return len(wanted), page[-1][0] if len(page) == REDELIVERED_AT_ONCE else None


def log_try(services: Services, webhook_id: str, tried: DeliveryTry) -> None:
    """Add a try to the log of a webhook, and now and then remove old ones.

    Raises:
        RecordsUnavailableError: the registry does not answer.
    """
    age = _LATEST - int(tried.at.timestamp() * 1_000_000)
    name = f"{webhook_id}.{age:017d}.{secrets.token_hex(4)}"
    services.registry.put_new(DELIVERY_KIND, name, tried.model_dump(mode="json"), owner=webhook_id)
    if secrets.randbelow(_PRUNE_EVERY) == 0:
        _drop_tries(services, webhook_id, keep=KEPT_TRIES)


def list_tries(
    services: Services, webhook_id: str, *, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the log of a webhook, newest first, and the cursor of the next page. Raises like `list_webhooks`."""
    page = services.registry.list(DELIVERY_KIND, owner=webhook_id, limit=limit, cursor=cursor)
    return [dict(document.content) for document in page.documents], page.next_cursor


def _drop_tries(services: Services, webhook_id: str, *, keep: int) -> None:
    cursor = None
    if keep:
        cursor = services.registry.list(DELIVERY_KIND, owner=webhook_id, limit=keep).next_cursor
        if cursor is None:
            return
    while True:
        page = services.registry.list(DELIVERY_KIND, owner=webhook_id, limit=100, cursor=cursor)
        for document in page.documents:
            services.registry.remove(document)
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def _read(document: Document) -> Webhook:
    return read_stored(Webhook, document.content)
