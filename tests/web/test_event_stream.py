"""Event streams of a real server: written directly to clients that keep up, sent with patience to those that do not."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from tests.support.waiting import PATIENCE, eventually
from tests.web.harness import WebHarness
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from cutback.web.api import event_stream
from cutback.web.api.event_feed import EventFeed
from cutback.web.api.event_stream import Stream
from cutback.web.api.http_protocol import ChunkWriter, PunctualProtocol
from cutback.web.api.serve import ApiServer


class ChoosyWriter:
    """Refuses some chunks, as a connection whose client does not keep up. Notes what it took."""

    def __init__(self, taken: list[bytes], choose: Callable[[], bool]) -> None:
        self.taken, self.choose = taken, choose
        self.written = 0

    def write(self, chunk: bytes) -> bool:
        if not self.choose():
            return False
        size, _, rest = chunk.partition(b"\r\n")
        assert (len(rest) - 2, rest[-2:]) == (int(size, 16), b"\r\n")
        self.taken.append(rest[:-2])
        self.written += 1
        return True


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_client_that_keeps_up_now_and_then_gets_each_event_once_and_in_order(
    make_web: Callable[..., WebHarness], share: float
) -> None:
    web = make_web()
    feed: EventFeed = web.app.state.events
    sent: list[bytes] = []
    chance = random.Random(4)
    writer = ChoosyWriter(sent, lambda: chance.random() < share)
    stream = Stream(feed, feed.open(), lambda each: each.event.subject != "clip-7")
    stream.chunks = cast("ChunkWriter", writer)

    async def run() -> None:
        async def read() -> None:
            note = sent.append
            async for block in stream.blocks():
                note(block)

        reading = asyncio.create_task(read())
        for number in range(40):
            await asyncio.to_thread(web.submit, id=f"clip-{number}")
            if number % 10 == 0:
                stream.comment()
        await asyncio.to_thread(eventually, lambda: stream.position == 40)
        await asyncio.to_thread(feed.close)
        await asyncio.wait_for(reading, PATIENCE)

    asyncio.run(run())
    events = [int(block[4:].split(b"\n")[0]) for block in sent if b"\nevent: " in block]
    assert events == [each for each in range(1, 41) if each != 8]
    assert (writer.written > 0) == (share > 0)
    assert b"\nretry: " in sent[-1]


@pytest.fixture
def server(make_web: Callable[..., WebHarness]) -> Iterator[tuple[WebHarness, ApiServer]]:
    web = make_web(listen="127.0.0.1:0")
    with ApiServer(web.services) as serving:
        # Little room in the kernel, so that a client which does not read is noticed after a few events.
        serving._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        yield web, serving


def listening(server: ApiServer, version: str = "1.1") -> socket.socket:
    port = server._socket.getsockname()[1]
    client = socket.socket()
    client.settimeout(PATIENCE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(
        f"GET /v1/events?after=0 HTTP/{version}\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    return client


def read_until(client: socket.socket, end: bytes) -> bytes:
    found = b""
    while end not in found:
        data = client.recv(65536)
        assert data, f"the stream ended after {found[-200:]!r}"
        found += data
    return found


def unchunked(answer: bytes) -> bytes:
    rest = answer.partition(b"\r\n\r\n")[2]
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body


def event_ids(body: bytes) -> list[int]:
    blocks = body.decode().split("\n\n")
    return [int(block.split("\n")[0].removeprefix("id: ")) for block in blocks if "\nevent: " in block]


def connections(server: ApiServer) -> list[PunctualProtocol]:
    return cast("list[PunctualProtocol]", list(server._server.server_state.connections))


def streams(server: ApiServer) -> int:
    return cast("EventFeed", server._app.state.events).streams


def test_a_client_that_stops_reading_for_a_while_misses_nothing(server: tuple[WebHarness, ApiServer]) -> None:
    web, serving = server
    with listening(serving) as client:
        said = read_until(client, b"events from here on")
        count = 0
        [connection] = connections(serving)
        while not connection.flow.write_paused:  # until its buffers are full
            count += 1
            web.submit(id=f"clip-{count}")
            assert count < 1000
        for _ in range(40):
            count += 1
            web.submit(id=f"clip-{count}")
        feed: EventFeed = serving._app.state.events
        eventually(lambda: feed.newest == count)
        assert connection.transport.get_write_buffer_size() < HIGH_WATER_LIMIT + 8192, "memory would grow without end"
        said += read_until(client, f"id: {count}\n".encode())
        client.shutdown(socket.SHUT_WR)
        said += b"".join(iter(lambda: client.recv(65536), b""))
    assert event_ids(unchunked(said)) == list(range(1, count + 1))


def test_a_stream_ends_with_its_client(server: tuple[WebHarness, ApiServer]) -> None:
    web, serving = server
    clients = [listening(serving) for _ in range(3)]
    for client in clients:
        read_until(client, b"events from here on")
    assert streams(serving) == 3
    for client in clients[:2]:
        client.close()
    eventually(lambda: streams(serving) == 1)
    web.submit(id="one")
    read_until(clients[2], b"event: clip.queued")
    clients[2].close()
    eventually(lambda: streams(serving) == 0)


def test_comments_keep_a_quiet_stream_open_and_have_its_position(
    server: tuple[WebHarness, ApiServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "COMMENT_SECONDS", 0.05)
    web, serving = server
    web.submit(id="one")
    with listening(serving) as client:
        said = read_until(client, b": still here\nid: 1\n\n")
        said += read_until(client, b": still here\nid: 1\n\n")
    assert said.count(b"event: ") == 1


def test_a_client_of_http_1_0_gets_no_chunks(server: tuple[WebHarness, ApiServer]) -> None:
    web, serving = server
    with listening(serving, version="1.0") as client:
        said = read_until(client, b"events from here on")
        web.submit(id="one")
        said += read_until(client, b"\nevent: clip.queued\n")
        web.submit(id="two")
        said += read_until(client, b"id: 2\n")
        cast("EventFeed", serving._app.state.events).close()
        said += b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert event_ids(body) == [1, 2]


def test_the_end_of_a_stream_ends_the_connection(server: tuple[WebHarness, ApiServer]) -> None:
    _, serving = server
    with listening(serving) as client:
        said = read_until(client, b"events from here on")
        cast("EventFeed", serving._app.state.events).close()
        said += b"".join(iter(lambda: client.recv(65536), b""))
    assert b"\r\nconnection: close\r\n" in said.lower()
    assert b"\nretry: " in unchunked(said)
    assert said.endswith(b"0\r\n\r\n")
