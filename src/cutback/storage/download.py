"""A large range of an object in pieces, over one request, taken up again where the network fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cutback.domain.errors import SourceChangedError, StorageUnavailableError
from cutback.storage.errors import translating

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PIECE = 2 * 1024 * 1024
"""Bytes that a piece has at the least, the last one excepted."""

_TAKEN_UP = 3
"""How often a broken answer is taken up without a byte in between, before it counts as a failure."""


def streamed(objects: ObjectStore, key: str, etag: str, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` to `end` (excluded) of that version.

    Raises:
        SourceChangedError: the object is another version now, or ends before the range does.
        ObjectNotFoundError: the object is gone.
        StorageUnavailableError: the store does not answer, however often it is asked again.
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
