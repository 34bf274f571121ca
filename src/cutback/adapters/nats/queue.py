"""The Queue on NATS JetStream: replicated by its servers, for workers on many machines."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from cutback.adapters.nats.connection import PATIENCE_SECONDS, ROOM, NatsConnection, NoAnswerError, RefusedError
from cutback.adapters.nats.dead_letters import JetStreamDeadLetters, letter_count
from cutback.adapters.nats.messages import DEDUPLICATION, ID, SENT, Names, Receipt, moment, received
from cutback.adapters.nats.pull import Fetcher, NoConsumerError
from cutback.adapters.nats.stored import delete, read
from cutback.adapters.nats.streams import MISSING, Streams
from cutback.domain.base import utc_now
from cutback.domain.errors import MessageRefusedError, QueueUnavailableError
from cutback.ports import DeadLetter, Message, QueueDepth
from cutback.settings.nats_address import NatsQueue

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_DELAY = timedelta(minutes=15)
MAX_VISIBILITY = timedelta(hours=12)
MAX_BATCH = 10

_ZERO = timedelta()
_LOOK = timedelta(milliseconds=250)
"""How long a receive that does not wait looks: a message that was just sent takes a moment to reach the consumer, and
longer if the servers are busy."""
_PAUSE_SECONDS = 0.05
"""Between looking for streams that are gone and using them again."""
_LONGEST_FETCH = timedelta(seconds=5)
"""A fetch of which the server is lost ends by itself after that."""
_SENT_AT_ONCE = 256
_SENT_BYTES = 4 << 20
_SCHEDULE = "Nats-Schedule"
_SCHEDULE_TARGET = "Nats-Schedule-Target"


class JetStreamQueue:
    """A Queue: a work-queue stream with one pull consumer, and a second stream for the dead letters.

    Every method raises `QueueUnavailableError` if the servers fail; arguments outside the port's limits raise
    `ValueError`. A message is sent once most of the stream's replicas have it. JetStream guarantees less than the port
    in these points:

    - Messages have no guaranteed order: those that return come before new ones.
    - A receipt is stale once its message is deleted or a dead letter, but not once it is delivered again: an older
      receipt may still extend or delete.
    - `depth` counts a message that is visible again, but not yet received again, as in flight.

    Other programs may send requests, too: whatever is published on `cutback.queue.<name>.new` is a message.
    """

    def __init__(
        self,
        connection: NatsConnection,
        address: NatsQueue,
        *,
        visibility: timedelta = timedelta(seconds=60),
        max_receives: int = 8,
        setting: str = "CUTBACK_QUEUE_URL",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Prepare; nothing is sent yet. The first use creates the streams unless they exist.

        `visibility` is how long a received message stays hidden. After `max_receives` deliveries, the next one moves
        it to the dead letters instead. `setting` names the queue's variable in messages.
        """
        _check("visibility", visibility, MAX_VISIBILITY)
        if max_receives < 1:
            raise ValueError("max_receives must be 1 or more")
        self._connection = connection
        self._visibility = visibility
        self._max_receives = max_receives
        self._setting = setting
        self._clock = clock
        self._names = names = Names(address.name)
        self._streams = Streams(connection, names, address.replicas, visibility or timedelta(seconds=1), setting)
        self._dead_letters = JetStreamDeadLetters(connection, names, clock, self._look_again)
        self._fetcher = Fetcher(connection, names.stream, names.consumer)
        self._server_visibility: timedelta | None = None

    def close(self) -> None:
        """Close the connection. It opens again if it is used again."""
        self._connection.close()

    def check(self) -> None:
        """Create the streams unless they exist, and check them.

        Raises:
            SettingsError: the servers cannot offer them, or they were made for something else.
            QueueUnavailableError: the servers do not answer; the message names the setting.
        """
        try:
            self._run(self._prepare)
        except QueueUnavailableError as error:
            raise QueueUnavailableError(f"{self._setting}: {error.detail}") from None

    # --- messages --------------------------------------------------------------------------------

    def send(self, body: str, *, delay: timedelta = _ZERO) -> str:
        """Send a message; most replicas have it on return. Returns its id. `delay` is at most 15 minutes.

        Raises:
            MessageRefusedError: it is larger than the servers allow, or is not Unicode.
        """
        _check("delay", delay, MAX_DELAY)
        encoded = _encoded(body)
        return self._run(lambda: self._send(encoded, delay))

    def send_all(self, bodies: Iterable[str]) -> list[str]:
        """Send messages; most replicas have them on return. Returns their ids. After an error, some are sent.

        Raises:
            MessageRefusedError: like `send`.
        """
        ids: list[str] = []
        left = iter(bodies)
        while some := list(islice(left, _SENT_AT_ONCE)):
            ids += self._run(functools.partial(self._send_together, [_encoded(body) for body in some]))
        return ids

    def receive(self, *, limit: int = 1, wait: timedelta = _ZERO, visibility: timedelta | None = None) -> list[Message]:
        """Receive up to `limit` (1-10) messages, waiting up to `wait` for the first one."""
        if not 1 <= limit <= MAX_BATCH:
            raise ValueError(f"limit must be 1 to {MAX_BATCH}")
        hidden = self._visibility if visibility is None else visibility
        _check("visibility", hidden, MAX_VISIBILITY)
        return self._run(lambda: self._receive(limit, wait, hidden))

    def extend(self, message: Message, visibility: timedelta) -> bool:
        """Hide the message for `visibility` (0 to 12 hours) from now; False if it is deleted or a dead letter."""
        _check("visibility", visibility, MAX_VISIBILITY)
        receipt = self._own(message)
        return receipt is not None and self._run(lambda: self._extend(message, receipt, visibility))

    def delete(self, message: Message) -> bool:
        """Delete the message. Returns False if it is deleted already, or a dead letter."""
        receipt = self._own(message)
        return receipt is not None and self._run(lambda: self._delete(message, receipt))

    # --- dead letters ----------------------------------------------------------------------------

    def move_to_dead_letters(self, message: Message, reason: str) -> bool:
        """Store the message in the dead letters with the reason, then delete it. False if the receipt is stale.

        If this is interrupted between the two steps, the message returns. When it is moved again, it replaces its
        dead letter: there is one for each id.
        """
        receipt = self._own(message)
        return receipt is not None and self._run(lambda: self._bury(message, receipt, reason, message.receive_count))

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters, newest first."""
        if limit < 1:
            raise ValueError("limit must be 1 or more")
        return self._run(lambda: self._dead_letters.newest(limit))

    def redrive(self, ids: Iterable[str] | None = None) -> int:
        """Send dead letters (None: all) back to the queue, with a receive count of 0. Returns how many.

        After an error, some have been sent; one of them may also still be a dead letter.
        """
        chosen = None if ids is None else list(ids)
        return self._run(lambda: self._dead_letters.bring_back(chosen))

    def depth(self) -> QueueDepth:
        """Return how many messages there are, by kind. What is visible again counts as in flight until received."""
        return self._run(self._depth)

    def nothing_sent_before(self) -> datetime:
        """Return when the oldest message was sent, at most a second too early; now if there is none."""
        return self._run(self._nothing_sent_before)

    # --- in the connection's thread ----------------------------------------------------------------

    def _run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return self._connection.run(self._prepared(work))
        except NoAnswerError as error:
            raise QueueUnavailableError(error.detail) from None
        except RefusedError as error:
            log.warning("queue=%s code=%d reason=%s", self._names.stream, error.code, error)
            raise QueueUnavailableError(f"{self._connection.servers}: JetStream refused it.") from None

    async def _prepare(self) -> timedelta:
        if self._server_visibility is None:
            self._server_visibility = await self._streams.prepare()
        return self._server_visibility

    async def _prepared(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work with streams and a consumer that exist; again, if they turn out to have been deleted."""
        await self._prepare()
        try:
            return await work()
        except RefusedError as error:
            if error.code not in MISSING:
                raise
        await self._look_again()
        return await work()

    async def _send(self, body: bytes, delay: timedelta = _ZERO) -> str:
        await self._check_size(body)
        message_id, now = secrets.token_hex(16), self._clock()
        headers = {ID: message_id, DEDUPLICATION: message_id, SENT: now.isoformat()}
        subject = self._names.new
        if delay:
            # By the server's clock, which may differ from this one. The server publishes it on the other subject then.
            subject = self._names.later_with(message_id)
            due = await self._server_time() + delay
            headers |= {
                _SCHEDULE: f"@at {due.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}",
                _SCHEDULE_TARGET: self._names.again_at(now),
            }
        await self._connection.ask(subject, body, headers=headers, absent=self._look_again)
        return message_id

    async def _send_together(self, bodies: list[bytes]) -> list[str]:
        ids: list[str] = []
        start = 0
        while start < len(bodies):
            end, size = start, 0
            while end < len(bodies) and (end == start or size + len(bodies[end]) <= _SENT_BYTES):
                size += len(bodies[end])
                end += 1
            ids += await asyncio.gather(*map(self._send, bodies[start:end]))
            start = end
        return ids

    async def _receive(self, limit: int, wait: timedelta, visibility: timedelta) -> list[Message]:
        deadline = time.monotonic() + max(wait, _LOOK).total_seconds()
        patience = time.monotonic() + PATIENCE_SECONDS
        while True:
            server_visibility = await self._prepare()
            left = timedelta(seconds=max(deadline - time.monotonic(), 0.001))
            try:
                if not wait:
                    found = await self._fetcher.fetch(limit, wait=left)
                else:
                    # The server would keep a fetch of several open until it has all of them.
                    found = await self._fetcher.fetch(limit, wait=_ZERO, no_wait=True) if limit > 1 else []
                    found = found or await self._fetcher.fetch(1, wait=min(left, _LONGEST_FETCH))
            except NoConsumerError as error:
                log.debug("queue=%s: %s", self._names.stream, error)
                if time.monotonic() > patience:
                    raise NoAnswerError(f"{self._connection.servers}: the queue's consumer does not answer") from None
                await self._look_again()
                deadline = max(deadline, time.monotonic() + _LOOK.total_seconds())
                continue
            patience = time.monotonic() + PATIENCE_SECONDS
            messages = []
            for delivery in found:
                receipt = Receipt.parse(delivery.reply)
                if receipt is None:
                    continue
                message = received(delivery, receipt)
                if receipt.delivered > self._max_receives:
                    reason = f"It was received {receipt.delivered - 1} times, but no worker finished it."
                    await self._bury(message, receipt, reason, receipt.delivered - 1)
                    continue
                if visibility != server_visibility:
                    await self._hide(message, visibility)
                messages.append(message)
            if messages or (not found and time.monotonic() >= deadline):
                return messages

    async def _look_again(self) -> None:
        """Find out whether the streams and the consumer are there; they are created if they are not."""
        self._server_visibility = None
        await self._prepare()
        await asyncio.sleep(_PAUSE_SECONDS)

    async def _extend(self, message: Message, receipt: Receipt, visibility: timedelta) -> bool:
        if await read(self._connection, self._names.stream, {"seq": receipt.sequence}) is None:
            return False
        await self._hide(message, visibility)
        return True

    async def _hide(self, message: Message, visibility: timedelta) -> None:
        nanoseconds = int(visibility.total_seconds() * 1e9)
        content = b"-NAK " + json.dumps({"delay": nanoseconds}).encode() if nanoseconds else b"-NAK"
        await self._connection.request(message.receipt, content, absent=self._look_again)

    async def _delete(self, message: Message, receipt: Receipt) -> bool:
        deleted = await delete(self._connection, self._names.stream, receipt.sequence)
        if deleted:
            await self._connection.try_once(message.receipt, b"+ACK")
            # Without an answer, the consumer finds out when the message's visibility timeout has passed.
        return deleted

    async def _bury(self, message: Message, receipt: Receipt, reason: str, receives: int) -> bool:
        if await read(self._connection, self._names.stream, {"seq": receipt.sequence}) is None:
            return False
        await self._dead_letters.add(message, receipt.sequence, reason, receives)
        await self._delete(message, receipt)
        return True

    async def _depth(self) -> QueueDepth:
        stream, consumer = self._names.stream, self._names.consumer
        counted = await self._connection.ask(f"$JS.API.CONSUMER.INFO.{stream}.{consumer}")
        total = int((await self._connection.ask(f"$JS.API.STREAM.INFO.{stream}"))["state"]["messages"])
        visible, in_flight = int(counted["num_pending"]), int(counted["num_ack_pending"])
        return QueueDepth(
            visible=visible,
            in_flight=in_flight,
            delayed=max(total - visible - in_flight, 0),
            dead=await letter_count(self._connection, self._names),
        )

    async def _nothing_sent_before(self) -> datetime:
        stream, names = self._names.stream, self._names
        found = [self._clock()]
        info = await self._connection.ask(f"$JS.API.STREAM.INFO.{stream}", {"subjects_filter": names.again})
        seconds = [int(subject.rpartition(".")[2]) for subject in info["state"].get("subjects") or {}]
        found += [datetime.fromtimestamp(min(seconds), UTC)] if seconds else []
        for subject in (names.new, names.later):
            # Messages of these subjects are in the order in which they were sent.
            stored = await read(self._connection, stream, {"seq": 1, "next_by_subj": subject})
            found += [moment(stored.headers.get(SENT), stored.stored_at)] if stored else []
        return min(found)

    async def _server_time(self) -> datetime:
        answer = await self._connection.ask(f"$JS.API.STREAM.INFO.{self._names.stream}")
        return datetime.fromisoformat(answer["ts"]).astimezone(UTC)

    async def _check_size(self, body: bytes) -> None:
        most = (await self._connection.client()).max_payload - ROOM
        if len(body) > most:
            raise MessageRefusedError(f"the message has {len(body)} bytes; these servers accept {most}")

    def _own(self, message: Message) -> Receipt | None:
        receipt = Receipt.parse(message.receipt)
        own = (self._names.stream, self._names.consumer)
        return receipt if receipt is not None and (receipt.stream, receipt.consumer) == own else None


def _encoded(body: str) -> bytes:
    try:
        return body.encode()
    except UnicodeEncodeError:
        raise MessageRefusedError("the message contains half of a surrogate pair, which is not Unicode") from None


def _check(name: str, value: timedelta, most: timedelta) -> None:
    if not _ZERO <= value <= most:
        raise ValueError(f"{name} must be from 0 to {most}")
