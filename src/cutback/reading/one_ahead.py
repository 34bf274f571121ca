"""Yields chunks of a stream, and fetches the next one while the current one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future

Awaiting = Callable[[Future[bytes | None]], bytes | None]


def one_ahead(begin: Callable[[], Iterator[bytes]], pool: Executor, await_: Awaiting) -> Iterator[bytes]:
    """Yield the chunks of the stream that `begin` starts. All steps, including the start, run in the pool."""
    pieces: Iterator[bytes] | None = None

    def following() -> bytes | None:
        nonlocal pieces
        if pieces is None:
            pieces = begin()
        return next(pieces, None)

    coming = pool.submit(following)
    try:
        while (piece := await_(coming)) is not None:
            coming = pool.submit(following)
            yield piece
    finally:
        coming.cancel()
