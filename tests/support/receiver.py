"""A receiver of webhooks: an HTTP server on loopback that keeps what it receives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.support.serving import serving


@dataclass
class Receiver:
    """Answers with the statuses given, the last one for ever, and keeps what came."""

    statuses: list[int]
    came: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """For each call: path, headers by lower-case name, and body."""
    linger: float = 0.0
    """Seconds for which the body of an answer drips."""
    url: str = ""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Start a receiver that accepts everything, and stop it at the end."""
    received = Receiver([204])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.came.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status = received.statuses.pop(0) if len(received.statuses) > 1 else received.statuses[0]
            self.send_response(status)
            self.send_header("Location", received.url + "/elsewhere")
            self.send_header("Content-Length", "0" if not received.linger else "1000")
            self.end_headers()
            if received.linger:
                _drip(self, received.linger)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as received.url:
        yield received


def _drip(handler: BaseHTTPRequestHandler, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            handler.wfile.write(b".")
        except OSError:
            return
        threading.Event().wait(0.1)
