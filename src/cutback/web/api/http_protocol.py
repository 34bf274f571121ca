"""The server's side of a connection, with limits on the time that a client may take to send headers and to read.

uvicorn limits how long a connection may be idle between two requests, but not how slowly headers may come in, nor how
slowly an answer may be read.

It also offers requests a shorter way out for chunks that many answers share: an extension of ASGI, `CHUNKS` in
`scope["extensions"]`. What is sent the usual way passes every middleware and is made into a chunk anew for each client.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15.0
READ_SECONDS = 60.0
"""How long a client may take to read what is ready for it: some tens of kilobytes."""

CHUNKS = "cutback.chunks"
"""The extension: a `ChunkWriter`, for answers over HTTP/1.1 whose length is not announced."""


def chunk_of(data: bytes) -> bytes:
    """Return some bytes of a body, not none, as a chunk of HTTP/1.1. Pure."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class ChunkWriter:
    """Writes chunks of an answer that has begun, as long as its client keeps up."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: PunctualProtocol) -> None:
        """For the answer that this connection gives at the moment."""
        self._protocol = protocol

    def write(self, chunk: bytes) -> bool:
        """Write a chunk (`chunk_of`) without waiting. False: the client does not keep up, or is gone; send it instead.

        Nothing else may be sending to the same client.
        """
        protocol = self._protocol
        if protocol.flow.write_paused or protocol.transport.is_closing():
            return False
        protocol.transport.write(chunk)
        return True


class PunctualProtocol(H11Protocol):
    """Closes a connection whose request has not begun in time (the first one, or one that has arrived in part), and one
    whose answer is not read.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """As uvicorn makes it."""
        super().__init__(*args, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._inner = self.app
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["http_version"] == "1.1":
            scope.setdefault("extensions", {})[CHUNKS] = ChunkWriter(self)
        await self._inner(scope, receive, send)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_expecting()
        self._is_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_expecting()
        else:
            self._expect_headers()

    def on_response_complete(self) -> None:
        """Let uvicorn limit the time until the next request begins."""
        self._stop_expecting()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        self._is_read()
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop waiting: it has read."""
        self._is_read()
        super().resume_writing()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._close)

    def _stop_expecting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
