"""The Records on MongoDB: clips, what is needed to find them, and their events, for any number of machines."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from cutback.adapters.mongodb.client import Document, Mongo, persist
from cutback.adapters.mongodb.events import EventLog
from cutback.adapters.ordering import (
    ABANDONED_AFTER,
    check_limit,
    from_micros,
    make_cursor,
    micros_or_none,
    read_cursor,
    sort_key,
    to_micros,
)
from cutback.domain.base import read_stored, utc_now
from cutback.domain.clips.clip import Clip, ClipState, Progress
from cutback.domain.clips.event import Event
from cutback.domain.clips.search import search_words, searched_text
from cutback.domain.readable import readable
from cutback.ports import ClipQuery, Page

_INDEXES = (
    IndexModel([("place", ASCENDING)]),
    IndexModel([("state", ASCENDING), ("place", ASCENDING)]),
    IndexModel([("tags", ASCENDING), ("place", ASCENDING)]),
    IndexModel([("recordings", ASCENDING), ("place", ASCENDING)]),
    IndexModel([("cameras", ASCENDING), ("place", ASCENDING)]),
    IndexModel([("tenant", ASCENDING), ("place", ASCENDING)]),
    IndexModel([("due_at", ASCENDING)], sparse=True),
    IndexModel([("lease_until", ASCENDING)], sparse=True),
    IndexModel([("pending", ASCENDING)], sparse=True),
    IndexModel([("waits_for", ASCENDING)], sparse=True),
    IndexModel([("settled_at", ASCENDING)], sparse=True),
)

_CLIP = {"content": 1, "lease_until": 1, "progress": 1}
_COMPLETED_AT_ONCE = 500
_SIGNATURES = 8
"""How many signatures of recent changes a document keeps, so that a writer recognises its own change."""


class MongoRecords:
    """Implements Records. The clip is stored as JSON; other fields serve to find it, or change with each heartbeat.

    JSON, because labels may have any key, which MongoDB's fields may not. Times are microseconds since 1970, because
    MongoDB's own have milliseconds. Every method raises `RecordsUnavailableError` if there is no answer, and
    `SettingsError` if user or password are rejected; a `limit` below 1 raises `ValueError`.
    """

    def __init__(
        self,
        mongo: Mongo,
        *,
        clock: Callable[[], datetime] = utc_now,
        changed: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Create missing indexes. `clock` dates announcements. Closing this closes `mongo`.

        `changed` is called with a clip's id after each change of its record, but not for a heartbeat.

        Raises:
            RecordsUnavailableError: there is no answer.
        """
        self._clock, self._mongo, self._changed = clock, mongo, changed
        mongo.ensure_indexes("clips", _INDEXES)
        mongo.once("clips-have-cameras-and-settled-at", self._complete_old_clips)
        self._events = EventLog(mongo)

    @property
    def _clips(self) -> Collection[Document]:
        return self._mongo.collection("clips")

    def close(self) -> None:
        """Close the connections."""
        self._mongo.close()

    def _complete_old_clips(self) -> None:
        """Add fields that older versions did not write."""
        final = [state.value for state in ClipState if state.final]
        without = [{"cameras": {"$exists": False}}, {"settled_at": {"$exists": False}, "state": {"$in": final}}]
        updates: list[UpdateOne] = []
        for found in self._clips.find({"$or": without}, _CLIP | {"revision": 1}):
            clip = read_clip(found)
            updates.append(UpdateOne({"_id": clip.id}, {"$set": {"cameras": _cameras(clip)}}))
            if clip.settled_at is not None:
                unchanged = {"_id": clip.id, "revision": clip.revision}
                updates.append(UpdateOne(unchanged, {"$set": {"settled_at": to_micros(clip.settled_at)}}))
            if len(updates) >= _COMPLETED_AT_ONCE:
                self._clips.bulk_write(updates)
                updates = []
        if updates:
            self._clips.bulk_write(updates)

    # --- clips -----------------------------------------------------------------------------------

    def put_clip(self, clip: Clip) -> bool:
        """Store a new clip and its event, unless its id is taken. Returns whether it was stored."""
        signature = secrets.token_hex(8)
        document = {
            "_id": clip.id,
            **copied(clip),
            "signatures": {_slot(clip): signature},
            "outbox": {str(clip.revision): clip.event().model_dump_json()},
            "pending": to_micros(clip.updated_at),
        }

        def write() -> bool:
            try:
                self._clips.insert_one(document)
            except DuplicateKeyError:
                return False
            return True

        with self._mongo.translating():
            stored = persist(write, lambda: self._was_ours(clip, signature))
            if stored:
                self._events.move_soon(clip.id)
        if stored:
            self._changed(clip.id)
        return stored

    def get_clip(self, clip_id: str) -> Clip | None:
        """Return the clip's current record."""
        with self._mongo.translating():
            found = self._clips.find_one({"_id": clip_id}, _CLIP)
        return None if found is None else read_clip(found)

    def commit(self, clip: Clip, *, announce: bool = True) -> bool:
        """Store a change, based on revision `clip.revision - 1`, together with its event, in one atomic update.

        The request and its time never change, so the fields for sorting, recordings and cameras stay the same.
        """
        signature = secrets.token_hex(8)
        fields = _fields(clip) | {f"signatures.{_slot(clip)}": signature}
        if announce:
            fields[f"outbox.{clip.revision}"] = clip.event().model_dump_json()
            fields["pending"] = to_micros(clip.updated_at)
        update = {
            "$set": {name: value for name, value in fields.items() if value is not None},
            "$unset": {name: "" for name, value in fields.items() if value is None},
        }
        condition = {"_id": clip.id, "revision": clip.revision - 1}
        with self._mongo.translating():
            changed = persist(
                lambda: bool(self._clips.update_one(condition, _without_empty(update)).matched_count),
                lambda: self._was_ours(clip, signature),
            )
            if changed and announce:
                self._events.move_soon(clip.id)
        if changed:
            self._changed(clip.id)
        return changed

    def _was_ours(self, clip: Clip, signature: str) -> bool:
        """Whether the clip's change has the signature. A write, so that a majority has it when this returns."""
        field = f"signatures.{_slot(clip)}"
        return bool(
            self._clips.update_one({"_id": clip.id, field: signature}, {"$set": {field: signature}}).matched_count
        )

    def beat(self, clip_id: str, attempt: int, *, lease_until: datetime, progress: Progress) -> bool:
        """Extend the attempt's lease and store its progress; False if it is not the current attempt."""
        condition = {"_id": clip_id, "state": ClipState.PROCESSING.value, "attempt": attempt}
        update = {"$set": {"lease_until": to_micros(lease_until), "progress": progress.model_dump()}}
        with self._mongo.translating():
            return persist(lambda: bool(self._clips.update_one(condition, update).matched_count))

    def list_clips(self, query: ClipQuery, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return matching clips, newest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        check_limit(limit)
        condition = _condition(query, cursor)
        with self._mongo.translating():
            found = list(self._clips.find(condition, _CLIP).sort("place", DESCENDING).limit(limit + 1))
        return _page(found, limit)

    def count_clips(self, query: ClipQuery) -> int:
        """Return how many clips match. It reads all of them."""
        with self._mongo.translating():
            return self._clips.count_documents(_condition(query, None))

    def waiting_for(self, camera: str, *, limit: int = 500, cursor: str | None = None) -> Page:
        """Return the clips that wait for this camera's footage, oldest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        check_limit(limit)
        after = "" if cursor is None else sort_key(*read_cursor(cursor))
        # With `$exists`, DocumentDB uses the sparse index. Digits follow the camera's name.
        bounds = {"$exists": True, "$gt": _turn(camera, after), "$lt": _turn(camera, ":")}
        condition = {"waits_for": bounds, "state": ClipState.WAITING.value}
        with self._mongo.translating():
            found = list(self._clips.find(condition, _CLIP).sort("waits_for", ASCENDING).limit(limit + 1))
        return _page(found, limit)

    def due(self, now: datetime, *, limit: int = 100) -> list[Clip]:
        """Return the clips that housekeeping must check, the longest overdue first."""
        check_limit(limit)
        grace = ABANDONED_AFTER // timedelta(microseconds=1)
        ways: tuple[tuple[str, Document, int], ...] = (
            ("due_at", {}, 0),
            ("lease_until", {"state": ClipState.PROCESSING.value}, grace),
        )
        moments: dict[str, tuple[int, str]] = {}
        clips: dict[str, Clip] = {}
        with self._mongo.translating():
            for field, also, delay in ways:
                condition = {field: {"$exists": True, "$lte": to_micros(now) - delay}, **also}
                found = self._clips.find(condition, _CLIP | {field: 1}).sort(field, ASCENDING).limit(limit)
                documents = {each["_id"]: each for each in found}
                for clip in readable(read_clip, documents.items()):
                    clips.setdefault(clip.id, clip)
                    moment = documents[clip.id][field] + delay, clip.id
                    moments[clip.id] = min(moment, moments.get(clip.id, moment))
        return sorted(clips.values(), key=lambda clip: moments[clip.id])[:limit]

    def settled_before(self, moment: datetime, *, limit: int = 100) -> list[Clip]:
        """Return clips whose `settled_at` is before `moment`, the earliest first."""
        check_limit(limit)
        # With `$exists`, DocumentDB uses the sparse index.
        condition = {"settled_at": {"$exists": True, "$lt": to_micros(moment)}}
        with self._mongo.translating():
            found = list(self._clips.find(condition, _CLIP).sort("settled_at", ASCENDING).limit(limit))
        return [clip for clip in map(read_clip, found) if clip.settled_at is not None]

    def remove_clips(self, clips: Iterable[Clip]) -> int:
        """Remove the records of settled clips, with all their events. Returns how many.

        The clip of the newest event stays, because the next event gets that one's position plus one.
        """
        with self._mongo.translating():
            return sum(self._remove(clip) for clip in clips)

    def _remove(self, clip: Clip) -> bool:
        """Remove the events first: an event that is left over would be taken for one of a new clip with this id.

        The events are listed by position before the clip is read once more. If another process removes the clip, and it
        is requested again, either its revision is another one, or its events have other positions.
        """
        own = {
            "_id": clip.id,
            "revision": clip.revision,
            "settled_at": {"$exists": True},
            "pending": {"$exists": False},
        }
        events = self._events.removable(clip.event_ids)
        if events is None or self._clips.find_one(own, {"_id": 1}) is None:
            return False
        self._events.remove(events)
        removed = [0]

        def write() -> bool:
            removed[0] += self._clips.delete_one(own).deleted_count
            return True

        persist(write)
        self._changed(clip.id)
        return bool(removed[0])

    # --- events ----------------------------------------------------------------------------------

    def unannounced(self, *, limit: int = 100) -> list[Event]:
        """Return events that are not marked as announced, oldest first, including those still in outboxes."""
        check_limit(limit)
        with self._mongo.translating():
            self._events.move_all()
            return self._events.waiting(limit=limit)

    def mark_announced(self, event_ids: Iterable[str]) -> None:
        """Mark events as announced. Unknown ids are ignored."""
        with self._mongo.translating():
            self._events.mark(event_ids, at=to_micros(self._clock()))

    def events_after(self, position: int, *, limit: int = 100) -> list[tuple[int, Event]]:
        """Return the events after a position, in the order of their commits, each with its position."""
        check_limit(limit)
        with self._mongo.translating():
            return self._events.after(position, limit=limit)

    def last_position(self) -> int:
        """Return the newest event's position; 0 if there were no events."""
        with self._mongo.translating():
            return self._events.last_position()


def _cameras(clip: Clip) -> list[str]:
    return sorted({each.camera for each in clip.request.spans})


def copied(clip: Clip) -> Document:
    """Return the fields of a clip as it is, without an event."""
    return {
        "place": sort_key(to_micros(clip.created_at), clip.id),
        "recordings": sorted({each.recording for each in clip.request.ranges}),
        "cameras": _cameras(clip),
        **{name: value for name, value in _fields(clip).items() if value is not None},
    }


def _fields(clip: Clip) -> dict[str, Any]:
    """Return the fields that a change may modify; None for those without a value, so that sparse indexes stay small."""
    due = [micros_or_none(clip.sweep_at), micros_or_none(clip.expires_at) if clip.state is ClipState.READY else None]
    return {
        "state": clip.state.value,
        "revision": clip.revision,
        "attempt": clip.attempt,
        "lease_until": micros_or_none(clip.lease_until),
        "waits_for": clip.waits_for and _turn(clip.waits_for, sort_key(to_micros(clip.created_at), clip.id)),
        "due_at": min((moment for moment in due if moment is not None), default=None),
        "settled_at": micros_or_none(clip.settled_at),
        "progress": clip.progress.model_dump(),
        "tags": sorted(set(clip.tags)),
        "words": searched_text(clip),
        "tenant": clip.tenant or None,
        "deleted": clip.delete_at is not None or None,
        "content": clip.model_dump_json(),
    }


def read_clip(found: Document) -> Clip:
    """Return the clip of a document."""
    lease_until = found.get("lease_until")
    return read_stored(Clip, found["content"]).model_copy(
        update={
            "lease_until": None if lease_until is None else from_micros(lease_until),
            "progress": read_stored(Progress, found["progress"]),
        }
    )


def _page(found: list[Document], limit: int) -> Page:
    """Make a page of documents, where one more than `limit` was requested."""
    clips = readable(read_clip, ((each["_id"], each) for each in found[:limit]))
    if len(found) <= limit:
        return Page(clips, None)
    content = json.loads(found[limit - 1]["content"])
    return Page(clips, make_cursor(to_micros(datetime.fromisoformat(content["created_at"])), content["id"]))


def _turn(camera: str, place: str) -> str:
    """Return a text that sorts by camera, then `place`, for the index of waiting clips. No name has a newline."""
    return f"{camera}\n{place}"


def _slot(clip: Clip) -> str:
    return str(clip.revision % _SIGNATURES)


def _condition(query: ClipQuery, cursor: str | None) -> dict[str, Any]:
    bounds: dict[str, str] = {}
    if query.created_from is not None:
        bounds["$gte"] = sort_key(to_micros(query.created_from))
    before = [] if query.created_before is None else [sort_key(to_micros(query.created_before))]
    before += [] if cursor is None else [sort_key(*read_cursor(cursor))]
    if before:
        bounds["$lt"] = min(before)
    wanted = {
        "state": {"$in": [state.value for state in query.states]} if query.states else None,
        "tags": query.tag,
        "recordings": query.recording,
        "cameras": query.camera,
        "place": bounds or None,
        "$and": [{"words": {"$regex": re.escape(word)}} for word in search_words(query.text)] or None,
    }
    found: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if query.tenant is not None:
        found["tenant"] = query.tenant or None  # None: the field is missing
    if not query.deleted:
        found["deleted"] = None
    return found


def _without_empty(update: dict[str, Document]) -> dict[str, Document]:
    """Remove empty operators, which DocumentDB and MongoDB before 5.0 reject."""
    return {operator: fields for operator, fields in update.items() if fields}
