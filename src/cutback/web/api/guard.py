"""What applies to every request before any route: limits of size, time and number, and headers of every answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cutback.domain.base import MAX_JSON_BYTES
from cutback.domain.errors import (
    AnswerTimeoutError,
    BodyTooLargeError,
    CutbackError,
    OverloadedError,
    RequestTimeoutError,
    StoppedError,
)
from cutback.web.api.metrics import Metrics
from cutback.web.api.problems import respond
from cutback.web.api.rate_limits import Budget

CHUNK_SECONDS = 20.0
"""How long a client may take to send the next bytes of a body."""
BODY_SECONDS = 30.0
"""How long it may take to send a body of the usual size."""
SLOW_START_SECONDS = 30.0
"""How long a body with a minimum rate may be slower than that."""
ANSWER_SECONDS = 25.0
"""How long it may take until an answer begins, from the last byte of the body.

Longer than the queue's servers are given to elect a leader, and shorter than the 30 that balancers wait.
"""
SLOW_ANSWER_SECONDS = 90.0
"""The same for what examines recordings, takes parts of uploads or waits for a clip, for 60 of them at most."""
_SLOW_PATHS = tuple(
    f"/v1/{name}" for name in ("recordings", "cameras", "moments", "activity", "plans", "frames", "uploads")
)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Sent with every answer that does not have its own."""
EVENTS = "/v1/events"
MOST_WAITING = 10_000
"""Event streams that wait for their turn at once."""
TURN_SECONDS = 60.0
"""How long one waits."""
_EVENT_STREAM = "text/event-stream"
STOPPING = "This server is stopping; another one answers."


@dataclass(slots=True)
class Allowance:
    """What one request may take. A route that takes large bodies changes it before it reads."""

    body_bytes: int | None = MAX_JSON_BYTES
    """None: the route counts by itself."""
    body_seconds: float | None = BODY_SECONDS
    """For the whole body; None: only each next part of it must come in time, at `body_rate`."""
    body_rate: float = 0.0
    """Bytes per second that must come on average, after some time for a slow start; 0: any rate."""
    budget: Budget | None = None
    """What is left of the key's rate limit."""


def allowance_of(request: Request) -> Allowance:
    """Return what the request may take, to change it."""
    return cast("Allowance", request.scope["state"]["allowance"])


def answer_seconds(path: str, query: bytes) -> float:
    """Return how long an answer may take. The balancers in deploy/cluster go by the same rules."""
    waits = any(name == "wait" for name, _ in parse_qsl(query.decode("latin-1")))
    return SLOW_ANSWER_SECONDS if waits or path.startswith(_SLOW_PATHS) else ANSWER_SECONDS


def guard(app: FastAPI, *, concurrency: int, metrics: Metrics) -> Guard:
    """Put the guard around everything, error answers included. Call this last: no middleware can be added later."""
    made = Guard(app, app.build_middleware_stack(), concurrency=concurrency, metrics=metrics)
    app.middleware_stack = made
    return made


