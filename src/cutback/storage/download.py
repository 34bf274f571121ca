"""Reads a large range of an object in chunks, with one request that resumes after network failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cutback.domain.errors import SourceChangedError, StorageUnavailableError
from cutback.storage.errors import translating

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PIECE = 2 * 1024 * 1024
"""Minimum bytes of a chunk, except for the last one."""

_TAKEN_UP = 3
"""How often a broken download is resumed without receiving a byte in between, before it fails."""


def streamed(objects: ObjectStore, key: str, etag: str, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end` (excluded) of that version.

    Raises:
        SourceChangedError: the object has another version now, or ends before the end of the range.
        ObjectNotFoundError: the object does not exist any more.
        StorageUnavailableError: the store does not answer, even after several tries.
    """
    failures = 0
    while start < end:
        try:
            for piece in _answer(objects, key, etag, start, end):
                start += len(piece)
                failures = 0
                yield piece
        except StorageUnavailableError:
            failures += 1
            if failures > _TAKEN_UP:
                raise
        else:
            if start != end:
                raise SourceChangedError(f"{key}.")


def _answer(objects: ObjectStore, key: str, etag: str, start: int, end: int) -> Iterator[bytes]:
    with translating(key):
        answer = objects.get(key, options={"if_match": etag, "range": (start, end)})
        pieces = iter(answer.stream(min_chunk_size=_PIECE))
    while True:
        with translating(key):
            piece = next(pieces, None)
        if piece is None:
            return
        yield bytes(piece)
