"""The records in MongoDB as they are, item by item, to copy them into another database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import ASCENDING, ReplaceOne

from cutback.adapters.mongodb.catalogue import MongoCatalogue
from cutback.adapters.mongodb.catalogue import copied as copied_recording
from cutback.adapters.mongodb.client import Document, Mongo, persist
from cutback.adapters.mongodb.events import EventLog
from cutback.adapters.mongodb.records import MongoRecords, read_clip
from cutback.adapters.mongodb.records import copied as copied_clip
from cutback.adapters.mongodb.registry import MongoRegistry
from cutback.domain.base import read_stored
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import Clip
from cutback.ports import CopiedKind, Item

_COLLECTIONS: dict[CopiedKind, tuple[str, Document]] = {
    "clips": ("clips", {}),
    "events": ("events", {}),
    "recordings": ("recordings", {"place": {"$exists": True}}),
    "removals": ("recordings", {"removed_at": {"$exists": True}}),
    "documents": ("registry", {}),
}


class MongoCopies:
    """Implements Copies. Every method raises `RecordsUnavailableError` if there is no answer."""

    def __init__(self, mongo: Mongo) -> None:
        """Create missing indexes. Closing this closes `mongo`."""
        self._mongo = mongo
        MongoRecords(mongo)
        MongoRegistry(mongo)
        self._catalogue = MongoCatalogue(mongo)

    def close(self) -> None:
        """Close the connections."""
        self._mongo.close()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Move all events into the log. Other processes can still write, which shows when the copies are compared."""
        with self._mongo.translating():
            EventLog(self._mongo).move_all()
        yield

    def count(self, kind: CopiedKind) -> int:
        """Return how many items there are."""
        name, condition = _COLLECTIONS[kind]
        with self._mongo.translating():
            return self._mongo.collection(name).count_documents(condition)

    def page(self, kind: CopiedKind, after: str, *, limit: int) -> list[Item]:
        """Return the next items after a name, by name."""
        name, condition = _COLLECTIONS[kind]
        which = {"$and": [condition, {"_id": {"$gt": after}}]} if condition else {"_id": {"$gt": after}}
        with self._mongo.translating():
            found = list(self._mongo.collection(name).find(which).sort("_id", ASCENDING).limit(limit))
        return [_item(kind, each) for each in found]

    def get(self, kind: CopiedKind, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return those of the items that exist, by name."""
        name, condition = _COLLECTIONS[kind]
        which = {**condition, "_id": {"$in": list(names)}}
        with self._mongo.translating():
            return dict(_item(kind, each) for each in self._mongo.collection(name).find(which))

    def store(self, kind: CopiedKind, items: Sequence[Item]) -> None:
        """Store items as they are, in place of those with the same names. After an error, some may be stored."""
        if not items:
            return
        if kind == "recordings":
            for _, fields in items:
                self._catalogue.note_length(_recording(fields))
        collection = self._mongo.collection(_COLLECTIONS[kind][0])
        replacements = [
            ReplaceOne({"_id": name}, {"_id": name, **self._document(kind, fields)}, upsert=True)
            for name, fields in items
        ]

        def write() -> bool:
            collection.bulk_write(replacements)
            return True

        with self._mongo.translating():
            persist(write)

    def last_position(self) -> int:
        """Return the position of the newest event."""
        with self._mongo.translating():
            return EventLog(self._mongo).last_position()

    def _document(self, kind: CopiedKind, fields: Mapping[str, Any]) -> Document:
        content = fields["content"]
        match kind:
            case "clips":
                return copied_clip(read_stored(Clip, json.dumps(content)))
            case "recordings":
                return copied_recording(_recording(fields))
            case "removals":
                return self._catalogue.copied_removal(fields["sequencer"], fields["removed_at"], content)
            case "events":
                announced = fields["announced_at"]
                state = {"waiting": fields["position"]} if announced is None else {"announced_at": announced}
                return {"position": fields["position"], **state, "content": json.dumps(content)}
            case "documents":
                own = {name: fields[name] for name in ("kind", "id", "owner", "revision")}
                return {**own, "revisions": [fields["revision"]], "content": json.dumps(content)}


def _recording(fields: Mapping[str, Any]) -> CameraRecording:
    return read_stored(CameraRecording, json.dumps(fields["content"]))


def _item(kind: CopiedKind, found: Document) -> Item:
    name = found["_id"]
    match kind:
        case "clips":
            return name, {"content": read_clip(found).model_dump(mode="json")}
        case "recordings":
            return name, {"content": json.loads(found["content"])}
        case "removals":
            by_hand = found.get("by_hand")
            return name, {
                "sequencer": found["sequencer"],
                "removed_at": found["removed_at"],
                "content": None if by_hand is None else json.loads(by_hand),
            }
        case "events":
            return name, {
                "position": found["position"],
                "announced_at": found.get("announced_at"),
                "content": json.loads(found["content"]),
            }
        case "documents":
            own = {column: found[column] for column in ("kind", "id", "owner", "revision")}
            return name, {**own, "content": json.loads(found["content"])}
