"""The parts of a large object: bytes, and ranges of other objects that the service copies itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

SMALLEST_PART = 5 * 1024 * 1024
"""Bytes of each part but the last, at least. Source: the S3 API, "Multipart upload limits"."""
MOST_PARTS = 10_000
"""Of one object. Source: the same."""
WORTH_COPYING = 2 * SMALLEST_PART
"""Bytes of a run, at least, that the service shall copy: less is read and sent as fast."""


@dataclass(frozen=True, slots=True)
class CopiedRange:
    """A range of one version of an object, in a bucket of the same service."""

    bucket: str
    key: str
    """In the bucket."""
    etag: str
    offset: int
    length: int
    """Bytes, at most 5 GiB."""


Part: TypeAlias = bytes | CopiedRange


class MultipartUploads(Protocol):
    """Makes large objects of parts, on condition that their key is free."""

    def assemble(
        self, key: str, parts: Iterable[Part], *, content_type: str | None, reserve: Callable[[], None]
    ) -> str:
        """Store an object completely or not at all. Returns its ETag.

        This thread takes the parts, and few of them are in memory at once. Their exceptions pass through unchanged.
        A service may not know the condition: then `reserve` must create an empty object first, or raise
        `ObjectExistsError`.

        Raises:
            ObjectExistsError: the object exists.
            SourceChangedError: an object to copy from has another version now, or none.
            StorageUnavailableError: the service does not answer, or refuses.
        """
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


def in_parts(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in parts of exactly `size` bytes; the last one may be smaller."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
