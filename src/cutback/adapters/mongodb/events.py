"""The events of the records on MongoDB: from each clip's own outbox into one log with positions without gaps.

A clip's event is written into its document, in the update that changes it: `outbox.<revision>`. From there it is moved
to the end of the log. Its position is the last one's plus one, and unique: of two that move at once, one is refused and
looks again. So a position is only ever taken when the one before it is there, and whoever follows along, reading what
a majority holds, never passes over an event that comes to light later. A counter could not promise that.

Moving is safe to repeat, by anybody: an event's id is unique as well, and a document's outbox is emptied only after its
events are in the log, upon the revision that they were read from.
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
"""Most seconds that a mover who came second waits before it looks again."""


class EventLog:
    """All events in order, and their way there. Raises the driver's errors."""

    def __init__(self, mongo: Mongo) -> None:
        """Make the indexes that are missing.

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
        """Move the events of a clip that was just changed. What fails here is made up for by `move_all`."""
        try:
            found = self._pending({"_id": clip_id}, limit=1)
            if found and not self._moved(found, _entries(found)):
                self.move_all()  # others move as well: one who moves everybody's makes the crowd smaller
        except PyMongoError as error:
            log.warning("clip=%s event=later reason=%s", clip_id, type(error).__name__)

    def move_all(self) -> None:
        """Move the events of every clip that has some in its outbox, and leave the rest to others in a crowd."""
        races = 0
        while races < _RACES:
            found = self._pending({}, limit=_MOVED_AT_ONCE)
            if not found:
                return
            if not self._moved(found, self._without_known(_entries(found))):
                races += 1
                time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - spreads a crowd

    def _pending(self, condition: Document, *, limit: int) -> list[Document]:
        # With `$exists`, DocumentDB uses the sparse index.
        return list(
            self._clips.find({**condition, "pending": {"$exists": True}}, {"outbox": 1, "revision": 1})
            .sort("pending", ASCENDING)
            .limit(limit)
        )

    def _moved(self, clips: Sequence[Document], entries: Sequence[tuple[str, str]]) -> bool:
        """Append, then empty the outboxes; False when somebody else took the position, or had moved one already."""
        if entries:
            last = self._last_position()
            events = [
                {"_id": event_id, "position": position, "waiting": position, "content": content}
                for position, (event_id, content) in enumerate(entries, last + 1)
            ]
            try:
                self._events.insert_many(events, ordered=True)  # in order, or a refused one would leave a gap
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
        # Known to a majority, that is: an outbox is emptied for it, and must not be for what a failover may undo.
        found = self._events.find({"_id": {"$in": [event_id for event_id, _ in entries]}}, {"_id": 1})
        known = {event["_id"] for event in found}
        return [entry for entry in entries if entry[0] not in known]

    def _last_position(self) -> int:
        last = self._newest.find_one({}, {"position": 1}, sort=[("position", DESCENDING)])
        return int(last["position"]) if last else 0

    # --- reading ---------------------------------------------------------------------------------

    def after(self, position: int, *, limit: int) -> list[tuple[int, Event]]:
        """Events with their positions, in their order."""
        found = self._events.find({"position": {"$gt": position}}).sort("position", ASCENDING).limit(limit)
        return [(event["position"], Event.model_validate_json(event["content"])) for event in found]

    def last_position(self) -> int:
        """The newest event's; 0 when there is none."""
        last = self._events.find_one({}, {"position": 1}, sort=[("position", DESCENDING)])
        return int(last["position"]) if last else 0

    def waiting(self, *, limit: int) -> list[Event]:
        """Events that are not marked as announced, oldest first."""
        found = self._events.find({"waiting": {"$exists": True}}).sort("waiting", ASCENDING).limit(limit)
        return [Event.model_validate_json(event["content"]) for event in found]

    def mark(self, event_ids: Iterable[str], *, at: int) -> None:
        """These have been announced, at these microseconds."""
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
    """Ids and contents of the events in these clips' outboxes, each clip's by revision."""
    return [
        (f"{clip['_id']}.{revision}", content)
        for clip in clips
        for revision, content in sorted(clip["outbox"].items(), key=lambda item: int(item[0]))
    ]


def _is_race(error: BulkWriteError) -> bool:
    failed = error.details.get("writeErrors", [])
    return bool(failed) and all(each["code"] == _DUPLICATE for each in failed)
