"""A store's events about its objects: an object was created or removed. The envelope does not matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """An object was created or removed. Events are delivered at least once, in any order."""

    kind: Literal["created", "removed"]
    bucket: str
    """The store's name; empty if it has none."""
    key: str
    """The object's key, decoded."""
    sequencer: str
    """Orders the events of one key: after padding with zeros on the right to equal length, the greater one is later
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html). Empty if the source of
    the event has none; such an event is ordered by `time`."""
    time: datetime
    """When it happened, by the store's clock."""
    etag: str = ""
    """The version that was created; empty for a removal."""
    size: int = 0
    """Bytes; 0 for a removal."""


def is_later(one: str, other: str) -> bool:
    """Whether the sequencer `one` belongs to a later event than `other`, both about the same key."""
    length = max(len(one), len(other))
    return one.upper().ljust(length, "0") > other.upper().ljust(length, "0")


@dataclass(frozen=True, slots=True)
class Standing:
    """Orders what is known about one key: the sequencer of a recording or removal, and its time."""

    sequencer: str
    at: datetime


def is_outdated(news: Standing, known: Standing) -> bool:
    """Whether `news` is older than what is already `known`.

    If either lacks a sequencer, their times decide, compared in whole seconds, because stores report no finer times.
    Within one second, the news counts as later.
    """
    if news.sequencer and known.sequencer:
        return is_later(known.sequencer, news.sequencer)
    return known.at.replace(microsecond=0) > news.at.replace(microsecond=0)
