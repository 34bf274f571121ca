"""Serves the API with uvicorn, in a thread: binds the address, starts, and drains.

Draining is ours, because uvicorn alone waits for open event streams without end, and closes connections to which a
request may be on its way. The node says that it is not ready and serves on until load balancers have noticed; it asks
clients to close their connections; it accepts no new ones, so that balancers choose another node without a failed
request; it ends the event streams; and then it waits for the rest, but not for ever.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import logging
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

import uvicorn

from cutback.domain.errors import SettingsError
from cutback.lifecycle.api_keys import any_key
from cutback.services import Services
from cutback.settings.listen_address import listen_address
from cutback.settings.settings import Settings
from cutback.web.api.app import create_app
from cutback.web.api.http_protocol import PunctualProtocol
from cutback.web.api.node import NodeState

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers keep idle connections (60 s by default), so that they never send into a closed one."""

_CONNECTING_SECONDS = 0.25
"""How long connections that clients have begun to make may take until they can be accepted."""
LINGER_SECONDS = 1.0
"""After the last connection is accepted: how long requests on open connections may still arrive."""
END_SECONDS = 6
"""After draining: how long requests in progress may take before they are cancelled."""
_BODY_SECONDS = 4
"""After draining: how long clients may go on to send the bodies of their requests."""
_LAST_SECONDS = 2.0
"""After cancelling: how long to wait for the server's thread."""
_BACKLOG = 2048
_PORTS = 1 << 16
_CLOSE = (b"connection", b"close")
_THREADS_OF_REQUESTS = ("AnyIO worker thread", "asyncio_")
"""What the threads are called that the web framework makes for requests."""


def bind(settings: Settings, *, ports: int = 1) -> socket.socket:
    """Return a socket that is bound to CUTBACK_LISTEN and listens, but accepts nothing yet.

    With `ports`, so many are tried, from the one that is set upwards, as long as other programs have them.

    Raises:
        SettingsError: the port is taken, or this machine has no such address; the message says what to do.
    """
    address = listen_address(settings.listen)
    last = min(address.port + ports, _PORTS) - 1 if address.port else 0
    for port in range(address.port, last + 1):
        try:
            return _bind(address.host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == last:
                raise _unusable(settings, _problem(error)) from error
    raise AssertionError("the last port is returned or raises")


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
        0
    ]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def _problem(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is taken by another program"
    if error.errno == errno.EACCES:
        return "may not be used by this user; ports below 1024 are reserved"
    return "is not an address of this machine"


def _unusable(settings: Settings, problem: str) -> SettingsError:
    return SettingsError(
        f"\n- CUTBACK_LISTEN: {settings.listen} {problem}. Choose another with --listen 127.0.0.1:8081, "
        "or start cutback up with --no-api"
    )


def check_access(services: Services) -> None:
    """Check that a server which others can reach has an API key.

    Raises:
        SettingsError: it has none.
        RecordsUnavailableError: the records do not answer.
    """
    settings = services.settings
    if not settings.listens_on_loopback and not any_key(services):
        raise SettingsError(
            f"\n- CUTBACK_LISTEN: other machines can reach {settings.listen}, and there is no API key yet. "
            "Make one: cutback keys create NAME; or listen on 127.0.0.1"
        )


_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER of Linux, for which Python has no name."""
_DROP_SYN = (
    (0x30, 0, 0, 13),  # load the byte with the flags of TCP's header
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # then keep 0 bytes,
    (0x06, 0, 0, 0xFFFFFFFF),  # else all of them
)
"""Classic BPF: https://www.kernel.org/doc/html/latest/networking/filter.html"""


def _refuse_to_connect(listening: socket.socket) -> None:
    """Make the kernel drop requests to connect; what is being connected goes on. Clients repeat their requests a
    second later, and are refused then. Where there is no such filter, the kernel resets what comes too late.
    """
    filtering = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN)
    kept = ctypes.create_string_buffer(filtering)
    with suppress(OSError):
        program = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(kept))
        listening.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)


class ApiServer:
    """The API of this process. Entering the context starts it; leaving it drains it."""

    def __init__(self, services: Services, *, ports: int = 1) -> None:
        """Bind the address; connections wait until the server starts.

        Raises like `check_access` and `bind`, which gets `ports`.
        """
        check_access(services)
        self._drain_seconds = services.settings.drain_time
        self._socket = bind(services.settings, ports=ports)
        address = listen_address(services.settings.listen)
        self.url = address.url(self._socket.getsockname()[1])
        self._app = create_app(services)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                http=PunctualProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=END_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)
        self._last_connections: list[asyncio.Task[object]] = []
        self._started = threading.Event()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception:
            log.exception("api=%s failed=yes", self.url)

    def __enter__(self) -> Self:
        """Start, and return once requests are answered."""
        self._thread.start()
        while self._thread.is_alive() and not self._server.started:
            time.sleep(0.01)
        self._app.state.node.state = NodeState.READY
        log.info("api=%s started=yes", self.url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain and stop."""
        self.stop()

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs any more. If not, a request hangs in a thread for which Python would wait."""
        return not self._thread.is_alive() and not any(
            thread.name.startswith(_THREADS_OF_REQUESTS) for thread in threading.enumerate()
        )

    def stop(self) -> None:
        """Say that this node is not ready, serve on for a while, end the event streams, and wait for the rest."""
        node = self._app.state.node
        if node.state is NodeState.DRAINING:
            return
        node.state = NodeState.DRAINING
        if self._thread.is_alive() and self._drain_seconds:
            log.info("api=%s draining=yes seconds=%g", self.url, self._drain_seconds)
            # uvicorn copies these into the headers of every answer, once a second.
            self._server.config.encoded_headers.append(_CLOSE)
            self._thread.join(self._drain_seconds)
        self._stop_accepting()
        self._app.state.events.close()
        if self._drain_seconds:
            self._linger()
        self._server.should_exit = True
        deadline = time.monotonic() + END_SECONDS + _LAST_SECONDS
        if self._thread.ident is not None:
            self._thread.join(min(_BODY_SECONDS, END_SECONDS))
            self._app.state.guard.stop()
            self._thread.join(max(0.0, deadline - time.monotonic()))
        while not self.ended and time.monotonic() < deadline:
            time.sleep(0.02)
        self._app.state.rate_limiter.close()
        with suppress(OSError):
            self._socket.close()
        log.info("api=%s stopped=%s", self.url, "yes" if self.ended else "no")

    def _stop_accepting(self) -> None:
        """Accept what waits for it, then refuse connections: for a balancer, that is safe to try elsewhere."""
        server, closed = self._server, threading.Event()
        if not server.started or not server.servers:
            return
        loop = server.servers[0].get_loop()
        # The kernel resets connections that nobody has accepted, so none may be made between the last one and the end.
        _refuse_to_connect(self._socket)
        if self._drain_seconds:
            self._thread.join(_CONNECTING_SECONDS)

        def close() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = self._socket.accept()
                    connection.setblocking(False)
                    self._last_connections.append(loop.create_task(loop.connect_accepted_socket(protocol, connection)))
            for each in server.servers:
                each.close()
            closed.set()

        def protocol() -> PunctualProtocol:
            return PunctualProtocol(config=server.config, server_state=server.server_state, app_state={})

        with suppress(RuntimeError):  # the loop is closed: the server has failed
            loop.call_soon_threadsafe(close)
            closed.wait(END_SECONDS)

    def _linger(self) -> None:
        """Wait until all clients have closed their connections, but not for long."""
        deadline = time.monotonic() + LINGER_SECONDS
        while self._server.server_state.connections and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
