"""What a store says of its objects: one came, or one is gone. The same from every envelope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """An object came into a store, or left it. Events come at least once, and in any order."""

    kind: Literal["created", "removed"]
    bucket: str
    """The store's own name for itself; empty where it has none."""
    key: str
    """As the object is called, not as the event encodes it."""
    sequencer: str
    """Orders the events of one key: padded with zeros on the right to equal length, the greater one is the later
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html). Empty where the
    source of the event has none; such an event counts by `time`."""
    time: datetime
    """When it happened, by the store's clock."""
    etag: str = ""
    """The version that came; empty for a removal."""
    size: int = 0
    """Bytes; 0 for a removal."""


def is_later(one: str, other: str) -> bool:
    """Whether the sequencer `one` is of a later event of the same key than `other`."""
    length = max(len(one), len(other))
    return one.upper().ljust(length, "0") > other.upper().ljust(length, "0")


@dataclass(frozen=True, slots=True)
class Standing:
    """Which of two things heard of one key counts: a recording's or a removal's sequencer, and when it was."""

    sequencer: str
    at: datetime


def is_outdated(news: Standing, known: Standing) -> bool:
    """Whether `news` is of before what is `known` already.

    Without sequencers on both sides their times decide, to the whole second, since stores tell no more of when they
    got an object; within one second, what is heard last counts.
    """
    if news.sequencer and known.sequencer:
        return is_later(known.sequencer, news.sequencer)
    return known.at.replace(microsecond=0) > news.at.replace(microsecond=0)