class Guard:
    """Limits requests, and completes answers."""

    def __init__(self, app: FastAPI, inner: ASGIApp, *, concurrency: int, metrics: Metrics) -> None:
        """At most `concurrency` requests are answered at once; open event streams do not count."""
        self._app, self._inner, self._concurrency, self._metrics = app, inner, concurrency, metrics
        self._active = 0
        self._next: dict[asyncio.Future[None], None] = {}
        """Event streams that begin when another request ends, the first to come first."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awaited: set[asyncio.Timeout] = set()
        self.stopping = False
        """Whether requests end now, finished or not."""

    def stop(self) -> None:
        """End the requests whose bodies have not arrived, so that none is cut off by the end of the process.

        May be called from any thread.
        """
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nothing is in progress
                self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self.stopping = True
        for waiting in self._awaited:
            waiting.reschedule(asyncio.get_running_loop().time())
        for turn in self._next:
            if not turn.done():
                turn.set_result(None)

    @asynccontextmanager
    async def awaiting(self, seconds: float) -> AsyncIterator[None]:
        """Wait for a client, for so long and not beyond the end of the process.

        Raises:
            RequestTimeoutError: it did not send.
            StoppedError: the process ends.
        """
        try:
            async with asyncio.timeout(0.0 if self.stopping else max(0.0, seconds)) as waiting:
                self._awaited.add(waiting)
                try:
                    yield
                finally:
                    self._awaited.discard(waiting)
        except TimeoutError:
            raise (StoppedError(STOPPING) if self.stopping else RequestTimeoutError()) from None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        scope.setdefault("state", {})["allowance"] = Allowance()
        self._loop = self._loop or asyncio.get_running_loop()
        exchange = _Exchange(self, scope, receive, send)
        if scope["path"] == EVENTS and len(self._next) < MOST_WAITING:
            await self._turn()
        if self._active >= self._concurrency and scope["path"] != "/healthz":
            await self._answer(exchange, OverloadedError(f"It answers {self._concurrency} requests at once."))
        else:
            await self._within_time(exchange)
        self._metrics.observe(scope, exchange.status, time.monotonic() - exchange.began)

    async def _turn(self) -> None:
        """Wait until fewer requests are answered: a browser gives up an `EventSource` for good that is refused once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TURN_SECONDS):
                while self._active >= self._concurrency and not self.stopping:
                    turn = asyncio.get_running_loop().create_future()
                    self._next[turn] = None
                    try:
                        await turn
                    finally:
                        self._next.pop(turn, None)  # it is still there if the time is over, or the client left

    async def _within_time(self, exchange: _Exchange) -> None:
        self.count(exchange, 1)
        try:
            async with asyncio.timeout(exchange.answer_seconds) as exchange.deadline:
                await self._inner(exchange.scope, exchange.receive, exchange.send)
        except TimeoutError:
            if exchange.status:
                raise
            exchange.deadline = None
            await self._answer(exchange, AnswerTimeoutError(f"The limit is {exchange.answer_seconds:g} s."))
        except asyncio.CancelledError:
            if not self.stopping:
                raise
            if not exchange.status:  # the server gives up waiting for this request
                await self._answer(exchange, StoppedError(STOPPING))
        finally:
            self.count(exchange, -1)

    def count(self, exchange: _Exchange, change: int) -> None:
        """Note that a request has begun (1) or no longer counts (-1), which happens once."""
        if (change > 0) != exchange.counted:
            exchange.counted = change > 0
            self._active += change
            self._metrics.in_progress.set(self._active)
            while self._next and self._active < self._concurrency:
                turn = next(iter(self._next))
                del self._next[turn]
                if not turn.done():
                    turn.set_result(None)
                    break

    async def _answer(self, exchange: _Exchange, error: CutbackError) -> None:
        scope = {**exchange.scope, "app": self._app}
        await respond(Request(scope), error)(scope, exchange.receive, exchange.send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard, self.scope, self._receive, self._send = guard, scope, receive, send
        self.began = time.monotonic()
        self.answer_seconds = answer_seconds(scope["path"], scope["query_string"])
        self.deadline: asyncio.Timeout | None = None
        self.status = 0
        """0 until the answer begins."""
        self.counted = False
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        self._announced = int(length) if length.isascii() and length.isdigit() else 0
        self._more = self._announced > 0 or "transfer-encoding" in headers
        self._received = 0
        self._waited = 0.0

    @property
    def _allowance(self) -> Allowance:
        return cast("Allowance", self.scope["state"]["allowance"])

    async def receive(self) -> Message:
        """Return the next part of the body, within the limits.

        Raises:
            BodyTooLargeError: it has too many bytes, or announces them.
            RequestTimeoutError: it does not come in time.
            StoppedError: the server stops.
        """
        if not self._more:
            return await self._receive()
        allowed = self._allowance
        if allowed.body_bytes is not None and self._announced > allowed.body_bytes:
            raise BodyTooLargeError(f"It may have {allowed.body_bytes} bytes.")
        asked = time.monotonic()
        seconds = CHUNK_SECONDS
        if allowed.body_seconds is not None:
            seconds = min(seconds, self.began + allowed.body_seconds - asked)
        if allowed.body_rate:
            seconds = min(seconds, SLOW_START_SECONDS + self._received / allowed.body_rate - self._waited)
        async with self._guard.awaiting(seconds):
            message = await self._receive()
        self._waited += time.monotonic() - asked
        if message["type"] == "http.request":
            if self.deadline is not None:  # the answer cannot begin before the end of the body
                self.deadline.reschedule(asyncio.get_running_loop().time() + self.answer_seconds)
            self._received += len(message.get("body", b""))
            self._more = message.get("more_body", False)
            if allowed.body_bytes is not None and self._received > allowed.body_bytes:
                raise BodyTooLargeError(f"It may have {allowed.body_bytes} bytes.")
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; first its headers, completed."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.deadline is not None:
                self.deadline.reschedule(None)
            self._complete(MutableHeaders(scope=message))
        await self._send(message)

    def _complete(self, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if self._allowance.budget is not None:
            headers.update(self._allowance.budget.headers())
        if self._more:
            headers["Connection"] = "close"  # nobody reads the rest of the body, which may have no end
        if headers.get("content-type", "").startswith(_EVENT_STREAM):
            self._guard.count(self, -1)
