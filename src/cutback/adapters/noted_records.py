"""Records that tell the shared cache of every change, so that no node shows an outdated clip."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cutback.domain.clips.clip import Clip, Progress
from cutback.domain.clips.event import Event
from cutback.ports import Cache, ClipQuery, Page, Records, clip_counter


class NotedRecords:
    """Implements Records by another one. After each change of a clip, the clip's counter in the cache changes."""

    def __init__(self, records: Records, cache: Cache) -> None:
        """Closing this closes `records`, but not `cache`."""
        self._records, self._cache = records, cache

    def put_clip(self, clip: Clip) -> bool:
        """See `Records`."""
        return self._noted(clip.id, changed=self._records.put_clip(clip))

    def get_clip(self, clip_id: str) -> Clip | None:
        """See `Records`."""
        return self._records.get_clip(clip_id)

    def commit(self, clip: Clip, *, announce: bool = True) -> bool:
        """See `Records`."""
        return self._noted(clip.id, changed=self._records.commit(clip, announce=announce))

    def beat(self, clip_id: str, attempt: int, *, lease_until: datetime, progress: Progress) -> bool:
        """See `Records`."""
        beaten = self._records.beat(clip_id, attempt, lease_until=lease_until, progress=progress)
        return self._noted(clip_id, changed=beaten)

    def list_clips(self, query: ClipQuery, *, limit: int = 50, cursor: str | None = None) -> Page:
        """See `Records`."""
        return self._records.list_clips(query, limit=limit, cursor=cursor)

    def due(self, now: datetime, *, limit: int = 100) -> list[Clip]:
        """See `Records`."""
        return self._records.due(now, limit=limit)

    def count_clips(self, query: ClipQuery) -> int:
        """See `Records`."""
        return self._records.count_clips(query)

    def waiting_for(self, camera: str, *, limit: int = 500, cursor: str | None = None) -> Page:
        """See `Records`."""
        return self._records.waiting_for(camera, limit=limit, cursor=cursor)

    def settled_before(self, moment: datetime, *, limit: int = 100) -> list[Clip]:
        """See `Records`."""
        return self._records.settled_before(moment, limit=limit)

    def remove_clips(self, clips: Iterable[Clip]) -> int:
        """See `Records`."""
        removed = list(clips)
        count = self._records.remove_clips(removed)
        for clip in removed:
            self._cache.bump(clip_counter(clip.id))
        return count

    def unannounced(self, *, limit: int = 100) -> list[Event]:
        """See `Records`."""
        return self._records.unannounced(limit=limit)

    def mark_announced(self, event_ids: Iterable[str]) -> None:
        """See `Records`."""
        self._records.mark_announced(event_ids)

    def events_after(self, position: int, *, limit: int = 100) -> list[tuple[int, Event]]:
        """See `Records`."""
        return self._records.events_after(position, limit=limit)

    def last_position(self) -> int:
        """See `Records`."""
        return self._records.last_position()

    def close(self) -> None:
        """See `Records`."""
        self._records.close()

    def _noted(self, clip_id: str, *, changed: bool) -> bool:
        if changed:
            self._cache.bump(clip_counter(clip_id))
        return changed
