"""Whether work gets done: the queue, the workers, failures, dependencies, and what needs attention."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from cutback.domain.base import iso
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.clips.last_day import begin_of_day, last_day
from cutback.domain.errors import CutbackError, ObjectNotFoundError
from cutback.ports import ClipQuery
from cutback.services import Services
from cutback.storage.store import Store
from cutback.worker.notes import known_workers
from cutback.worker.presence import started_with_another_file

MOST = 10_000
"""Maximum clips of one state that are counted."""
_PAGE = 1000
_LITTLE_ROOM = 1_000_000_000
_FAILED_SINCE = timedelta(days=1)
_PROBE = "cutback-status"
_LAST_DAY, _LAST_DAY_KEPT = "status-last-day-1", timedelta(minutes=1)
"""In the cache; change the number whenever its form changes."""
_WAITED = timedelta(days=1)


def gather(services: Services, max_age: timedelta) -> dict[str, Any]:
    """Collect everything that `cutback status` shows.

    Raises:
        SurroundingsError: queue or records do not answer.
    """
    now, settings = services.clock(), services.settings
    queued, waiting, working = (
        clips_of(services, state) for state in (ClipState.QUEUED, ClipState.WAITING, ClipState.PROCESSING)
    )
    failed = clips_of(services, ClipState.FAILED, since=now - _FAILED_SINCE)
    oldest = max((now - clip.updated_at for clip in queued), default=timedelta())
    hooks = services.webhooks.depth() if services.webhooks is not None else None
    folders = [settings.data, *([settings.database_path.parent] if settings.uses_sqlite else [])]
    content = {
        "queue": asdict(services.queue.depth()),
        "webhooks": None if hooks is None else asdict(hooks),
        "clips": {"queued": len(queued), "waiting": len(waiting), "processing": len(working)},
        "oldest_queued_seconds": round(oldest.total_seconds(), 3),
        "waiting_for": dict(Counter(clip.waits_for for clip in waiting).most_common()),
        "failed_last_day": dict(Counter(clip.failure.reason for clip in failed if clip.failure).most_common()),
        "workers": known_workers(services),
        "workers_of_another_database": (
            started_with_another_file(settings.data, settings.database_path) if settings.uses_sqlite else []
        ),
        "disk_free": min(shutil.disk_usage(folder).free for folder in folders),
    }
    return {**content, "attention": attention(content, queued, max_age, now)}


def last_day_of(services: Services) -> dict[str, Any]:
    """Return what was made in the last 24 hours: see `cutback.domain.clips.last_day`. At most a minute old.

    `complete` is false if there were more than `MOST` clips, of which the newest count.

    Raises:
        RecordsUnavailableError: the records do not answer.
    """
    known = services.cache.get(_LAST_DAY)
    now = services.clock()
    if known is not None:
        kept: dict[str, Any] = json.loads(known)
        if abs(now - datetime.fromisoformat(kept["read_at"])) < _LAST_DAY_KEPT:
            return kept
    # Clips that were requested earlier may have waited for their footage.
    since = begin_of_day(now) - _WAITED
    clips = [clip for state in (ClipState.READY, ClipState.FAILED) for clip in clips_of(services, state, since=since)]
    found = {**last_day(clips, now), "read_at": iso(now), "complete": len(clips) < MOST}
    services.cache.set(_LAST_DAY, json.dumps(found).encode())
    return found


def attention(content: dict[str, Any], queued: list[Clip], max_age: timedelta, now: datetime) -> list[str]:
    """Return what needs attention, one sentence each. Pure."""
    found = []
    dead = content["queue"]["dead"]
    if dead:
        found.append(f"There are {dead} dead letters. To list them: cutback dead-letters")
    if content["webhooks"] and content["webhooks"]["dead"]:
        found.append(
            f"{content['webhooks']['dead']} webhooks failed. To list them: cutback dead-letters --queue webhooks"
        )
    if queued and not content["workers"]:
        found.append("Clips are queued, but no worker runs on any machine. To start workers: cutback up")
    old = [clip for clip in queued if now - clip.updated_at > max_age]
    if old:
        reasons = Counter(clip.failure.reason for clip in old if clip.failure).most_common(1)
        because = f", most of them because of {reasons[0][0]}" if reasons else ""
        number = "One clip has" if len(old) == 1 else f"{len(old)} clips have"
        found.append(f"{number} been queued for more than {max_age.total_seconds():.0f} s{because}.")
    if content["workers_of_another_database"]:
        found.append(
            "The database was replaced while workers run; what was queued in the old one is not in this one. "
            "Restart the workers."
        )
    if content["disk_free"] < _LITTLE_ROOM:
        found.append(f"The disk of the data folder or the database has {content['disk_free']} bytes left.")
    return found


def clips_of(services: Services, state: ClipState, *, since: datetime | None = None) -> list[Clip]:
    """Return the clips in this state, newest first, at most `MOST`."""
    found: list[Clip] = []
    cursor: str | None = None
    while len(found) < MOST:
        page = services.records.list_clips(ClipQuery(states=(state,), created_from=since), limit=_PAGE, cursor=cursor)
        found += page.clips
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def check_dependencies(services: Services) -> list[dict[str, Any]]:
    """Ask every dependency something, all at once. Returns for each its name, whether it answers, and how soon.

    One that does not answer takes as long as its own timeout.
    """
    checks: dict[str, Callable[[], object]] = {
        "records": services.records.last_position,
        "queue": services.queue.depth,
        "recordings": lambda: _check_store(services.sources),
        "clips": lambda: _check_store(services.clips),
        "cache": lambda: _check_cache(services),
    }
    if services.long_queue is not None:
        checks["long_queue"] = services.long_queue.depth
    if services.webhooks is not None:
        checks["webhooks"] = services.webhooks.depth
    with ThreadPoolExecutor(len(checks), thread_name_prefix="status") as pool:
        return list(pool.map(_timed, checks, checks.values()))


def _check_store(store: Store) -> None:
    with suppress(ObjectNotFoundError):
        store.head(_PROBE)


def _check_cache(services: Services) -> None:
    services.cache.set(_PROBE, b"1")
    if services.cache.get(_PROBE) is None:
        raise CutbackError


def _timed(name: str, check: Callable[[], object]) -> dict[str, Any]:
    began = time.monotonic()
    reason = None
    try:
        check()
    except CutbackError as error:
        reason = "cache_unavailable" if name == "cache" else error.reason
    seconds = round(time.monotonic() - began, 4)
    return {"name": name, "ok": reason is None, "seconds": seconds, "reason": reason}
