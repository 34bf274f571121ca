"""Waiting for one's turn to use the sandbox: only what is not kept needs one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

_Found = TypeVar("_Found")

Turn = Callable[[], AbstractContextManager[None]]
"""Holds a place in the sandbox while the block lasts."""


def at_once() -> AbstractContextManager[None]:
    """Hold no place: the caller limits its work by other means."""
    return nullcontext()


def known_or_made(known: Callable[[], _Found | None], make: Callable[[], _Found], turn: Turn) -> _Found:
    """Return what is known, or make it in one's turn.

    Looks again when the turn has come: many ask for the same at once, and the first of them has made it by then.
    """
    found = known()
    if found is None:
        with turn():
            found = known()
            if found is None:
                found = make()
    return found
