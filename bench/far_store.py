"""An object store at a distance: S3's protocol over a folder, with a round trip and a bandwidth for each connection.

It runs on loopback, in threads of the process that measures. A connection costs round trips before its first request.
Then every request is answered one round trip after it arrived, and its body moves at the bandwidth of one connection.
TCP's slow start, lost packets and a limit for all connections together are not played.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

_STEP = 256 * 1024
"""Bytes that move between two looks at the clock."""
_UPLOADS = ".uploads"


@dataclass(frozen=True, slots=True)
class Distance:
    """How far away the store is."""

    round_trip: float = 0.030
    """Seconds."""
    bandwidth: float = 80e6
    """Bytes a second of one connection, in each direction."""
    handshake: int = 2
    """Round trips before a connection's first request: one for TCP, one for TLS 1.3."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered."""

    action: str
    key: str
    size: int
    """Bytes of the body that moved, in either direction."""
    connection: int
    began: float
    """When it had arrived, by `time.monotonic`."""
    ended: float


class FarStore:
    """The store. Buckets are the folders below `folder`."""

    def __init__(self, folder: Path, distance: Distance, *, takes_conditions: bool = True) -> None:
        """Without `takes_conditions`, it refuses to complete an upload under a condition (501), as some stores do."""
        self.folder, self.distance, self.takes_conditions = folder, distance, takes_conditions
        self.endpoint = ""
        self.connections = 0
        self._answered: list[Answered] = []
        self._lock = threading.Lock()

    def options(self) -> dict[str, str]:
        """The options with which a `Store` reaches it."""
        return {
            "endpoint": self.endpoint,
            "allow_http": "true",
            "region": "eu-central-1",
            "access_key_id": "AKIAEXAMPLE",
            "secret_access_key": "example",
        }

    def taken(self) -> list[Answered]:
        """Return what was answered since the last call."""
        with self._lock:
            found, self._answered = self._answered, []
        return found

    def note(self, answered: Answered) -> None:
        """Note a request."""
        with self._lock:
            self._answered.append(answered)

    def connected(self) -> int:
        """Count a connection; returns its number."""
        with self._lock:
            self.connections += 1
            return self.connections

    def path(self, bucket: str, key: str) -> Path:
        """The file of an object."""
        return self.folder / bucket / key

    def upload(self, upload_id: str) -> Path:
        """The folder of an upload's parts."""
        return self.folder / _UPLOADS / upload_id


