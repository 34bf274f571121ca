"""Many clients of one event stream, in one thread: each reads, and returns where it was when its connection ends.

They wait for all sockets at once and look at bytes only, so that what they take themselves is small beside what they
measure. `ClientProcess` runs them in a process of their own, since a server and its clients in one would wait for each
other.
"""

from __future__ import annotations

import heapq
import multiprocessing
import re
import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, cast

_LINES = re.compile(rb"^(id|data|retry): (\d*)", re.MULTILINE)
_CHUNK = 16 * 1024
_REFUSED_PAUSE = 0.2
_AT_ONCE = 50
"""Connections that are opened at the same time."""
_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class EventClient:
    """What one client has received."""

    last: int | None = None
    """The position to resume after."""
    positions: list[int] = field(default_factory=list)
    """Of every event, in the order of arrival."""
    arrivals: list[float] = field(default_factory=list)
    """When, by the monotonic clock, which all processes of this machine share."""
    connections: int = 0
    ended_at: float = 0.0
    """When its latest connection ended."""
    told: list[float] = field(default_factory=list)
    """The pauses in seconds that the server asked for when it ended a stream."""


@dataclass(slots=True)
class _Connection:
    number: int
    client: EventClient
    socket: socket.socket
    told_before: int
    answered: bool = False
    rest: bytes = b""
    """The beginning of a line that has not arrived as a whole."""
    position: int = 0


class EventClients:
    """Opens the streams on entering, and closes them on leaving."""

    def __init__(self, port: int, count: int, *, after: int | None = None) -> None:
        """`count` clients of the server on this machine's `port`, which all begin after a position."""
        self._port = port
        self.clients = [EventClient(last=after) for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        self._due = [(0.0, number) for number in range(count)]
        """When to connect, and which client."""
        self._opening = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clients", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def open(self) -> int:
        """How many streams are open: they have begun, and not ended since."""
        return sum(client.connections > 0 and not client.ended_at for client in self.clients)

    def have(self, position: int) -> int:
        """How many clients have received the event at a position."""
        return sum(bool(client.positions) and client.positions[-1] >= position for client in self.clients)

    def _run(self) -> None:
        with self._selector:
            while not self._stop.is_set():
                self._connect()
                for key, _ in self._selector.select(self._pause()):
                    self._read(key.data)
            for key in list(self._selector.get_map().values()):
                cast("_Connection", key.data).socket.close()

    def _pause(self) -> float:
        if not self._due or self._opening >= _AT_ONCE:
            return _LOOK_SECONDS
        return min(_LOOK_SECONDS, max(0.0, self._due[0][0] - time.monotonic()))

    def _connect(self) -> None:
        while self._due and self._opening < _AT_ONCE and self._due[0][0] <= time.monotonic():
            _, number = heapq.heappop(self._due)
            client = self.clients[number]
            try:
                opened = socket.create_connection(("127.0.0.1", self._port))
            except OSError:  # nobody serves at the moment
                heapq.heappush(self._due, (time.monotonic() + _REFUSED_PAUSE, number))
                continue
            resume = "" if client.last is None else f"Last-Event-ID: {client.last}\r\n"
            opened.sendall(
                f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
                f"Accept: text/event-stream\r\n{resume}\r\n".encode()
            )
            opened.setblocking(False)
            self._opening += 1
            self._selector.register(opened, selectors.EVENT_READ, _Connection(number, client, opened, len(client.told)))

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        arrived = time.monotonic()
        if not data:
            self._ended(connection)
            return
        if not connection.answered:
            connection.answered = True
            self._opening -= 1
            if b" 200 " not in data[:20]:
                self._ended(connection)
                return
        data = connection.rest + data
        end = data.rfind(b"\n") + 1
        connection.rest = data[end:]
        client = connection.client
        for name, number in _LINES.findall(data[:end]):
            if name == b"id":
                connection.position = int(number)
                if client.ended_at or not client.connections:
                    client.connections, client.ended_at = client.connections + 1, 0.0
                if client.last is None:
                    client.last = connection.position
            elif name == b"data":
                client.positions.append(connection.position)
                client.arrivals.append(arrived)
                client.last = connection.position
            else:
                client.told.append(int(number) / 1000)

    def _ended(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._opening -= not connection.answered
        client = connection.client
        if client.connections and not client.ended_at:
            client.ended_at = time.monotonic()
        pause = client.told[-1] if len(client.told) > connection.told_before else _REFUSED_PAUSE
        heapq.heappush(self._due, (time.monotonic() + pause, connection.number))


class ClientProcess:
    """`EventClients` in a process of their own, from entering to leaving."""

    def __init__(self, port: int, count: int, *, after: int | None = None) -> None:
        """As `EventClients`."""
        context = multiprocessing.get_context("spawn")
        self._end, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, port, count, after), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._end.send(None)
        self._process.join(10)
        self._process.kill()
        self._process.join()

    @property
    def open(self) -> int:
        """How many streams are open."""
        return cast("int", self._call(_open))

    def have(self, position: int) -> int:
        """How many clients have received the event at a position."""
        return cast("int", self._call(_have, position))

    @property
    def clients(self) -> list[EventClient]:
        """What the clients have received."""
        return cast("list[EventClient]", self._call(_clients))

    @property
    def processor(self) -> float:
        """Seconds of processor time that the process has used."""
        return cast("float", self._call(_processor))

    def _call(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        self._end.send((ask, arguments))
        return self._end.recv()


def _serve(end: Connection, port: int, count: int, after: int | None) -> None:
    with EventClients(port, count, after=after) as streams:
        while (call := end.recv()) is not None:
            ask, arguments = call
            end.send(ask(streams, *arguments))


def _open(streams: EventClients) -> int:
    return streams.open


def _have(streams: EventClients, position: int) -> int:
    return streams.have(position)


def _clients(streams: EventClients) -> list[EventClient]:
    return streams.clients


def _processor(_: EventClients) -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
