"""What was made in a day, hour by hour. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from cutback.domain.base import iso
from cutback.domain.clips.clip import Clip, ClipState

HOURS = 24
_HOUR = timedelta(hours=1)


def begin_of_day(now: datetime) -> datetime:
    """Return the beginning of the first of the `HOURS` hours of the clock that end with the present one."""
    return now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _HOUR


def last_day(clips: Iterable[Clip], now: datetime) -> dict[str, Any]:
    """Return, for each hour, how many clips became ready or failed, how long they took, and how large they are.

    Seconds count from the request to the end, and from the beginning of the successful attempt to its end; `None` in an
    hour without a clip. A clip's hour is that of its last change.
    """
    begins = begin_of_day(now)
    hours: list[list[Clip]] = [[] for _ in range(HOURS)]
    for clip in clips:
        number = (clip.updated_at - begins) // _HOUR
        if 0 <= number < HOURS:
            hours[number].append(clip)
    return {
        "from": iso(begins),
        "to": iso(begins + HOURS * _HOUR),
        "items": [{"begins": iso(begins + number * _HOUR), **_hour(found)} for number, found in enumerate(hours)],
    }


def _hour(clips: list[Clip]) -> dict[str, Any]:
    ready = [clip for clip in clips if clip.state is ClipState.READY]
    results = [clip.result for clip in ready if clip.result is not None]
    return {
        "ready": len(ready),
        "failed": sum(clip.state is ClipState.FAILED for clip in clips),
        "requested_to_ready": _spread([(clip.updated_at - clip.created_at).total_seconds() for clip in ready]),
        "attempt": _spread([result.seconds for result in results]),
        "stored_bytes": sum(result.size for result in results),
        "read_bytes": sum(result.bytes_read for result in results),
    }


def _spread(seconds: list[float]) -> dict[str, float] | None:
    """Return the median and the 95th percentile: the smallest value that so many do not exceed."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    at = {name: ordered[-(-len(ordered) * part // 100) - 1] for name, part in (("median", 50), ("p95", 95))}
    return {name: round(value, 3) for name, value in at.items()}
