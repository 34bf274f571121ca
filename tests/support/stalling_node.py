"""A cache node on loopback that hangs: it accepts connections and requests, answers some, and then no more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable

from tests.support.waiting import PATIENCE


class StallingNode:
    """Answers every connection with the same pieces, one every 20 ms; then it holds the line and keeps silent."""

    def __init__(self, pieces: Iterable[bytes] = (), *, listens: bool = True) -> None:
        """`pieces` may be without end. One that does not listen does not even read what is said to it."""
        self._pieces, self._listens = pieces, listens
        self._server = socket.create_server(("127.0.0.1", 0))
        self.node: tuple[str, int] = self._server.getsockname()
        self.connections: list[socket.socket] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """For the settings."""
        return f"memcached://{self.node[0]}:{self.node[1]}"

    def close(self) -> None:
        """Hang up."""
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        for each in self.connections:
            each.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        self._server.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections.append(connection)
            self._threads.append(threading.Thread(target=self._talk, args=[connection], daemon=True))
            self._threads[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            if not self._listens or not connection.recv(4096):
                return
            for piece in self._pieces:
                connection.sendall(piece)
                if self._over.wait(0.02):
                    return
        except OSError:
            pass  # the client has disconnected
