"""The events of the records on MongoDB: moves them from each clip's outbox to one log with gapless positions.

A clip's event is written into its document, in the update that changes it: `outbox.<revision>`. From there it moves to
the end of the log. Its position is the last position plus one, and unique: if two processes move events at once, one
is refused and tries again. So a position is only taken after the one before it exists, and a reader that sees what a
majority has never misses an event that appears later. A counter could not guarantee that.

Any process may repeat the move: an event's id is unique as well, and a document's outbox is emptied only after its
events are in the log, and only if the document still has the revision that was read.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError

from cutback.adapters.mongodb.client import Document, Mongo, persist
from cutback.domain.base import read_stored
from cutback.domain.clips.event import Event

log = logging.getLogger(__name__)

_INDEXES = (
    IndexModel([("position", ASCENDING)], unique=True),
    IndexModel([("waiting", ASCENDING)], sparse=True),
)

_DUPLICATE = 11000
_MOVED_AT_ONCE = 100
_RACES = 20
_PAUSE = 0.02
"""Maximum seconds to wait before trying again after another process was faster."""


class EventLog:
    """All events in order. Moves them from the outboxes. Raises the driver's errors."""

    def __init__(self, mongo: Mongo) -> None:
        """Create missing indexes.

        Raises:
            RecordsUnavailableError: there is no answer.
        """
        mongo.ensure_indexes("events", _INDEXES)
        self._mongo = mongo

    @property
    def _events(self) -> Collection[Document]:
        return self._mongo.collection("events")

    @property
    def _newest(self) -> Collection[Document]:
        return self._mongo.newest("events")

    @property
    def _clips(self) -> Collection[Document]:
        return self._mongo.newest("clips")

    # --- moving ----------------------------------------------------------------------------------

    def move_soon(self, clip_id: str) -> None:
        """Move the events of a clip that was just changed. If this fails, `move_all` moves them later."""
        try:
            found = self._pending({"_id": clip_id}, limit=1)
            if found and not self._moved(found, _entries(found)):
                self.move_all()  # others move events too; moving all of them at once reduces the contention
        except PyMongoError as error:
            log.warning("clip=%s event=later reason=%s", clip_id, type(error).__name__)

    def move_all(self) -> None:
        """Move the events of all outboxes; under contention, leave the rest to other processes."""
        races = 0
        while races < _RACES:
            found = self._pending({}, limit=_MOVED_AT_ONCE)
            if not found:
                return
            if not self._moved(found, self._without_known(_entries(found))):
                races += 1
                time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - spreads the contending processes

    def _pending(self, condition: Document, *, limit: int) -> list[Document]:
        # With `$exists`, DocumentDB uses the sparse index.
        return list(
            self._clips.find({**condition, "pending": {"$exists": True}}, {"outbox": 1, "revision": 1})
            .sort("pending", ASCENDING)
            .limit(limit)
        )

    def _moved(self, clips: Sequence[Document], entries: Sequence[tuple[str, str]]) -> bool:
        """Append, then empty the outboxes; False if another process took the position or had already moved an event."""
        if entries:
            last = self._last_position()
            events = [
                {"_id": event_id, "position": position, "waiting": position, "content": content}
                for position, (event_id, content) in enumerate(entries, last + 1)
            ]
            try:
                self._events.insert_many(
                    events, ordered=True
                )  # in order, because a refused one would leave a gap otherwise
            except BulkWriteError as error:
                if not _is_race(error):
                    raise
                return False
        for clip in clips:
            self._clips.update_one(
                {"_id": clip["_id"], "revision": clip["revision"]}, {"$unset": {"outbox": "", "pending": ""}}
            )
        return True

    def _without_known(self, entries: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        # Read from a majority: the outbox is emptied next, which must not happen if a failover could undo the log.
        found = self._events.find({"_id": {"$in": [event_id for event_id, _ in entries]}}, {"_id": 1})
        known = {event["_id"] for event in found}
        return [entry for entry in entries if entry[0] not in known]

    def _last_position(self) -> int:
        last = self._newest.find_one({}, {"position": 1}, sort=[("position", DESCENDING)])
        return int(last["position"]) if last else 0

    # --- reading ---------------------------------------------------------------------------------

    def after(self, position: int, *, limit: int) -> list[tuple[int, Event]]:
        """Return events with their positions, in order."""
        found = self._events.find({"position": {"$gt": position}}).sort("position", ASCENDING).limit(limit)
        return [(event["position"], read_stored(Event, event["content"])) for event in found]

    def last_position(self) -> int:
        """Return the newest event's position; 0 if there are no events."""
        last = self._events.find_one({}, {"position": 1}, sort=[("position", DESCENDING)])
        return int(last["position"]) if last else 0

    def waiting(self, *, limit: int) -> list[Event]:
        """Return events that are not marked as announced, oldest first."""
        found = self._events.find({"waiting": {"$exists": True}}).sort("waiting", ASCENDING).limit(limit)
        return [read_stored(Event, event["content"]) for event in found]

    def removable(self, event_ids: Sequence[str]) -> list[int] | None:
        """Return the positions of these events; None if one of them is not announced, or is the newest of all."""
        found = list(self._events.find({"_id": {"$in": list(event_ids)}}, {"position": 1, "waiting": 1}))
        positions = [int(event["position"]) for event in found]
        if any("waiting" in event for event in found) or self.last_position() in positions:
            return None
        return positions

    def remove(self, positions: Sequence[int]) -> None:
        """Remove the events at these positions."""

        def write() -> bool:
            self._events.delete_many({"position": {"$in": list(positions)}})
            return True

        persist(write)

    def mark(self, event_ids: Iterable[str], *, at: int) -> None:
        """Mark events as announced at this time, in microseconds since 1970."""
        left = set(event_ids)
        if left and self._mark(left, at) < len(left):
            self.move_all()
            self._mark(left, at)

    def _mark(self, event_ids: set[str], at: int) -> int:
        counts = [0]

        def write() -> bool:
            counts[0] += self._events.update_many(
                {"_id": {"$in": sorted(event_ids)}, "waiting": {"$exists": True}},
                {"$set": {"announced_at": at}, "$unset": {"waiting": ""}},
            ).matched_count
            return True

        persist(write)
        return counts[0]


def _entries(clips: Sequence[Document]) -> list[tuple[str, str]]:
    """Return ids and contents of the events in these clips' outboxes, by revision within each clip."""
    return [
        (f"{clip['_id']}.{revision}", content)
        for clip in clips
        for revision, content in sorted(clip["outbox"].items(), key=lambda item: int(item[0]))
    ]


def _is_race(error: BulkWriteError) -> bool:
    failed = error.details.get("writeErrors", [])
    return bool(failed) and all(each["code"] == _DUPLICATE for each in failed)
