"""A stream of pieces of which the next one is fetched while the last one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future

Awaiting = Callable[[Future[bytes | None]], bytes | None]


def one_ahead(begin: Callable[[], Iterator[bytes]], pool: Executor, await_: Awaiting) -> Iterator[bytes]:
    """The pieces of what `begin` starts; all of it, the start too, happens in the pool, one step at a time."""
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
