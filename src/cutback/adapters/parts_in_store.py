"""Takes uploads in parts that this process stores as hidden objects, for folders and stores without signed parts.

A part is an object of the source store whose name listings leave out. To complete an upload, the parts are copied to
the recording's key: nobody sees the recording before it is complete, and nothing is overwritten.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from cutback.domain.errors import ObjectNotFoundError
from cutback.domain.uploads import UploadedPart

if TYPE_CHECKING:
    from cutback.storage.store import Store

_FOLDER = "cutback-uploads"
_HIDDEN = ".cutback-part"


class StoredParts:
    """Implements PartStore."""

    is_direct = False

    def __init__(self, store: Store) -> None:
        """`store` is the source store; its owner closes it."""
        self._store = store

    def begin(self, key: str, content_type: str | None) -> str:
        """Begin an upload. Nothing is stored before its first part."""
        del key, content_type
        return secrets.token_hex(16)

    def sign(self, key: str, token: str, number: int, *, lifetime: timedelta) -> str:
        """Is not possible: parts come to this process."""
        raise NotImplementedError

    def put_part(self, token: str, number: int, chunks: Iterable[bytes], *, size: int) -> str:
        """Store a part. Returns its ETag."""
        return self._store.put(_name(token, number), chunks, size=size, if_absent=False).etag

    def parts(self, key: str, token: str, *, most: int) -> list[UploadedPart]:
        """Return the parts that have arrived."""
        del key
        found = []
        for number in range(1, most + 1):
            try:
                info = self._store.head(_name(token, number))
            except ObjectNotFoundError:
                continue
            found.append(UploadedPart(number, info.size, info.etag))
        return found

    def complete(self, key: str, token: str, parts: Sequence[UploadedPart]) -> None:
        """Copy the parts to the recording's key."""
        self._store.put(key, self._content(token, parts), size=sum(part.size for part in parts))

    def _content(self, token: str, parts: Sequence[UploadedPart]) -> Iterator[bytes]:
        for part in parts:
            yield from self._store.stream_range(_name(token, part.number), part.etag, 0, part.size)

    def discard(self, key: str, token: str) -> None:
        """Remove the parts."""
        del key
        self._store.delete_prefix(f"{_FOLDER}/{token}")

    def close(self) -> None:
        """Nothing to close."""


def _name(token: str, number: int) -> str:
    return f"{_FOLDER}/{token}/{number:05d}{_HIDDEN}"
