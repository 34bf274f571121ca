"""Uploads a stream of chunks as one object, in bounded memory, and takes the chunks outside of obstore's runtime."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition
from typing import TYPE_CHECKING

from cutback.domain.errors import InternalError
from cutback.storage.errors import translating

if TYPE_CHECKING:
    from obstore import Attributes, PutResult
    from obstore.store import ObjectStore

_MIB = 1024 * 1024
_MOST_PARTS = 10_000
"""Maximum parts of one object on S3."""
_WAITING = 4
"""Maximum chunks between the two threads."""
_IN_FLIGHT = 3
"""Parts that are uploaded at the same time."""


class SourceFailed(Exception):  # noqa: N818 - a signal between two threads
    """Makes obstore abandon the upload, because the chunks ended with an error."""


def part_size_of(size: int) -> int:
    """Return the bytes of a part, so that an object of `size` bytes has no more parts than S3 allows."""
    return max(8 * _MIB, -(-size // _MOST_PARTS))


def upload(
    objects: ObjectStore, key: str, chunks: Iterable[bytes], *, part_size: int, name: str, attributes: Attributes
) -> None:
    """Upload in parts of `part_size` bytes; the object appears at the end or not at all.

    This thread takes the chunks, not obstore itself: obstore would take them inside its runtime, which panics if the
    chunks are themselves read from a store.

    Raises:
        CutbackError: the store failed; translated by `translating`, with `name` in the message.
        Exception: what `chunks` raised, unchanged; nothing is stored then.
    """
    feed = _Feed()
    with ThreadPoolExecutor(1, thread_name_prefix="upload") as pool:
        done = pool.submit(
            lambda: objects.put(
                key,
                feed,
                attributes=attributes,
                use_multipart=True,
                chunk_size=part_size,
                max_concurrency=_IN_FLIGHT,
            )
        )
        done.add_done_callback(feed.nobody_takes)
        try:
            for piece in _regrouped(chunks):
                if not feed.give(piece):
                    break
        except BaseException:
            feed.finish(failed=True)
            raise
        feed.finish(failed=False)
        with translating(name, writing=True):
            done.result()


def _regrouped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Join chunks to a MiB or more, because passing each one between threads has a cost."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= _MIB:
            yield held[0] if len(held) == 1 else b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def counted(chunks: Iterable[bytes], size: int | None, key: str) -> Iterator[bytes]:
    """Yield the same chunks; raise `InternalError` at the end if their total is not `size` bytes."""
    given = 0
    for chunk in chunks:
        given += len(chunk)
        yield chunk
    if size is not None and given != size:
        raise InternalError(f"{key}: {given} bytes instead of {size}.")


def collect(chunks: Iterator[bytes], limit: int) -> tuple[list[bytes], bool]:
    """Return the first chunks, up to `limit` bytes or a little more, and whether there are no others."""
    parts: list[bytes] = []
    held = 0
    for chunk in chunks:
        parts.append(chunk)
        held += len(chunk)
        if held > limit:
            return parts, False
    return parts, True


class _Feed:
    """A short queue between the thread that makes the chunks and the one that uploads them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._pieces: deque[bytes] = deque()
        self._ended = self._failed = self._unwanted = False

    def give(self, piece: bytes) -> bool:
        """Pass on a chunk, once there is space. False: the upload has ended, which means that it failed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._pieces) < _WAITING or self._unwanted)
            if self._unwanted:
                return False
            self._pieces.append(piece)
            self._changed.notify_all()
            return True

    def finish(self, *, failed: bool) -> None:
        """Note that no more chunks follow."""
        with self._changed:
            self._ended, self._failed = True, failed
            self._changed.notify_all()

    def nobody_takes(self, _: Future[PutResult]) -> None:
        """Note that the upload has ended."""
        with self._changed:
            self._unwanted = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._ended)
            if self._failed:
                raise SourceFailed
            if not self._pieces:
                raise StopIteration
            piece = self._pieces.popleft()
            self._changed.notify_all()
            return piece
