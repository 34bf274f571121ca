"""Recordings and the pieces cut from them."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.times import Instant


@dataclass(frozen=True, slots=True)
class Recording:
    """A long video in the source store, at one version."""

    key: str
    """Where it lies in the source store."""

    etag: str
    """Its version. A read that meets another one fails as `source_changed`."""

    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Span:
    """One contiguous piece of one recording: `start` included, `end` excluded."""

    recording: Recording
    start: Instant
    end: Instant
