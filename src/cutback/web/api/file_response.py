"""Answers with a file: all of it, or ranges of it (RFC 9110, section 14)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from fastapi.responses import Response, StreamingResponse
from starlette.datastructures import Headers

from cutback.domain.http_ranges import is_same_version, wanted_ranges
from cutback.storage.object_info import ObjectInfo
from cutback.storage.store import Store


class SentFile(Protocol):
    """A file to send."""

    @property
    def media_type(self) -> str:
        """What it is."""
        ...

    @property
    def headers(self) -> dict[str, str]:
        """Beside those that any file has."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def etag(self) -> str:
        """Its entity tag, which is strong, in quotes."""
        ...

    @property
    def modified(self) -> str:
        """When it was stored, as HTTP writes times; empty if it has no such time."""
        ...

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """Yield this part of it."""
        ...


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that was made for the answer."""

    content: bytes
    etag: str
    """In quotes."""
    media_type: str
    headers: dict[str, str]
    modified: str = ""

    @property
    def size(self) -> int:
        """See `SentFile`."""
        return len(self.content)

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """See `SentFile`."""
        yield self.content[start : start + length]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to send, as the store reports it now."""

    store: Store
    info: ObjectInfo
    media_type: str
    headers: dict[str, str]
    """Beside those that any file has."""

    @property
    def size(self) -> int:
        """See `SentFile`."""
        return self.info.size

    @property
    def etag(self) -> str:
        """Its entity tag, which is strong: the store's, in quotes."""
        return f'"{self.info.etag.strip(chr(34))}"'

    @property
    def modified(self) -> str:
        """When it was stored, as HTTP writes times."""
        return f"{self.info.modified:%a, %d %b %Y %H:%M:%S} GMT"

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """See `SentFile`."""
        return self.store.stream_range(self.info.key, self.info.etag, start, length)


def send(file: SentFile, request: Headers, *, body: bool) -> Response:
    """Answer a GET, or a HEAD if `body` is False.

    Raises:
        RangeNotSatisfiableError: none of the requested ranges is in the file.
    """
    size = file.size
    headers = {"ETag": file.etag, "Accept-Ranges": "bytes", **file.headers}
    if file.modified:
        headers["Last-Modified"] = file.modified
    known = [tag.strip().removeprefix("W/") for tag in request.get("if-none-match", "").split(",")]
    if file.etag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    ranges: list[tuple[int, int]] = []
    if is_same_version(request.get("if-range"), etag=file.etag, modified=file.modified):
        ranges = wanted_ranges(request.get("range"), size)
    if not ranges:
        return _answer(HTTPStatus.OK, file.media_type, headers, [(b"", (0, size))], b"", file, body=body)
    if len(ranges) == 1:
        start, end = ranges[0]
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        return _answer(HTTPStatus.PARTIAL_CONTENT, file.media_type, headers, [(b"", ranges[0])], b"", file, body=body)
    boundary = secrets.token_hex(16)
    parts = [(_part_head(boundary, file, start, end), (start, end)) for start, end in ranges]
    media_type, end_mark = f"multipart/byteranges; boundary={boundary}", f"\r\n--{boundary}--\r\n".encode()
    return _answer(HTTPStatus.PARTIAL_CONTENT, media_type, headers, parts, end_mark, file, body=body)


def unsatisfiable(size: int) -> dict[str, str]:
    """Return the headers of an answer to ranges that are not in a file of this size."""
    return {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}


def _part_head(boundary: str, file: SentFile, start: int, end: int) -> bytes:
    return (
        f"\r\n--{boundary}\r\nContent-Type: {file.media_type}\r\n"
        f"Content-Range: bytes {start}-{end - 1}/{file.size}\r\n\r\n"
    ).encode()


_Parts = Sequence[tuple[bytes, tuple[int, int]]]
"""What to send: some bytes, followed by a range of the file."""


def _answer(
    status: HTTPStatus,
    media_type: str,
    headers: dict[str, str],
    parts: _Parts,
    end_mark: bytes,
    file: SentFile,
    *,
    body: bool,
) -> Response:
    length = sum(len(head) + end - start for head, (start, end) in parts) + len(end_mark)
    headers = {**headers, "Content-Length": str(length), "Content-Type": media_type}
    if not body:
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_chunks(parts, end_mark, file), status, headers)


def _chunks(parts: _Parts, end_mark: bytes, file: SentFile) -> Iterator[bytes]:
    for head, (start, end) in parts:
        if head:
            yield head
        if end > start:
            yield from file.stream(start, end - start)
    if end_mark:
        yield end_mark
