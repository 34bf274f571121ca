"""Opens queues on JetStream for the queue's contract, on one server or a cluster."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.contract.manual_clock import ManualClock
from tests.contract.nats_time import NatsTime
from tests.contract.queue_contract import QueueFactory

from cutback.adapters.nats.connection import NatsConnection
from cutback.adapters.nats.queue import JetStreamQueue
from cutback.settings.nats_address import nats_queue


def open_queue(url: str, **rest: object) -> JetStreamQueue:
    address = nats_queue(url)
    return JetStreamQueue(NatsConnection(address.servers), address, **rest)  # type: ignore[arg-type]


class JetStreamQueueFactory(QueueFactory):
    def __init__(self, url_of: Callable[[str], str]) -> None:
        """`url_of` returns the URL of the queue with a name."""
        self._url_of = url_of
        self.run = uuid.uuid4().hex[:8]
        self.clock = ManualClock()
        self.clock.now = datetime.now(UTC)
        self.opened: list[JetStreamQueue] = []
        self.connection = NatsConnection(nats_queue(url_of("time")).servers)
        self.time = NatsTime(self.connection, self.clock)
        self.time.watch()

    def url(self, name: str = "requests") -> str:
        return self._url_of(f"{name}-{self.run}")

    def open(self, name: str = "requests", *, visibility: float = 60, max_receives: int = 8) -> JetStreamQueue:
        queue = open_queue(
            self.url(name),
            visibility=timedelta(seconds=visibility),
            max_receives=max_receives,
            clock=self.clock,
        )
        self.opened.append(queue)
        return queue

    def opener(self) -> Callable[[], JetStreamQueue]:
        return functools.partial(open_queue, self.url())

    def now(self) -> datetime:
        return self.clock()

    def pass_time(self, seconds: float) -> None:
        self.time.pass_time(seconds, [queue._connection for queue in self.opened])

    def close(self) -> None:
        for queue in self.opened:
            queue.close()
        self.connection.close()
