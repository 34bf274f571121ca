"""Passes over records that cannot be read, in listings and housekeeping, so that one does not hide all others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from pydantic import ValidationError

Stored = TypeVar("Stored")
Read = TypeVar("Read")

log = logging.getLogger(__name__)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


Document = TypeVar("Document", bound=_Named)


def readable_documents(read: Callable[[Document], Read], documents: Iterable[Document]) -> list[Read]:
    """Return what `read` makes of each document; log the ids of those that it cannot read."""
    return readable(read, ((each.id, each) for each in documents))


def readable(read: Callable[[Stored], Read], found: Iterable[tuple[str, Stored]]) -> list[Read]:
    """Return what `read` makes of each of the (id, stored) pairs; log the ids of those that it cannot read."""
    made: list[Read] = []
    for name, stored in found:
        try:
            made.append(read(stored))
        except ValidationError:
            log.exception("the record %s cannot be read and is passed over", name)
    return made