@contextmanager
def far_store(folder: Path, distance: Distance, *, takes_conditions: bool = True) -> Iterator[FarStore]:
    """Run the store on a free port of loopback until the block ends."""
    store = FarStore(folder, distance, takes_conditions=takes_conditions)

    class Handler(_Handler):
        far = store

    with _Server(("127.0.0.1", 0), Handler) as server:
        store.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients end connections when they are killed or have enough."""


class _Pace:
    """Lets bytes pass at a bandwidth."""

    def __init__(self, bandwidth: float) -> None:
        self._bandwidth, self._began, self.moved = bandwidth, time.monotonic(), 0

    def move(self, count: int) -> None:
        self.moved += count
        early = self._began + self.moved / self._bandwidth - time.monotonic()
        if early > 0.0005:
            time.sleep(early)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    far: FarStore

    def setup(self) -> None:
        super().setup()
        self._number = self.far.connected()
        time.sleep(self.far.distance.handshake * self.far.distance.round_trip)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Say nothing."""

    def _any(self) -> None:
        began = time.monotonic()
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        asked = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        action = self._action(asked, key)
        if ".." in key.split("/") or not (self.far.folder / bucket).is_dir():
            moved = self._refuse(404, "NoSuchBucket", read=True)
        else:
            moved = getattr(self, f"_{action}")(bucket, key, asked)
        self.far.note(Answered(action, key, moved, self._number, began, time.monotonic()))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any  # noqa: N815 - their names in the library

    def _action(self, asked: dict[str, str], key: str) -> str:
        if "uploads" in asked:
            return "create_upload"
        if "uploadId" in asked:
            part = "copy_part" if "x-amz-copy-source" in self.headers else "put_part"
            return {"PUT": part, "POST": "complete", "DELETE": "abort"}[self.command]
        if "delete" in asked:
            return "delete_many"
        return "list" if self.command == "GET" and not key else self.command.lower()

    # --- reading ---------------------------------------------------------------------------------

    def _head(self, bucket: str, key: str, _asked: dict[str, str]) -> int:
        path = self.far.path(bucket, key)
        if not path.is_file():
            return self._refuse(404, "NoSuchKey")
        self._answer(200, {**_facts(path), "content-length": str(path.stat().st_size)})
        return 0

    def _get(self, bucket: str, key: str, _asked: dict[str, str]) -> int:
        path = self.far.path(bucket, key)
        if not path.is_file():
            return self._refuse(404, "NoSuchKey")
        facts, size = _facts(path), path.stat().st_size
        if self.headers.get("if-match", facts["etag"]) != facts["etag"]:
            return self._refuse(412, "PreconditionFailed")
        start, end, status = 0, size, 200
        if wanted := self.headers.get("range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end, status = int(first), min(int(last or size - 1) + 1, size), 206
            if start >= size:
                return self._refuse(416, "InvalidRange")
            facts["content-range"] = f"bytes {start}-{end - 1}/{size}"
        self._answer(status, {**facts, "content-length": str(end - start)})
        pace = _Pace(self.far.distance.bandwidth)
        with path.open("rb") as file:
            while start < end:
                count = os.sendfile(self.connection.fileno(), file.fileno(), start, min(_STEP, end - start))
                start += count
                pace.move(count)
        return pace.moved

    def _list(self, bucket: str, _key: str, asked: dict[str, str]) -> int:
        root, prefix = self.far.folder / bucket, asked.get("prefix", "")
        found = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(_facts(root / key)['etag'])}</ETag><Size>{(root / key).stat().st_size}</Size></Contents>"
            for key in found
            if key.startswith(prefix)
        )
        return self._say(f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>")

    # --- writing ---------------------------------------------------------------------------------

    def _put(self, bucket: str, key: str, _asked: dict[str, str]) -> int:
        path, new = self.far.path(bucket, key), self._receive()
        if not self._place(new, path):
            return self._refuse(412, "PreconditionFailed")
        self._answer(200, {"etag": _facts(path)["etag"], "content-length": "0"})
        return int(self.headers.get("content-length", 0))

    def _place(self, new: Path, path: Path) -> bool:
        """Give a finished file its key; False: it is taken, and the request is on condition that it is not."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if self.headers.get("if-none-match") == "*":
                os.link(new, path)
            else:
                new.replace(path)
        except FileExistsError:
            return False
        finally:
            new.unlink(missing_ok=True)
        return True

    def _create_upload(self, _bucket: str, key: str, _asked: dict[str, str]) -> int:
        upload_id = secrets.token_hex(8)
        self.far.upload(upload_id).mkdir(parents=True)
        self._receive().unlink()
        return self._say(
            f"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{escape(key)}</Key>"
            f"<UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
        )

    def _put_part(self, _bucket: str, _key: str, asked: dict[str, str]) -> int:
        part = self.far.upload(asked["uploadId"]) / f"{int(asked['partNumber']):05}"
        self._receive().replace(part)
        self._answer(200, {"etag": _facts(part)["etag"], "content-length": "0"})
        return int(self.headers.get("content-length", 0))

    def _copy_part(self, _bucket: str, _key: str, asked: dict[str, str]) -> int:
        self._receive().unlink()
        source = self.far.folder / unquote(self.headers["x-amz-copy-source"]).lstrip("/")
        if not source.is_file():
            return self._refuse(404, "NoSuchKey")
        if self.headers.get("x-amz-copy-source-if-match", _facts(source)["etag"]) != _facts(source)["etag"]:
            return self._refuse(412, "PreconditionFailed")
        part = self.far.upload(asked["uploadId"]) / f"{int(asked['partNumber']):05}"
        first, last = 0, source.stat().st_size - 1
        if wanted := self.headers.get("x-amz-copy-source-range"):
            first, last = map(int, wanted.removeprefix("bytes=").split("-"))
        with source.open("rb") as taken, part.open("wb") as made:
            while first <= last:
                first += os.copy_file_range(taken.fileno(), made.fileno(), last + 1 - first, first)
        return self._say(f"<CopyPartResult><ETag>{escape(_facts(part)['etag'])}</ETag></CopyPartResult>")

    def _complete(self, bucket: str, key: str, asked: dict[str, str]) -> int:
        self._receive().unlink()
        if not self.far.takes_conditions and "if-none-match" in self.headers:
            return self._refuse(501, "NotImplemented")
        parts, path = self.far.upload(asked["uploadId"]), self.far.path(bucket, key)
        if not parts.is_dir():
            return self._refuse(404, "NoSuchUpload")
        new = parts / "whole"
        with new.open("wb") as whole:
            for part in sorted(each for each in parts.iterdir() if each.name != "whole"):
                with part.open("rb") as file:
                    while os.copy_file_range(file.fileno(), whole.fileno(), 1 << 30):
                        pass
        placed = self._place(new, path)
        shutil.rmtree(parts)
        if not placed:
            return self._refuse(412, "PreconditionFailed")
        etag = escape(_facts(path)["etag"])
        return self._say(
            f"<CompleteMultipartUploadResult><Location>l</Location><Bucket>{bucket}</Bucket>"
            f"<Key>{escape(key)}</Key><ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        )

    def _abort(self, _bucket: str, _key: str, asked: dict[str, str]) -> int:
        shutil.rmtree(self.far.upload(asked["uploadId"]), ignore_errors=True)
        self._answer(204, {"content-length": "0"})
        return 0

    def _delete(self, bucket: str, key: str, _asked: dict[str, str]) -> int:
        self.far.path(bucket, key).unlink(missing_ok=True)
        self._answer(204, {"content-length": "0"})
        return 0

    def _delete_many(self, bucket: str, _key: str, _asked: dict[str, str]) -> int:
        body = self._receive()
        named = [each.text or "" for each in ET.fromstring(body.read_bytes()).iter() if each.tag[-3:] == "Key"]
        body.unlink()
        for key in named:
            self.far.path(bucket, key).unlink(missing_ok=True)
        told = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in named)
        return self._say(f"<DeleteResult>{told}</DeleteResult>")

    # --- bytes -----------------------------------------------------------------------------------

    def _receive(self) -> Path:
        """Take the body into a file of its own, at the connection's bandwidth."""
        folder = self.far.folder / _UPLOADS
        folder.mkdir(exist_ok=True)
        path = folder / secrets.token_hex(8)
        left = int(self.headers.get("content-length", 0))
        pace = _Pace(self.far.distance.bandwidth)
        with path.open("wb") as file:
            while left:
                chunk = self.rfile.read(min(_STEP, left))
                if not chunk:
                    path.unlink()
                    raise ConnectionError
                file.write(chunk)
                left -= len(chunk)
                pace.move(len(chunk))
        return path

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        time.sleep(self.far.distance.round_trip)
        self.send_response(status)
        for name, content in headers.items():
            self.send_header(name, content)
        self.end_headers()
        self.wfile.flush()

    def _say(self, document: str) -> int:
        body = document.encode()
        self._answer(200, {"content-type": "application/xml", "content-length": str(len(body))})
        self.wfile.write(body)
        return len(body)

    def _refuse(self, status: int, code: str, *, read: bool = False) -> int:
        if read:
            self._receive().unlink()
        body = b"" if self.command == "HEAD" else f"<Error><Code>{code}</Code></Error>".encode()
        self._answer(status, {"content-type": "application/xml", "content-length": str(len(body))})
        self.wfile.write(body)
        return len(body)

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
            self.connection.shutdown(socket.SHUT_RDWR)


def _facts(path: Path) -> dict[str, str]:
    found = path.stat()
    return {
        "etag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
        "last-modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(found.st_mtime)),
    }
