"""Waiting for one's turn to use the sandbox: only what is not kept needs one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Turn = Callable[[], AbstractContextManager[None]]
"""Holds a place in the sandbox while the block lasts."""


def at_once() -> AbstractContextManager[None]:
    """Hold no place: the caller limits its work by other means."""
    return nullcontext()
