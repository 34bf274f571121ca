"""Many clients of one event stream, in one thread: each reads, and returns where it was when its connection ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_LINE = 4 * 1024 * 1024
_REFUSED_PAUSE = 0.2
_AT_ONCE = 50
"""Connections that are opened at the same time."""


@dataclass(slots=True)
class EventClient:
    """What one client has received."""

    last: int | None = None
    """The position to resume after."""
    positions: list[int] = field(default_factory=list)
    """Of every event, in the order of arrival."""
    arrivals: list[float] = field(default_factory=list)
    """When, by the monotonic clock."""
    connections: int = 0
    ended_at: float = 0.0
    """When its latest connection ended."""
    told: list[float] = field(default_factory=list)
    """The pauses in seconds that the server asked for when it ended a stream."""


class EventClients:
    """Opens the streams on entering, and closes them on leaving."""

    def __init__(self, port: int, count: int, *, after: int | None = None) -> None:
        """`count` clients of the server on this machine's `port`, which all begin after a position."""
        self._port = port
        self.clients = [EventClient(last=after) for _ in range(count)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="clients", daemon=True)
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def open(self) -> int:
        """How many streams are open: they have begun, and not ended since."""
        return sum(client.connections > 0 and not client.ended_at for client in self.clients)

    def have(self, position: int) -> int:
        """How many clients have received the event at a position."""
        return sum(bool(client.positions) and client.positions[-1] >= position for client in self.clients)

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        self._tasks = [self._loop.create_task(self._follow(client)) for client in self.clients]

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, client: EventClient) -> None:
        while True:
            before = len(client.told)
            with suppress(OSError):  # nobody serves at the moment
                await self._read(client)
            if client.connections and not client.ended_at:
                client.ended_at = time.monotonic()
            await asyncio.sleep(client.told[-1] if len(client.told) > before else _REFUSED_PAUSE)

    async def _read(self, client: EventClient) -> None:
        async with self._gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_LINE)
            resume = "" if client.last is None else f"Last-Event-ID: {client.last}\r\n"
            writer.write(
                f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
                f"Accept: text/event-stream\r\n{resume}\r\n".encode()
            )
            status = await reader.readline()
        try:
            if b" 200 " not in status:
                return
            position = 0
            async for line in reader:
                if line.startswith(b"id: "):
                    position = int(line[4:])
                    if client.ended_at or not client.connections:
                        client.connections, client.ended_at = client.connections + 1, 0.0
                    if client.last is None:
                        client.last = position
                elif line.startswith(b"data: "):
                    client.positions.append(position)
                    client.arrivals.append(time.monotonic())
                    client.last = position
                elif line.startswith(b"retry: "):
                    client.told.append(int(line[7:]) / 1000)
        finally:
            writer.close()
