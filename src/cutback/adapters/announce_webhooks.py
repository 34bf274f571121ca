"""Announces events to webhooks by queueing a delivery for each; `cutback.worker.webhooks` sends them later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from cutback.domain.base import read_stored
from cutback.domain.clips.event import CHANGED, Answer, Event
from cutback.domain.clips.webhook import KIND, Webhook
from cutback.domain.readable import readable_documents
from cutback.ports import Queue, Registry, every_document


class OutboxAnnouncer:
    """Implements Announcer. The queue's messages are `{"id", "url", "event"}`, with `"webhook"` for registered ones."""

    def __init__(self, queue: Queue, registry: Registry, urls: Iterable[str] = ()) -> None:
        """`urls` receive every change of a state, besides registered webhooks and the one that a request names."""
        self._queue = queue
        self._registry = registry
        self._urls = tuple(urls)

    def close(self) -> None:
        """Nothing to close: the owners of queue and registry close them."""

    def announce(self, event: Event) -> None:
        """Queue a delivery for each webhook.

        Raises:
            QueueUnavailableError: some may be missing; announce the event again.
            RecordsUnavailableError: the registered webhooks are unknown; announce the event again.
        """
        told_all = event.type != CHANGED  # nobody who wants states hears of other changes unless it asks for them
        own = event.data.get("request", {}).get("webhook")
        body = event.body()
        deliveries = [
            {"id": event.id, "url": url, "event": body}
            for url in dict.fromkeys([*self._urls, *([own] if own else [])])
            if told_all
        ]
        if not isinstance(event, Answer):  # a registered webhook has one envelope
            deliveries += [
                {"id": event.id, "url": webhook.url, "event": body, "webhook": webhook.id}
                for webhook in self._registered(event.data.get("tenant", ""))
                if webhook.wants(event)
            ]
        for delivery in deliveries:
            self._queue.send(json.dumps(delivery, ensure_ascii=False, separators=(",", ":")))

    def _registered(self, tenant: str) -> Iterator[Webhook]:
        """Yield the webhooks that may hear of a tenant's clips: its own, and those of no tenant."""
        for owner in dict.fromkeys(["", tenant]):
            stored = every_document(self._registry, KIND, owner=owner)
            yield from readable_documents(lambda each: read_stored(Webhook, each.content), stored)
