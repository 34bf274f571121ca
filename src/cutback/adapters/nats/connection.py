"""A connection to a NATS cluster for synchronous code: one event loop in a thread, with requests that are repeated."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from cutback.adapters.nats.security import EncryptedClient, hint, read_credentials, tls_context
from cutback.domain.errors import MessageRefusedError, SurroundingsError
from cutback.settings.nats_address import NatsServers

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 20.0
"""Seconds for which a request is repeated: longer than a cluster takes to elect a new leader, which is 4 to 13.

It is shorter than the API and balancers wait for an answer, and than JetStream recognizes a repeated message.
"""
ANSWER_SECONDS = 3.0
"""Seconds to wait for one answer."""
CONNECT_SECONDS = 2
LAST_SECONDS = 1.0
"""Seconds for which the end of a connection waits for what was started and not finished."""
PING_SECONDS = 2
"""Seconds between two pings; a server that misses two of them is left for another one."""
ROOM = 8 * 1024
"""Bytes of a message that are kept for its headers, those of a dead letter included."""

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
_UNAVAILABLE = 503
_IN_PROCESS = 10158
"""Another message with this deduplication id was sent a moment ago, and the servers have not agreed on it yet."""
_FAILURES = (nats.errors.Error, OSError, TimeoutError)

WhenAbsent = Callable[[], Awaitable[object]]
"""Looks whether the stream or consumer exists to which a request belongs, and creates it if it does not."""


class NoAnswerError(SurroundingsError):
    """No server answers."""


class RefusedError(Exception):
    """JetStream refused a request."""

    def __init__(self, code: int, status: int, description: str, *, repeated: bool = False) -> None:
        """`code` is JetStream's own code, `status` is like HTTP's; the description is for the log.

        `repeated` tells that the request was sent before without a final answer, so it may have had an effect.
        """
        super().__init__(f"{code}: {description}")
        self.code = code
        self.status = status
        self.repeated = repeated


class NatsConnection:
    """One connection, which threads and adapters share. It connects on first use, and again after `close`.

    It reconnects by itself, to any server of the cluster, without an end. What is sent meanwhile is not buffered: it
    fails at once and is repeated, so nothing takes effect after its caller has been told that it failed.
    """

    def __init__(self, servers: NatsServers) -> None:
        """Prepare; nothing is sent yet."""
        self.servers = servers
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Client | None = None
        self._connecting: asyncio.Task[Client] | None = None
        self._failure: Exception | None = None
        self._started: set[Future[None]] = set()

    def close(self) -> None:
        """Finish what was started, for a moment at most; then close the connection and end the thread."""
        wait(tuple(self._started), LAST_SECONDS)
        with self._lock:
            loop, thread, client = self._loop, self._thread, self._client
            self._loop = self._thread = self._client = self._connecting = None
        if loop is None or thread is None:
            return
        if client is not None:
            with suppress(Exception):  # the client raises errors of many kinds, and the connection ends anyway
                asyncio.run_coroutine_threadsafe(client.close(), loop).result(ANSWER_SECONDS)
            loop.call_soon_threadsafe(_hang_up, client)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(ANSWER_SECONDS)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the connection's thread and return its result.

        Raises:
            NoAnswerError: the connection was closed meanwhile.
        """
        try:
            return self._submit(work).result()
        except CancelledError:
            raise NoAnswerError(f"{self.servers}: the connection was closed") from None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the connection's thread; only `close` waits for it. It must not raise."""
        started = self._submit(work)
        self._started.add(started)
        started.add_done_callback(self._started.discard)

    # --- in the loop -----------------------------------------------------------------------------

    async def client(self) -> Client:
        """Return the connected client.

        Raises:
            NoAnswerError: no server answers, or the credentials are wrong.
        """
        try:
            return await self._connected()
        except _FAILURES as error:
            log.debug("nats=%s: %r", self.servers, error)
            raise NoAnswerError(hint(self.servers, self._failure or error)) from None

    async def _connected(self) -> Client:
        if self._client is None or self._client.is_closed:
            # One attempt for all who wait: one after the other, each would wait for the failures of those before it.
            if self._connecting is None or self._connecting.done():
                self._connecting = asyncio.create_task(self._connect())
            try:
                self._client = await asyncio.wait_for(asyncio.shield(self._connecting), 2 * ANSWER_SECONDS)
            except TimeoutError:
                if self._connecting is not None and not self._connecting.done():
                    self._connecting.cancel()  # the client hangs, as it sometimes does while it closes: begin anew
                    self._connecting = None
                raise
        return self._client

    async def request(self, subject: str, payload: bytes = b"", *, absent: WhenAbsent | None = None) -> Msg:
        """Send a request, again and again until it is answered. It must be safe to repeat.

        `absent` is called once if nobody listens on the subject: the stream has no leader, or does not exist.

        Raises:
            MessageRefusedError: the message is too large for the servers.
            NoAnswerError: it was not answered.
        """
        return (await self._request(subject, payload, None, absent, time.monotonic() + PATIENCE_SECONDS))[0]

    async def _request(
        self,
        subject: str,
        payload: bytes,
        headers: Mapping[str, str] | None,
        absent: WhenAbsent | None,
        deadline: float,
    ) -> tuple[Msg, bool]:
        """Return the answer, and whether the same request was sent before."""
        pause, repeated = _FIRST_PAUSE, False
        while True:
            try:
                client = await self._connected()
                answer = await client.request(
                    subject, payload, timeout=ANSWER_SECONDS, headers=dict(headers) if headers else None
                )
                self._failure = None
                return answer, repeated
            except nats.errors.MaxPayloadError:
                raise MessageRefusedError(
                    f"the message is larger than the {client.max_payload} bytes allowed"
                ) from None
            except _FAILURES as error:
                log.debug("nats=%s subject=%s: %r", self.servers, subject, error)
                repeated = True
                if time.monotonic() >= deadline:
                    raise NoAnswerError(hint(self.servers, self._failure or error)) from None
                if absent is not None and isinstance(error, nats.errors.NoRespondersError):
                    looks, absent = absent(), None
                    await looks
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def try_once(self, subject: str, payload: bytes) -> bool:
        """Send a request on which nothing depends. Returns whether it was answered."""
        try:
            client = await self._connected()
            await client.request(subject, payload, timeout=ANSWER_SECONDS)
        except _FAILURES as error:
            log.debug("nats=%s subject=%s: %r", self.servers, subject, error)
            return False
        return True

    async def ask(
        self,
        subject: str,
        content: Mapping[str, Any] | bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        absent: WhenAbsent | None = None,
    ) -> dict[str, Any]:
        """Send a request to JetStream and return its answer; see `request`.

        It is repeated while there is no leader, and while the servers agree on another message with its deduplication
        id.

        Raises:
            RefusedError: JetStream refused it.
            MessageRefusedError: the message is too large for the servers.
            NoAnswerError: it was not answered.
        """
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        deadline, pause, repeated = time.monotonic() + PATIENCE_SECONDS, _FIRST_PAUSE, False
        while True:
            message, again = await self._request(subject, payload, headers, absent, deadline)
            answer = json.loads(message.data)
            error = answer.get("error")
            if error is None:
                return dict(answer)
            code, status = int(error.get("err_code", 0)), int(error.get("code", 0))
            refused = RefusedError(code, status, str(error.get("description")), repeated=repeated or again)
            repeated = True
            log.debug("nats=%s subject=%s: %s", self.servers, subject, refused)
            passing = refused.status == _UNAVAILABLE or refused.code == _IN_PROCESS
            if not passing or time.monotonic() >= deadline:
                raise refused
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _connect(self) -> Client:
        servers = self.servers
        client = EncryptedClient() if servers.tls else Client()
        try:
            credentials = read_credentials(servers)
            await asyncio.wait_for(
                client.connect(
                    servers=list(servers.urls),
                    name="cutback",
                    user=servers.user or None,
                    password=servers.password or None,
                    token=servers.token or None,
                    user_jwt_cb=None if credentials is None else credentials.user_jwt,
                    signature_cb=None if credentials is None else credentials.sign,
                    tls=tls_context(servers),
                    connect_timeout=CONNECT_SECONDS,
                    reconnect_time_wait=0,
                    max_reconnect_attempts=-1,
                    ping_interval=PING_SECONDS,
                    max_outstanding_pings=2,
                    pending_size=0,
                    error_cb=partial(self._note, client),
                    disconnected_cb=self._lost,
                    reconnected_cb=self._found,
                ),
                ANSWER_SECONDS,
            )
        except BaseException:
            with suppress(Exception):  # it was not connected
                await asyncio.wait_for(client.close(), CONNECT_SECONDS)
            _hang_up(client)
            raise
        return client

    async def _note(self, client: Client, error: Exception) -> None:
        log.debug("nats=%s: %r", self.servers, error)
        if self._failure is None or not isinstance(error, ConnectionError | TimeoutError):
            self._failure = error  # a server that refuses somebody may hang up before it says so the next time
        if client.is_reconnecting or client.is_connecting:
            _hang_up(client)
        await asyncio.sleep(_FIRST_PAUSE)  # between two tries to connect

    async def _lost(self) -> None:
        client = self._client
        if client is not None and not client.is_closed:
            log.warning("nats=%s reason=the connection was lost; connecting to the next server", self.servers)

    async def _found(self) -> None:
        log.info("nats=%s connected again", self.servers)

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:  # until it is submitted: a loop that `close` stops meanwhile would never run it
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_turn, args=(self._loop,), name="nats", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)


def _hang_up(client: Client) -> None:
    """Close the socket of a client, which forgets it if a server never answers or its own end is interrupted."""
    if client._transport:  # noqa: SLF001
        client._transport.close()  # type: ignore[no-untyped-call]  # noqa: SLF001


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(asyncio.sleep(0))  # sockets are closed in the turn after they are told to
    finally:
        loop.close()
