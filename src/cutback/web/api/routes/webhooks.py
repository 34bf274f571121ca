"""Webhooks: register them, change them, test them, and see what they received."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from cutback.domain.base import Model
from cutback.domain.clips.webhook import Webhook, WebhookChanges, WebhookFields
from cutback.domain.errors import Fault, InvalidRequestError
from cutback.lifecycle import webhooks
from cutback.web.api.access import Admin, Caller
from cutback.web.api.context import ServicesDep
from cutback.web.api.openapi import responses
from cutback.web.api.strict_json import StrictRoute
from cutback.worker.webhooks import Deliverer, check_address

_ERRORS = responses("Problem", errors=(404, 409, 413, 422, 503))

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=StrictRoute, responses=_ERRORS)


class RedeliverFrom(Model):
    """From where to deliver events again."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(description="The events after this position.")


def owner_of(caller: Caller) -> str | None:
    """Return whose things a caller sees: those of its tenant, or of all (None)."""
    return caller.tenant or None


@router.post("", status_code=201)
def add_webhook(fields: WebhookFields, services: ServicesDep, caller: Admin, response: Response) -> dict[str, Any]:
    """Register a webhook. The answer has its secret, which is not shown again."""
    check_address(services.settings, fields.url, local=caller.is_local)
    webhook = webhooks.add_webhook(services, fields, tenant=caller.tenant)
    response.headers["Location"] = f"/v1/webhooks/{webhook.id}"
    return {**webhook.public(), "secret": webhook.secret}


@router.get("")
def list_webhooks(
    services: ServicesDep,
    caller: Admin,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """List webhooks, without their secrets."""
    try:
        found, following = webhooks.list_webhooks(services, tenant=owner_of(caller), limit=limit, cursor=cursor)
    except ValueError:
        raise wrong_cursor() from None
    return {"items": [webhook.public() for webhook in found], "next": following}


@router.get("/{webhook_id}")
def read_webhook(webhook_id: str, services: ServicesDep, caller: Admin) -> dict[str, Any]:
    """Return a webhook, without its secret."""
    return _get(services, caller, webhook_id).public()


@router.patch("/{webhook_id}")
def change_webhook(webhook_id: str, changes: WebhookChanges, services: ServicesDep, caller: Admin) -> dict[str, Any]:
    """Change a webhook, or pause it. A paused webhook receives nothing; deliver from a position again afterwards."""
    if changes.url is not None:
        check_address(services.settings, changes.url, local=caller.is_local)
    now = services.clock()
    return webhooks.change_webhook(
        services, webhook_id, lambda webhook: webhook.changed(changes, now=now), tenant=owner_of(caller)
    ).public()


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: str, services: ServicesDep, caller: Admin) -> None:
    """Remove a webhook and its log."""
    webhooks.remove_webhook(services, webhook_id, tenant=owner_of(caller))


@router.post("/{webhook_id}/secret")
def rotate_secret(webhook_id: str, services: ServicesDep, caller: Admin) -> dict[str, Any]:
    """Give a webhook a new secret. For a day, deliveries are signed with the old one as well."""
    now, secret = services.clock(), webhooks.new_secret()
    webhook = webhooks.change_webhook(
        services, webhook_id, lambda webhook: webhook.rotated(secret, now=now), tenant=owner_of(caller)
    )
    return {**webhook.public(), "secret": webhook.secret}


@router.post("/{webhook_id}/test")
def send_test(webhook_id: str, services: ServicesDep, caller: Admin) -> dict[str, Any]:
    """Send a test event now, and return what the receiver answered."""
    tried = Deliverer(services).test(_get(services, caller, webhook_id))
    return tried.model_dump(mode="json", exclude_none=True)


@router.get("/{webhook_id}/deliveries")
def list_deliveries(
    webhook_id: str,
    services: ServicesDep,
    caller: Admin,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """List the latest tries to deliver an event to a webhook, newest first."""
    _get(services, caller, webhook_id)
    try:
        found, following = webhooks.list_tries(services, webhook_id, limit=limit, cursor=cursor)
    except ValueError:
        raise wrong_cursor() from None
    return {"items": found, "next": following}


@router.post("/{webhook_id}/redeliver", status_code=202)
def redeliver(webhook_id: str, start: RedeliverFrom, services: ServicesDep, caller: Admin) -> dict[str, Any]:
    """Deliver the events after a position once more. Repeat with `next` as `after` until it is null."""
    queued, following = webhooks.redeliver(services, _get(services, caller, webhook_id), after=start.after)
    return {"queued": queued, "next": following}


def wrong_cursor() -> InvalidRequestError:
    """Return the error for a cursor that no list returned."""
    return InvalidRequestError([Fault("cursor", "must be the `next` of a page of this list")])


def _get(services: ServicesDep, caller: Caller, webhook_id: str) -> Webhook:
    return webhooks.get_webhook(services, webhook_id, tenant=owner_of(caller))
