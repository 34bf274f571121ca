"""Announces events to webhooks by queueing a delivery for each; `cutback.worker.webhooks` sends them later."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cutback.domain.clips.event import Event
from cutback.ports import Queue


class OutboxAnnouncer:
    """Implements Announcer. The queue's messages are `{"id", "url", "event"}`."""

    def __init__(self, queue: Queue, urls: Iterable[str] = ()) -> None:
        """`urls` receive every event, in addition to the webhook that a clip's own request names."""
        self._queue = queue
        self._urls = tuple(urls)

    def close(self) -> None:
        """Nothing to close: the queue's owner closes it."""

    def announce(self, event: Event) -> None:
        """Queue a delivery for each webhook.

        Raises:
            QueueUnavailableError: some may be missing; announce the event again.
        """
        own = event.data.get("request", {}).get("webhook")
        for url in dict.fromkeys([*self._urls, *([own] if own else [])]):
            delivery = {"id": event.id, "url": url, "event": event.body()}
            self._queue.send(json.dumps(delivery, ensure_ascii=False, separators=(",", ":")))
