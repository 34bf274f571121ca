"""Lets the time of a NATS server pass: what its clock would do is done by hand.

A server's clock cannot be set. This watches everything that is sent, as the server itself does, and keeps the time
when each delivery returns and each delayed message is due. When time passes, the deliveries whose time has come are
given back, and the delayed messages are scheduled anew with a time that is over, so that the server's own scheduler
sends them. tests/contract/test_queue_jetstream.py tests the server's real timers with short times.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg
from tests.contract.manual_clock import ManualClock
from tests.support.waiting import PATIENCE, eventually

from cutback.adapters.nats.connection import NatsConnection, RefusedError
from cutback.adapters.nats.messages import Receipt

_SCHEDULE = "Nats-Schedule"
_MARK = "cutback.tests.mark"


@dataclass(frozen=True)
class _Hidden:
    """A delivery that has not returned."""

    since: datetime
    delay: timedelta | None
    """None until somebody chooses one: it is then the consumer's own."""
    receipt: str


class NatsTime:
    """The time of one server."""

    def __init__(self, connection: NatsConnection, clock: ManualClock) -> None:
        self.clock = clock
        self._connection = connection
        self._hidden: dict[tuple[str, int], _Hidden] = {}
        self._due: dict[str, tuple[datetime, Msg]] = {}
        self._answers: set[str] = set()
        self._marks: set[bytes] = set()
        self._passed = 0

    def watch(self) -> None:
        self._connection.run(self._watch())

    def pass_time(self, seconds: float, senders: Sequence[NatsConnection] = ()) -> None:
        """Let time pass once everything has been heard that these connections have sent, on whichever server."""
        self._passed += 1
        marks = {f"{self._passed} {number}".encode(): sender for number, sender in enumerate(senders)}

        def heard() -> bool:
            for mark in marks.keys() - self._marks:
                marks[mark].run(_send(marks[mark], mark))
            return marks.keys() <= self._marks

        eventually(heard, "what was sent before")
        self._connection.run(self._pass_time(seconds))

    async def _watch(self) -> None:
        client = await self._connection.client()
        await client.subscribe("_INBOX.>", cb=self._delivered)
        await client.subscribe("$JS.ACK.>", cb=self._answered)
        await client.subscribe("cutback.queue.*.later.*", cb=self._scheduled)
        await client.subscribe(_MARK, cb=self._marked)
        await client.flush()

    async def _pass_time(self, seconds: float) -> None:
        client = await self._connection.client()
        await client.flush()
        self.clock.advance(seconds=seconds)
        for key, hidden in list(self._hidden.items()):
            delay = await self._visibility(key[0]) if hidden.delay is None else hidden.delay
            if hidden.since + delay <= self.clock():
                self._hidden.pop(key, None)
                await self._connection.request(hidden.receipt, b"-NAK")
        for subject, (at, message) in list(self._due.items()):
            if at <= self.clock():
                del self._due[subject]
                await self._let_go(message)

    async def _delivered(self, message: Msg) -> None:
        receipt = Receipt.parse(message.reply)
        # In a cluster, the answer to a delivery can come before it, by another way.
        if receipt is not None and message.reply not in self._answers:
            self._hidden[receipt.stream, receipt.sequence] = _Hidden(self.clock(), None, message.reply)

    async def _answered(self, message: Msg) -> None:
        receipt = Receipt.parse(message.subject)
        if receipt is None:
            return
        key, (word, _, content) = (receipt.stream, receipt.sequence), message.data.partition(b" ")
        self._answers.add(message.subject)
        if word == b"-NAK" and content:
            delay = timedelta(microseconds=json.loads(content)["delay"] / 1000)
            self._hidden[key] = _Hidden(self.clock(), delay, message.subject)
        elif word in {b"-NAK", b"+ACK"}:
            self._hidden.pop(key, None)

    async def _marked(self, message: Msg) -> None:
        self._marks.add(message.data)

    async def _scheduled(self, message: Msg) -> None:
        at = datetime.fromisoformat((message.headers or {})[_SCHEDULE].removeprefix("@at "))
        delay = timedelta(seconds=round((at - datetime.now(UTC)).total_seconds()))
        if delay > timedelta():
            self._due[message.subject] = self.clock() + delay, message

    async def _let_go(self, message: Msg) -> None:
        stream = message.subject.split(".")[2]
        headers = {name: value for name, value in (message.headers or {}).items() if name != "Nats-Msg-Id"}
        headers |= {_SCHEDULE: "@at 2020-01-01T00:00:00Z", "Nats-Rollup": "sub"}
        await self._connection.ask(message.subject, message.data, headers=headers)
        deadline = time.monotonic() + PATIENCE
        while await self._is_stored(stream, message.subject):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)

    async def _is_stored(self, stream: str, subject: str) -> bool:
        try:
            await self._connection.ask(f"$JS.API.STREAM.MSG.GET.{stream}", {"last_by_subj": subject})
        except RefusedError:
            return False
        return True

    async def _visibility(self, stream: str) -> timedelta:
        found = await self._connection.ask(f"$JS.API.CONSUMER.INFO.{stream}.workers")
        return timedelta(microseconds=found["config"]["ack_wait"] / 1000)


async def _send(sender: NatsConnection, mark: bytes) -> None:
    client = await sender.client()
    await client.publish(_MARK, mark)
    await client.flush()
