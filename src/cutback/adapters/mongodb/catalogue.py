"""The Catalogue on MongoDB: which recording holds which moments of which camera, for any number of machines.

A key has one document, either of a recording or of its removal. A change is one atomic update, on condition that the
document still has the revision that was read. Spans are looked up by length classes
(`cutback.adapters.catalogue_rules.length_class`). The classes of a camera are noted before the first recording of a
class is stored, and never removed: a class without recordings costs one index lookup.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from cutback.adapters.catalogue_rules import REMOVALS_KEPT, length_class, says_the_same, standing, to_enter
from cutback.adapters.mongodb.client import Document, Mongo, persist
from cutback.adapters.ordering import check_limit, from_micros, make_cursor, read_cursor, sort_key, to_micros
from cutback.domain.base import read_stored, utc_now
from cutback.domain.cameras.recording import Camera, CameraRecording
from cutback.domain.cameras.store_event import Standing, is_outdated
from cutback.domain.errors import RecordsUnavailableError
from cutback.ports import RecordingPage

_INDEXES = (
    IndexModel([(name, ASCENDING) for name in ("camera", "length_class", "starts_at", "ends_at")]),
    IndexModel([(name, ASCENDING) for name in ("length_class", "starts_at", "ends_at")]),
    IndexModel([("camera", ASCENDING), ("place", ASCENDING)]),
    IndexModel([("camera", ASCENDING), ("ends_at", ASCENDING)]),
    IndexModel([("place", ASCENDING)]),
    IndexModel([("camera", ASCENDING), ("folder", ASCENDING)]),
    IndexModel([("rules", ASCENDING), ("place", ASCENDING)]),
    IndexModel([("forgotten_at", ASCENDING)], expireAfterSeconds=0),
)

_CONTENT = {"content": 1}
_OF_A_RECORDING = ("camera", "length_class", "starts_at", "ends_at", "place", "content", "rules", "folder")
_OF_A_REMOVAL = ("sequencer", "removed_at", "forgotten_at", "by_hand")
_RACES = 50


class MongoCatalogue:
    """Implements Catalogue. The recording is stored as JSON; other fields only serve to find it.

    Every method raises `RecordsUnavailableError` if there is no answer; a `limit` below 1 raises `ValueError`.
    """

    def __init__(self, mongo: Mongo, *, clock: Callable[[], datetime] = utc_now) -> None:
        """Create missing indexes. `clock` gives the age of removals. Closing this closes `mongo`.

        Raises:
            RecordsUnavailableError: there is no answer.
        """
        self._clock, self._mongo = clock, mongo
        mongo.ensure_indexes("recordings", _INDEXES)

    @property
    def _recordings(self) -> Collection[Document]:
        return self._mongo.collection("recordings")

    @property
    def _newest(self) -> Collection[Document]:
        return self._mongo.newest("recordings")

    @property
    def _cameras(self) -> Collection[Document]:
        return self._mongo.collection("cameras")

    def close(self) -> None:
        """Close the connections."""
        self._mongo.close()

    # --- storing and removing --------------------------------------------------------------------

    def put_recording(self, recording: CameraRecording) -> bool:
        """Store a recording, or its newer version, under its key. Returns whether anything was new."""
        with self._mongo.translating():
            self.note_length(recording)
            for _ in range(_RACES):
                found = self._newest.find_one({"_id": recording.key})
                known, removal = _recording(found), _removal(found)
                if removal is not None and is_outdated(standing(recording), removal):
                    return False
                entered = recording if known is None else to_enter(recording, known)
                if entered is None:
                    return False
                if self._replace(entered.key, found, _fields(entered)):
                    return known is None or not says_the_same(entered, known)
        raise _too_many(recording.key)

    def put_recordings(self, recordings: Sequence[CameraRecording]) -> list[bool]:
        """Like `put_recording` for each, one update per recording."""
        return [self.put_recording(recording) for recording in recordings]

    def remove_recording(self, key: str, *, sequencer: str = "", at: datetime) -> bool:
        """Remove the recording, and remember the removal. Returns whether one was removed."""
        news = Standing(sequencer, at)
        fields = {"sequencer": sequencer, "removed_at": to_micros(at)}
        with self._mongo.translating():
            for _ in range(_RACES):
                found = self._newest.find_one({"_id": key})
                known = _recording(found)
                last = standing(known) if known is not None else _removal(found)
                if last is not None and is_outdated(news, last):
                    return False
                if self._replace(key, found, {**fields, **self._remembered(known, found)}):
                    return known is not None
        raise _too_many(key)

    def _remembered(self, known: CameraRecording | None, found: Document | None) -> Document:
        """Return the fields of a removal. What was registered by hand is kept; MongoDB expires all other removals."""
        if known is not None and known.evidence.by_hand:
            return {"by_hand": known.model_dump_json()}
        if found is not None and "by_hand" in found:
            return {"by_hand": found["by_hand"]}
        return {"forgotten_at": self._clock() + REMOVALS_KEPT}

    def copied_removal(self, sequencer: str, removed_at: int, by_hand: Document | None) -> Document:
        """Return the fields of a removal as it is. `by_hand` is what was registered by hand."""
        kept = {"by_hand": json.dumps(by_hand)} if by_hand is not None else self._remembered(None, None)
        return {"sequencer": sequencer, "removed_at": removed_at, **kept, **_copy_marks()}

    def note_length(self, recording: CameraRecording) -> None:
        """Note the length of a recording that is about to be stored, so that it is found. Raises PyMongo's errors."""

        # An upsert of an existing value writes nothing; another process may still be faster, which is fine.
        def write() -> bool:
            try:
                self._cameras.update_one(
                    {"_id": recording.camera}, {"$addToSet": {"lengths": length_class(recording)}}, upsert=True
                )
            except DuplicateKeyError:
                return False
            return True

        while not persist(write):
            pass

    def _replace(self, key: str, found: Document | None, fields: Document) -> bool:
        """Set the fields of the key's document, unless another process was faster."""
        signature = secrets.token_hex(8)
        revision = found["revision"] if found else 0
        new = {**fields, "revision": revision + 1, "signature": signature}
        others = [name for name in (*_OF_A_RECORDING, *_OF_A_REMOVAL) if name not in fields]

        def write() -> bool:
            if found is not None:
                update = {"$set": new, "$unset": dict.fromkeys(others, "")}
                return bool(self._recordings.update_one({"_id": key, "revision": revision}, update).matched_count)
            try:
                self._recordings.insert_one({"_id": key, **new})
            except DuplicateKeyError:
                return False
            return True

        def was_ours() -> bool:
            mine = {"_id": key, "signature": signature}
            return bool(self._recordings.update_one(mine, {"$set": {"signature": signature}}).matched_count)

        return persist(write, was_ours)

    # --- finding ---------------------------------------------------------------------------------

    def get_recording(self, key: str) -> CameraRecording | None:
        """Return the recording's entry."""
        with self._mongo.translating():
            return _recording(self._recordings.find_one({"_id": key}, _CONTENT))

    def get_recordings(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Return those of the recordings that are in the catalogue, by key."""
        return self._by_key(keys, "content")

    def removed_by_hand(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Return recordings that were registered by hand and then removed, by key."""
        return self._by_key(keys, "by_hand")

    def _by_key(self, keys: Sequence[str], field: str) -> dict[str, CameraRecording]:
        if not keys:
            return {}
        with self._mongo.translating():
            found = list(self._recordings.find({"_id": {"$in": list(keys)}}, {field: 1}))
        return {each["_id"]: read_stored(CameraRecording, each[field]) for each in found if field in each}

    def placed_by_other_rules(self, rules: str, *, limit: int = 500) -> list[CameraRecording]:
        """Return recordings whose camera and start time were found with other rules. Reads only their index entries."""
        check_limit(limit)
        # Removals have no `place`. Recordings that older versions stored have no `rules`.
        others = {"rules": {"$ne": rules}, "place": {"$gt": ""}}
        with self._mongo.translating():
            found = list(self._recordings.find(others, _CONTENT).limit(limit))
        return [read_stored(CameraRecording, each["content"]) for each in found]

    def covering(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """Return the camera's recordings that overlap [start, end), by start, then key. One indexed query."""
        with self._mongo.translating():
            ways = self._overlapping(camera, to_micros(start), to_micros(end))
            return self._found({"$or": ways}, limit=0) if ways else []

    def _overlapping(self, camera: str | None, start: int, end: int) -> list[Document]:
        """Return alternative conditions, each a narrow part of an index for one length class."""
        whose = {} if camera is None else {"camera": camera}
        noted = self._cameras.find({} if camera is None else {"_id": camera}, {"lengths": 1})
        return [
            {
                **whose,
                "length_class": kind,
                "starts_at": {"$gt": start - 2**kind, "$lt": end},
                "ends_at": {"$gt": start},
            }
            for kind in sorted({kind for each in noted for kind in each["lengths"]})
        ]

    def neighbours(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """Return the nearest recording that begins before `start`, and the nearest that begins at `end` or later."""
        before = {"camera": camera, "place": {"$lt": sort_key(to_micros(start))}}
        after = {"camera": camera, "place": {"$gte": sort_key(to_micros(end))}}
        with self._mongo.translating():
            nearest = self._found(before, limit=1, order=DESCENDING)
            return nearest + self._found(after, limit=1)

    def list_recordings(
        self,
        camera: str | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RecordingPage:
        """Return recordings by start, then key: of one camera or all; if given, only those that overlap [start, end).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        check_limit(limit)
        bounds: dict[str, str] = {"$gt": "" if cursor is None else sort_key(*read_cursor(cursor))}
        if end is not None:
            bounds["$lt"] = sort_key(to_micros(end))
        condition: Document = {} if camera is None else {"camera": camera}
        found: list[CameraRecording] = []
        with self._mongo.translating():
            if start is not None:
                # First recordings running at `start`, then those that begin later: both stop when they have enough.
                begin = to_micros(start)
                running = [{**way, "place": bounds} for way in self._overlapping(camera, begin, begin)]
                found = self._found({"$or": running}, limit=limit + 1) if running else []
                bounds = {**bounds, "$gt": max(bounds["$gt"], sort_key(begin))}
                condition["ends_at"] = {"$gt": begin}
            if len(found) <= limit:
                found += self._found({**condition, "place": bounds}, limit=limit + 1 - len(found))
        last = found[limit - 1] if len(found) > limit else None
        return RecordingPage(found[:limit], make_cursor(to_micros(last.start), last.key) if last else None)

    def cameras(self) -> list[Camera]:
        """Return every camera that has a recording, by name. Counts by walking along an index."""
        with self._mongo.translating():
            known = [each["_id"] for each in self._cameras.find({}, {"_id": 1}).sort("_id", ASCENDING)]
            found = [self._camera(name) for name in known]
        return [camera for camera in found if camera is not None]

    def _camera(self, name: str) -> Camera | None:
        own = {"camera": name}
        first = self._recordings.find_one(own, {"starts_at": 1}, sort=[("place", ASCENDING)])
        last = self._recordings.find_one(own, {"ends_at": 1}, sort=[("ends_at", DESCENDING)])
        if first is None or last is None:
            return None
        count = self._recordings.count_documents(own)
        folders = sorted(each or "" for each in self._recordings.distinct("folder", own)) or [""]
        return Camera(name, count, from_micros(first["starts_at"]), from_micros(last["ends_at"]), tuple(folders))

    def _found(self, condition: Document, *, limit: int, order: int = ASCENDING) -> list[CameraRecording]:
        found: Iterable[Document] = self._recordings.find(condition, _CONTENT).sort("place", order).limit(limit)
        return [read_stored(CameraRecording, each["content"]) for each in found]


def copied(recording: CameraRecording) -> Document:
    """Return the fields of a recording as it is."""
    return {**_fields(recording), **_copy_marks()}


def _copy_marks() -> Document:
    return {"revision": 1, "signature": secrets.token_hex(8)}


def _fields(recording: CameraRecording) -> dict[str, Any]:
    starts_at = to_micros(recording.start)
    return {
        "camera": recording.camera,
        "length_class": length_class(recording),
        "starts_at": starts_at,
        "ends_at": to_micros(recording.end),
        "place": sort_key(starts_at, recording.key),
        "content": recording.model_dump_json(),
        "rules": recording.rules,
        "folder": recording.folder,
    }


def _recording(found: Document | None) -> CameraRecording | None:
    return read_stored(CameraRecording, found["content"]) if found and "content" in found else None


def _removal(found: Document | None) -> Standing | None:
    return Standing(found["sequencer"], from_micros(found["removed_at"])) if found and "removed_at" in found else None


def _too_many(key: str) -> RecordsUnavailableError:
    return RecordsUnavailableError(f"The recording {key} is being changed by too many processes at once.")
