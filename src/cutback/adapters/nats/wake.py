"""A Cache whose counters change on all nodes at once: each change is told to the others over NATS."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Collection

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from cutback.adapters.nats.connection import NatsConnection
from cutback.domain.errors import SurroundingsError
from cutback.ports import Cache

log = logging.getLogger(__name__)

SUBJECT = "cutback.wake"

_PAUSE_SECONDS = 1.0


class WakingCache:
    """Implements Cache by another one, and tells other processes when certain counters change.

    A process begins to listen when it first asks for such a counter. Nothing is told twice, and what is told while a
    process has no connection is lost to it. So a counter only makes others look sooner: if you watch one, look from
    time to time in any case.
    """

    def __init__(self, cache: Cache, connection: NatsConnection, counters: Collection[str]) -> None:
        """`counters` are those to tell of. Closing this closes `cache` and the connection."""
        self._cache = cache
        self._connection = connection
        self._counters = frozenset(counters)
        self._name = secrets.token_hex(8)
        self._listening: Client | None = None
        self._subscribing = False
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """See `Cache`."""
        return self._cache.get(key)

    def set(self, key: str, value: bytes) -> None:
        """See `Cache`."""
        self._cache.set(key, value)

    def bump(self, counter: str) -> None:
        """Change a counter here at once, and on the other nodes soon. This does not wait for them, only `close` does.

        A change of a clip must not take longer because NATS does not answer.
        """
        self._cache.bump(counter)
        if counter in self._counters:
            self._connection.start(self._tell(counter))

    def count(self, counter: str) -> int | None:
        """See `Cache`."""
        if counter in self._counters:
            with self._lock:
                if not self._subscribing and (self._listening is None or self._listening.is_closed):
                    self._subscribing = True
                    self._connection.start(self._listen())
        return self._cache.count(counter)

    def close(self) -> None:
        """Close both."""
        self._connection.close()
        self._cache.close()

    async def _listen(self) -> None:
        try:
            client = await self._connection.client()
            await client.subscribe(f"{SUBJECT}.*", cb=self._hear)
            self._listening = client
        except (SurroundingsError, nats.errors.Error) as error:
            log.debug("subject=%s: %r", SUBJECT, error)
            await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._subscribing = False

    async def _hear(self, message: Msg) -> None:
        counter = message.subject.rpartition(".")[2]
        if message.data.decode("ascii", "replace") != self._name and counter in self._counters:
            self._cache.bump(counter)

    async def _tell(self, counter: str) -> None:
        try:
            client = await self._connection.client()
            await client.publish(f"{SUBJECT}.{counter}", self._name.encode())
        except (SurroundingsError, nats.errors.Error) as error:
            log.debug("subject=%s: %r", SUBJECT, error)
