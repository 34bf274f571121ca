"""A proxy on loopback between Cutback and a MongoDB, which injects the faults that a test wants."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import bson
from tests.support.waiting import PATIENCE

PASS = "pass"
DROP = "drop"
"""The connection is closed without an answer, nothing having happened."""
DROP_AFTER = "drop after"
"""The connection is closed without an answer, though it has happened."""
CUT = "cut"
"""It has happened, and half of the answer comes."""
REFUSE = "refuse"
"""The server says that user or password are wrong, as it does when a connection is opened after a rotation."""
STEPPED_DOWN = "stepped down"
"""The server says that it is no longer primary; nothing has happened."""
FAULTS = [DROP, DROP_AFTER, CUT]

_REFUSALS = {
    REFUSE: (18, "AuthenticationFailed", "Authentication failed."),
    STEPPED_DOWN: (10107, "NotWritablePrimary", "not primary"),
}
_OP_MSG = 2013
_HANDSHAKE = {"hello", "ismaster", "isMaster", ""}


class MongoProxy:
    """Asks `plan` for every command except those of the handshake, by name (`insert`), what to do with it."""

    def __init__(self, upstream: int, port: int = 0) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", port))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.plan: Callable[[str], str] = lambda _command: PASS
        self.meanwhile: Callable[[], None] = lambda: None
        """Called between a fault and its being noticed."""
        self.seen: list[str] = []
        self.messages: list[bytes] = []
        """Of the commands in `seen`, whole."""

    def fail(self, command: str, *faults: str) -> None:
        """Let the next commands of this name meet these faults, one each; then pass."""
        left = list(faults)

        def plan(asked: str) -> str:
            with self._lock:
                return left.pop(0) if asked == command and left else PASS

        self.plan = plan

    def fail_nth(self, number: int, fault: str) -> None:
        """Let only the command of this number, counted from now, meet the fault."""
        left = [number]

        def plan(_asked: str) -> str:
            with self._lock:
                left[0] -= 1
                return fault if left[0] == -1 else PASS

        self.plan = plan

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _converse(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            with self._lock:
                self._open |= {client, server}
            while message := _receive(client):
                command = _command(message)
                fault = PASS if command in _HANDSHAKE else self.plan(command)
                if command not in _HANDSHAKE:
                    self.seen.append(command)
                    self.messages.append(message)
                if fault in _REFUSALS:
                    self.meanwhile()
                    client.sendall(_refusal(message, *_REFUSALS[fault]))
                    continue
                if fault != DROP:
                    server.sendall(message)
                    answer = _receive(server)
                if fault != PASS:
                    self.meanwhile()
                if fault in {DROP, DROP_AFTER} or not answer:
                    break
                client.sendall(answer[: len(answer) // 2] if fault == CUT else answer)
                if fault == CUT:
                    break
        with self._lock:
            self._open.discard(client)


@contextmanager
def between(upstream: int, port: int = 0) -> Iterator[MongoProxy]:
    """The proxy, running; its `port` (0: any) stands for `upstream` on loopback."""
    proxy = MongoProxy(upstream, port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(PATIENCE)


def _receive(connection: socket.socket) -> bytes:
    """A whole message, or nothing when the other side has closed."""
    head = _exactly(connection, 16)
    return head and head + _exactly(connection, struct.unpack_from("<i", head)[0] - 16)


def _refusal(request: bytes, code: int, name: str, message: str) -> bytes:
    """The answer of a server that refuses a request."""
    said = {"ok": 0.0, "code": code, "codeName": name, "errmsg": message}
    body = struct.pack("<I", 0) + b"\0" + bson.encode(said)
    asked = struct.unpack_from("<i", request, 4)[0]
    return struct.pack("<iiii", 16 + len(body), 0, asked, _OP_MSG) + body


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            return b""
        data += part
    return data


def _command(message: bytes) -> str:
    """The name of the first field of the document, which is that of the command."""
    if struct.unpack_from("<i", message, 12)[0] != _OP_MSG:
        return ""
    start = 16 + 4 + 1 + 4 + 1
    return message[start : message.index(0, start)].decode()
