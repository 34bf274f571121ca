"""Announces by putting a delivery for every webhook concerned into a queue; sending comes later."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cutback.domain.clips.event import Event
from cutback.ports import Queue


class OutboxAnnouncer:
    """An Announcer. The queue's messages are `{"id", "url", "event"}`; `cutback.worker.webhooks` delivers them."""

    def __init__(self, queue: Queue, urls: Iterable[str] = ()) -> None:
        """`urls` hear of every event, besides the webhook that a clip's own request names."""
        self._queue = queue
        self._urls = tuple(urls)

    def close(self) -> None:
        """Nothing to close: the queue is closed by its owner."""

    def announce(self, event: Event) -> None:
        """Return once a delivery for each webhook is in the queue; delivering comes later.

        Raises:
            QueueUnavailableError: some may be missing; announce the event again.
        """
        own = event.data.get("request", {}).get("webhook")
        for url in dict.fromkeys([*self._urls, *([own] if own else [])]):
            delivery = {"id": event.id, "url": url, "event": event.body()}
            self._queue.send(json.dumps(delivery, ensure_ascii=False, separators=(",", ":")))
