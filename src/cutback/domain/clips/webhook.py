"""Webhooks that were registered: which events they receive, and what happened to each delivery. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cutback.domain.base import Model, Moment
from cutback.domain.clips.clip import ClipState
from cutback.domain.clips.event import CHANGED, Event
from cutback.domain.requests.request import check_webhook_url
from cutback.domain.requests.sources import CameraName, Text

KIND = "webhook"
DELIVERY_KIND = "webhook_delivery"
"""The names in the registry."""

BOTH_SECRETS = timedelta(hours=24)
"""After a rotation, deliveries are signed with the old secret as well for this long."""

WebhookUrl = Annotated[str, Field(max_length=2048), AfterValidator(check_webhook_url)]


class WebhookFields(Model):
    """What a caller says about a webhook."""

    url: WebhookUrl = Field(description="An https:// URL that receives the events.")
    states: Annotated[tuple[ClipState, ...], Field(max_length=20)] = Field(
        (), description="Only events of clips that reached one of these states; all events if empty."
    )
    cameras: Annotated[tuple[CameraName, ...], Field(max_length=50)] = Field(
        (), description="Only events of clips of one of these cameras; all events if empty."
    )
    changes: bool = Field(
        default=False, description="Whether it also receives `clip.changed`: new titles, tags, labels, and deletions."
    )
    description: Annotated[Text, Field(max_length=200)] = Field("", description="Your own words.")
    paused: bool = Field(default=False, description="Whether it receives nothing for now.")


class WebhookChanges(Model):
    """What a caller changes about a webhook; what is left out stays as it is."""

    url: WebhookUrl | None = None
    states: Annotated[tuple[ClipState, ...], Field(max_length=20)] | None = None
    cameras: Annotated[tuple[CameraName, ...], Field(max_length=50)] | None = None
    changes: bool | None = None
    description: Annotated[Text, Field(max_length=200)] | None = None
    paused: bool | None = None


class Webhook(WebhookFields):
    """A registered webhook."""

    id: str
    tenant: str = ""
    secret: str
    """`whsec_` and Base64, as in Standard Webhooks."""
    old_secret: str | None = None
    old_secret_until: Moment | None = None
    created_at: Moment
    updated_at: Moment

    def wants(self, event: Event) -> bool:
        """Whether the webhook receives this event."""
        if self.paused or (self.tenant and event.data.get("tenant") != self.tenant):
            return False
        if event.type == CHANGED and not self.changes:
            return False
        if self.states and event.data.get("state") not in self.states:
            return False
        return not self.cameras or not cameras_of(event).isdisjoint(self.cameras)

    def secrets(self, now: datetime) -> list[str]:
        """Return the secrets that sign a delivery now, the newest first."""
        old = self.old_secret if self.old_secret_until is not None and now < self.old_secret_until else None
        return [self.secret, *([old] if old else [])]

    def changed(self, changes: WebhookChanges, *, now: datetime) -> Webhook:
        """Return the webhook with these changes."""
        return self.model_copy(update={**changes.model_dump(exclude_none=True), "updated_at": now})

    def rotated(self, secret: str, *, now: datetime) -> Webhook:
        """Return the webhook with a new secret; the present one stays valid for `BOTH_SECRETS`."""
        return self.model_copy(
            update={
                "secret": secret,
                "old_secret": self.secret,
                "old_secret_until": now + BOTH_SECRETS,
                "updated_at": now,
            }
        )

    def public(self) -> dict[str, Any]:
        """Return the webhook without its secrets."""
        return self.model_dump(mode="json", exclude={"secret", "old_secret", "tenant"}, exclude_none=True)


class DeliveryTry(Model):
    """One try to deliver an event to a webhook."""

    event: str
    """The event's id."""
    type: str
    at: Moment
    attempt: int
    """Counts the tries of this delivery, from 1."""
    outcome: str
    """`delivered`, `retried`, `abandoned` or `paused`."""
    status: int | None = None
    """The receiver's answer, if there was one."""
    error: str | None = None
    """Why it was not delivered."""
    seconds: float
    """How long the receiver took."""


class ClipDelivery(DeliveryTry):
    """One try to deliver an event of a clip, in the clip's own log."""

    url: str
    """Where to, without the query."""


def cameras_of(event: Event) -> frozenset[str]:
    """Return the cameras that the event's clip was requested from, or was cut from."""
    pieces: list[dict[str, Any]] = [*event.data.get("request", {}).get("source", ())]
    pieces += (event.data.get("result") or {}).get("spans", ())
    return frozenset(piece["camera"] for piece in pieces if piece.get("camera"))


def event_for_test(webhook_id: str, number: str, *, now: datetime) -> Event:
    """Return the event that tests a webhook."""
    return Event(
        id=f"test.{webhook_id}.{number}",
        type="webhook.test",
        subject=webhook_id,
        time=now,
        data={"message": "This is a test. No clip has changed."},
    )
