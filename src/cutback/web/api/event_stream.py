"""One client's stream of events: what it gets, and the answer that sends it.

A stream is one task, which sends everything that has to wait for something: pages of the log, comments, the end. While
it waits for events, they are written as the feed calls, one stream after the other, as chunks that all streams share:
an event costs no task, timer or lock of its own. A stream whose client does not keep up wakes its task, which waits for
the client. A client that reads nothing is disconnected by the connection itself (`PunctualProtocol`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cutback.web.api.event_feed import PAGE, EventFeed, LoggedEvent
from cutback.web.api.http_protocol import CHUNKS, ChunkWriter
from cutback.web.api.stream_places import StreamPlaces

log = logging.getLogger(__name__)

COMMENT_SECONDS = 15.0
"""Between two comments, which keep the connection open on its way through proxies."""
RETRY_MILLISECONDS = (500, 3000)
"""Clients that are told to come back do so after a random time between these, so that they do not come all at once."""


class Stream:
    """One client's stream: where it is, and what it wants. It is used in one event loop."""

    def __init__(self, feed: EventFeed, position: int, wants: Callable[[LoggedEvent], bool]) -> None:
        """`position`: the client has everything up to it."""
        self._feed, self._wants = feed, wants
        self.position = position
        """The position up to which the client has everything."""
        self.chunks: ChunkWriter | None = None
        """Writes events while the stream waits; without one, all of them are yielded."""
        self._waiter: asyncio.Future[None] | None = None
        self._comment_due = self._ended = False

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield what to send, until the feed is closed or the client is too slow. Call `EventFeed.open` before.

        It begins with the position, so that a client which has received nothing yet can resume as well.
        """
        self._feed.count_stream(1)
        try:
            yield f": events from here on\nid: {self.position}\n\n".encode()
            async with aclosing(self._events()) as events:
                async for block in events:
                    yield block
        finally:
            self._feed.count_stream(-1)

    def comment(self) -> None:
        """Let a comment be sent next."""
        self._comment_due = True
        self._wake()

    def end(self) -> None:
        """Send nothing more: the client is gone."""
        self._ended = True
        self._wake()

    def news(self) -> None:
        """Write the events that there are, and wake the task for all else. The feed calls it while the task waits."""
        page = self._feed.since(self.position)
        if self.chunks is None or not page or len(page) == PAGE:
            self._wake()
            return
        for each in page:
            if self._wants(each) and not self.chunks.write(each.chunk):
                self._wake()
                return
            self.position = each.position

    async def _events(self) -> AsyncGenerator[bytes, None]:
        feed = self._feed
        caught_up = False
        while not (feed.closed or self._ended):
            if self._comment_due:
                self._comment_due = False
                # With the position: a client whose filter lets little pass does not resume far back.
                yield f": still here\nid: {self.position}\n\n".encode()
            followed = self.position <= feed.newest  # asked first, since it grows meanwhile
            page = feed.since(self.position)
            if page is None and caught_up:
                log.info("stage=events stream=dropped position=%d", self.position)
                yield farewell("too slow; the events after the last id are still there")
                return
            if page is None:
                floor = feed.floor
                page = await asyncio.to_thread(feed.read, self.position)
                if not page:
                    self.position = max(self.position, floor)
                    continue
            else:
                # A stream that reads the log itself can be ahead of the memory: it has not been up to date by that.
                caught_up = caught_up or followed
            for each in page:
                if self._wants(each):
                    yield each.block
                self.position = each.position  # only now is it sent
            if not page:
                await self._wait()
        yield farewell("this server stops; come back to another")

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        if self._comment_due or self._ended or not self._feed.listen(self.position, self):
            return
        try:
            await self._waiter
        finally:
            self._feed.forget(self)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class EventStreamResponse(Response):
    """Sends a stream until it ends or the client is gone. Its end ends the connection, so that a client which returns
    can reach another server.
    """

    media_type = "text/event-stream"

    def __init__(self, stream: Stream, places: StreamPlaces, who: str) -> None:
        """Nothing is sent before it is called. The stream takes one of `places` of `who`."""
        self._stream, self._places, self._who = stream, places, who
        self.status_code, self.background = 200, None
        # Not through the initializer of the superclass, which would announce a length.
        self.init_headers({"Cache-Control": "no-store", "Connection": "close", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything. Raises what reading the log raises; the connection is closed then.

        Raises:
            TooManyStreamsError: there is no place for it.
        """
        with self._places.one(self._who):
            await self._send_all(scope, receive, send)

    async def _send_all(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        self._stream.chunks = scope.get("extensions", {}).get(CHUNKS)
        helpers = [asyncio.create_task(self._end_with_client(receive)), asyncio.create_task(self._comment())]
        try:
            async with aclosing(self._stream.blocks()) as blocks:
                async for block in blocks:
                    await send({"type": "http.response.body", "body": block, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for helper in helpers:
                helper.cancel()

    async def _end_with_client(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stream.end()

    async def _comment(self) -> None:
        while True:
            await asyncio.sleep(COMMENT_SECONDS)
            self._stream.comment()


def farewell(reason: str) -> bytes:
    """Return the last block of a stream: when to come back."""
    return f": {reason}\nretry: {random.randint(*RETRY_MILLISECONDS)}\n\n".encode()  # noqa: S311 - spreads the clients
