"""The dead letters of a queue on JetStream: a stream with one subject for each letter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cutback.adapters.nats.connection import ROOM, NatsConnection, WhenAbsent
from cutback.adapters.nats.messages import (
    DEDUPLICATION,
    DIED,
    ID,
    REASON,
    RECEIVES,
    SENT,
    Names,
    identity,
    is_id,
    moment,
)
from cutback.adapters.nats.stored import Stored, delete, read
from cutback.ports import DeadLetter, Message

_MOST_REASON = 500
"""Characters of a reason. Each takes at most twelve bytes of a header, so that it fits into `ROOM`."""
_MOVED_AT_ONCE = 50
_UNKNOWN = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class JetStreamDeadLetters:
    """The stream of dead letters of one queue."""

    connection: NatsConnection
    names: Names
    clock: Callable[[], datetime]
    absent: WhenAbsent
    """Creates the queue's streams if they were deleted."""

    async def add(self, message: Message, sequence: int, reason: str, receives: int) -> None:
        """Store a message with the reason; done again, it changes nothing or replaces the letter.

        A message of another program can be so large that there is no room for the headers. Its end is left out then,
        and the reason says so: otherwise, it would come back for ever.
        """
        body, most = message.body.encode(), (await self.connection.client()).max_payload - ROOM
        if len(body) > most:
            reason = f"Too large to be kept whole: the first {most} of {len(body)} bytes. {reason}"
            body = body[:most].decode(errors="ignore").encode()
        await self.connection.ask(
            self.names.dead_with(message.id),
            body,
            headers={
                DEDUPLICATION: str(sequence),
                ID: message.id,
                SENT: message.sent_at.isoformat(),
                DIED: self.clock().isoformat(),
                REASON: json.dumps(reason[:_MOST_REASON]),
                RECEIVES: str(receives),
            },
            absent=self.absent,
        )

    async def newest(self, limit: int) -> list[DeadLetter]:
        """Return up to `limit` dead letters, newest first."""
        state = (await self.connection.ask(f"$JS.API.STREAM.INFO.{self.names.dead_stream}"))["state"]
        first, after, width = int(state["first_seq"]), int(state["last_seq"]) + 1, limit
        found: list[DeadLetter] = []
        while len(found) < limit and after > first:
            # Back by windows that grow, since letters that were sent back leave gaps.
            start = max(first, after - width)
            window = [_letter(stored) async for stored in self._between(start, after)]
            found += reversed(window)
            after, width = start, width * 2
        return found[:limit]

    async def bring_back(self, ids: Iterable[str] | None) -> int:
        """Send dead letters (None: all) back to the queue, then delete them. Returns how many.

        A request that is repeated comes within `PATIENCE_SECONDS`, and so JetStream recognizes it. If the process dies
        between sending and deleting, the letter stays; whoever sends it back later sends the message a second time,
        which is harmless: the clip is made once.
        """
        count = 0
        batch: list[Stored] = []
        async for stored in self._all() if ids is None else self._with(ids):
            batch.append(stored)
            if len(batch) >= _MOVED_AT_ONCE:
                count += sum(await asyncio.gather(*map(self._send_back, batch)))
                batch = []
        return count + sum(await asyncio.gather(*map(self._send_back, batch)))

    async def _send_back(self, stored: Stored) -> bool:
        if await read(self.connection, self.names.dead_stream, {"seq": stored.sequence}) is None:
            return False  # another process sent it back since it was read, perhaps so long ago that nobody remembers
        sent_at = moment(stored.headers.get(SENT), _UNKNOWN)
        answer = await self.connection.ask(
            self.names.again_at(sent_at),
            stored.data,
            headers={
                # Of processes that send the same letter back, only one counts.
                DEDUPLICATION: f"letter-{stored.sequence}",
                ID: identity(stored.headers, stored.sequence),
                SENT: sent_at.isoformat(),
            },
            absent=self.absent,
        )
        await delete(self.connection, self.names.dead_stream, stored.sequence)
        return not answer.get("duplicate")

    async def _all(self) -> AsyncIterator[Stored]:
        state = (await self.connection.ask(f"$JS.API.STREAM.INFO.{self.names.dead_stream}"))["state"]
        # Up to the newest: a message that becomes a dead letter again meanwhile is not sent back twice.
        async for stored in self._between(int(state["first_seq"]), int(state["last_seq"]) + 1):
            yield stored

    async def _with(self, ids: Iterable[str]) -> AsyncIterator[Stored]:
        for message_id in dict.fromkeys(ids):
            if is_id(message_id):
                subject = self.names.dead_with(message_id)
                stored = await read(self.connection, self.names.dead_stream, {"last_by_subj": subject})
                if stored is not None:
                    yield stored

    async def _between(self, start: int, end: int) -> AsyncIterator[Stored]:
        while start < end:
            wanted = {"seq": start, "next_by_subj": self.names.dead}
            stored = await read(self.connection, self.names.dead_stream, wanted)
            if stored is None or stored.sequence >= end:
                return
            yield stored
            start = stored.sequence + 1


def _letter(stored: Stored) -> DeadLetter:
    try:
        reason = str(json.loads(stored.headers.get(REASON, "")))
    except ValueError:
        reason = ""
    return DeadLetter(
        id=identity(stored.headers, stored.sequence),
        body=stored.data.decode("utf-8", "replace"),
        receive_count=int(stored.headers.get(RECEIVES, "0")),
        reason=reason,
        died_at=moment(stored.headers.get(DIED), stored.stored_at),
    )


async def letter_count(connection: NatsConnection, names: Names) -> int:
    """Return how many dead letters there are. Raises RefusedError."""
    return int((await connection.ask(f"$JS.API.STREAM.INFO.{names.dead_stream}"))["state"]["messages"])
