"""Fetches messages from a consumer. What arrives after a fetch has ended is given back at once."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import suppress
from datetime import timedelta

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from cutback.adapters.nats.connection import NatsConnection

log = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
"""Seconds that a fetch waits after its end for the server to say so."""

_NOTHING = {"404", "408"}
_STATUS = "Status"


class NoConsumerError(Exception):
    """The server that has the consumer does not answer, or the consumer does not exist."""


class Fetcher:
    """Fetches from one consumer of one stream."""

    def __init__(self, connection: NatsConnection, stream: str, consumer: str) -> None:
        """Prepare; nothing is sent yet."""
        self._connection = connection
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._client: Client | None = None
        self._idle: list[_Inbox] = []

    async def fetch(self, count: int, *, wait: timedelta, no_wait: bool = False) -> list[Msg]:
        """Return up to `count` messages. The server ends the fetch after `wait`, or with `no_wait` at once if it can.

        Raises:
            NoConsumerError: the consumer does not answer; it may be there in a moment, or may have to be created.
            NoAnswerError: no server answers.
        """
        client = await self._connection.client()
        if client is not self._client:
            self._client, self._idle = client, []
        inbox = self._idle.pop() if self._idle else await _Inbox.open(client)
        try:
            return await inbox.fetch(self._subject, count, wait=wait, no_wait=no_wait)
        finally:
            if client is self._client:
                self._idle.append(inbox)


class _Inbox:
    """A subscription for one fetch at a time: messages arrive under their own subjects, so they do not tell theirs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._prefix = client.new_inbox()
        self._number = 0
        self._arrived: asyncio.Queue[Msg] | None = None

    @classmethod
    async def open(cls, client: Client) -> _Inbox:
        inbox = cls(client)
        try:
            await client.subscribe(f"{inbox._prefix}.*", cb=inbox._arrive)
        except nats.errors.Error as error:
            raise NoConsumerError(repr(error)) from None
        return inbox

    async def fetch(self, subject: str, count: int, *, wait: timedelta, no_wait: bool) -> list[Msg]:
        self._number += 1
        self._arrived, reply = asyncio.Queue[Msg](), f"{self._prefix}.{self._number}"
        content: dict[str, int | bool] = {"batch": count}
        content |= {"no_wait": True} if no_wait else {"expires": max(int(wait.total_seconds() * 1e9), 1_000_000)}
        deadline = time.monotonic() + wait.total_seconds() + GRACE_SECONDS
        found: list[Msg] = []
        try:
            await self._client.publish(subject, json.dumps(content).encode(), reply=reply)
            while len(found) < count:
                message = await asyncio.wait_for(self._arrived.get(), max(deadline - time.monotonic(), 0))
                if message.reply:
                    found.append(message)
                elif message.subject != reply:
                    continue  # the end of an earlier fetch
                elif found or (message.headers or {}).get("Status") in _NOTHING:
                    break
                else:
                    raise NoConsumerError(f"the fetch ended with {message.headers}")
        except TimeoutError:
            log.debug("subject=%s: the server did not end the fetch", subject)
        except nats.errors.Error as error:
            if not found:
                raise NoConsumerError(repr(error)) from None
        finally:
            left, self._arrived = self._arrived, None
            while not left.empty():
                await self._give_back(left.get_nowait())
        return found

    async def _arrive(self, message: Msg) -> None:
        if self._arrived is not None:
            self._arrived.put_nowait(message)
        else:
            await self._give_back(message)

    async def _give_back(self, message: Msg) -> None:
        if message.reply:
            with suppress(nats.errors.Error):  # its visibility timeout gives it back, too
                await self._client.publish(message.reply, b"-NAK")
