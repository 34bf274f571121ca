"""A proxy on loopback between Cutback and an HTTP service, which injects the faults that a test wants."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.support.serving import serving
from tests.support.waiting import PATIENCE

PASS = "pass"
THROTTLE = "throttle"
ERROR = "error"
"""An answer of 500, nothing having happened."""
ERROR_AFTER = "error after"
"""An answer of 500, though it has happened."""
BROKEN_OFF = "broken off"
"""The connection is closed in the middle of what is asked, nothing having happened."""
DROP = "drop"
"""The connection is closed without an answer, nothing having happened."""
DROP_AFTER = "drop after"
"""The connection is closed without an answer, though it has happened."""
CUT = "cut"
"""It has happened, and half of the answer comes."""
HANG = "hang"
"""No answer ever, nothing having happened; the caller has to have enough of it."""
HANG_AFTER = "hang after"
EMBEDDED = "embedded"
"""S3 alone: an answer of 200 in which stands that it has not happened."""
FAULTS = [THROTTLE, ERROR, ERROR_AFTER, DROP, DROP_AFTER, CUT, HANG, HANG_AFTER]


class FaultyProxy:
    """Asks `plan` for every request, by its action (`SendMessage`, `Publish`), what to do with it."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.plan: Callable[[str], str] = lambda _action: PASS
        self.seen: list[tuple[str, str]] = []
        """Actions and what became of them."""
        self.over = threading.Event()
        self.endpoint = ""

    def fail(self, action: str, *faults: str) -> None:
        """Let the next requests of this action meet these faults, one each; then pass."""
        left = list(faults)
        lock = threading.Lock()

        def plan(asked: str) -> str:
            with lock:
                return left.pop(0) if asked == action and left else PASS

        self.plan = plan

    def count(self, action: str) -> int:
        return sum(asked == action for asked, _ in self.seen)

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


S3_ACTIONS = {
    "GET", "HEAD", "PUT", "DELETE", "DeleteObjects", "CreateMultipartUpload", "UploadPart", "UploadPartCopy",
    "CompleteMultipartUpload", "AbortMultipartUpload",
}  # fmt: skip


def action_of(method: str, path: str, headers: dict[str, str]) -> str:
    """SQS has the action in a header; for S3, it is the method and the resource. Empty: it is in the body."""
    asked = parse_qs(urlsplit(path).query, keep_blank_values=True)
    if "uploads" in asked:
        return "CreateMultipartUpload"
    if "uploadId" in asked:
        part = "UploadPartCopy" if "x-amz-copy-source" in headers else "UploadPart"
        return {"PUT": part, "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}[method]
    if method != "POST" or "delete" in asked:
        return "DeleteObjects" if "delete" in asked else method
    return headers.get("x-amz-target", "").rpartition(".")[2]


def embedded(action: str, body: bytes) -> bytes:
    """How S3 reports a failure in an answer with status 200: for the first requested object, or for all."""
    error = b"<Error>%s<Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
    if action != "DeleteObjects":
        return error % b""
    keys = re.findall(rb"<Key>.*?</Key>", body)
    deleted = b"".join(b"<Deleted>%s</Deleted>" % key for key in keys[1:])
    return b"<DeleteResult>%s%s</DeleteResult>" % (deleted, error % keys[0])


def action_in(body: bytes) -> str:
    """SNS names its action in the form that is its body."""
    fields = dict(part.partition("=")[::2] for part in body.decode(errors="replace").split("&"))
    return fields.get("Action", "")


@contextmanager
def between(upstream: str) -> Iterator[FaultyProxy]:
    """The proxy, running; its `endpoint` stands for `upstream`."""
    proxy = FaultyProxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_any(self) -> None:
            size = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(size // 2)
            action = action_of(self.command, self.path, headers)
            if not action:
                body += self.rfile.read(size - size // 2)
                action = action_in(body)
            fault = proxy.plan(action)
            proxy.seen.append((action, fault))
            if fault == BROKEN_OFF:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body += self.rfile.read(size - len(body))
            answer = 200, [("content-type", "text/plain")], b""
            if fault in {PASS, ERROR_AFTER, DROP_AFTER, CUT, HANG_AFTER}:
                answer = proxy.forward(self.command, self.path, headers, body)
            if fault in {HANG, HANG_AFTER}:
                self.wait_for_caller()
            if fault in {DROP, DROP_AFTER, HANG, HANG_AFTER}:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if fault in {THROTTLE, ERROR, ERROR_AFTER}:
                answer = self.refusal(fault, is_json="x-amz-target" in headers)
                if fault == THROTTLE and action in S3_ACTIONS:
                    answer = 503, answer[1], b"<Error><Code>SlowDown</Code></Error>"
            if fault == EMBEDDED:
                answer = 200, [("content-type", "application/xml")], embedded(action, body)
            self.answer(*answer, cut=fault == CUT)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815

        def wait_for_caller(self) -> None:
            self.connection.settimeout(0.05)
            while not proxy.over.is_set():
                try:
                    if not self.connection.recv(1):
                        return
                except TimeoutError:
                    continue
                except OSError:
                    return

        @staticmethod
        def refusal(fault: str, *, is_json: bool) -> tuple[int, list[tuple[str, str]], bytes]:
            status, code = (400, "Throttling") if fault == THROTTLE else (500, "InternalFailure")
            if is_json:
                text = f'{{"__type": "com.amazonaws.sqs#{code}", "message": "No."}}'
            else:
                text = f"<ErrorResponse><Error><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>"
            return status, [("content-type", "application/json" if is_json else "text/xml")], text.encode()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if self.command == "HEAD" and name.lower() == "content-length":
                    self.send_header(name, value)
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("content-length", str(max(len(body), int(cut))))
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(body[: len(body) // 2] if cut else body)
            if cut:
                self.close_connection = True

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as proxy.endpoint:
        try:
            yield proxy
        finally:
            proxy.over.set()
