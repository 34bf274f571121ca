"""Listings and housekeeping pass over records that cannot be read, so that one of them does not hide all others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import ValidationError

Stored = TypeVar("Stored")
Read = TypeVar("Read")

log = logging.getLogger(__name__)


def readable(read: Callable[[Stored], Read], found: Iterable[tuple[str, Stored]]) -> list[Read]:
    """Return what `read` makes of each of the (id, stored) pairs; log the ids of those that it cannot read."""
    made: list[Read] = []
    for name, stored in found:
        try:
            made.append(read(stored))
        except ValidationError:
            log.exception("the record %s cannot be read and is passed over", name)
    return made
