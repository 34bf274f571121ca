"""The Registry on MongoDB: small JSON documents in one collection."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from cutback.adapters.mongodb.client import Document as Fields
from cutback.adapters.mongodb.client import Mongo, persist
from cutback.adapters.ordering import check_limit, make_cursor, read_cursor
from cutback.ports import Document, DocumentPage

_INDEXES = (
    IndexModel([("kind", ASCENDING), ("id", ASCENDING)]),
    IndexModel([("kind", ASCENDING), ("owner", ASCENDING), ("id", ASCENDING)]),
)
_REVISIONS_KEPT = 8
"""How many recent revisions a document keeps, so that a writer recognises its own change."""


class MongoRegistry:
    """Implements Registry. The content is stored as JSON text, whose keys may be any text; MongoDB's may not.

    Every method raises `RecordsUnavailableError` if there is no answer, and `SettingsError` if user or password are
    rejected; a `limit` below 1 raises `ValueError`.
    """

    def __init__(self, mongo: Mongo) -> None:
        """Create missing indexes. Closing this closes `mongo`.

        Raises:
            RecordsUnavailableError: there is no answer.
        """
        self._mongo = mongo
        mongo.ensure_indexes("registry", _INDEXES)

    @property
    def _documents(self) -> Collection[Fields]:
        return self._mongo.collection("registry")

    def close(self) -> None:
        """Close the connections."""
        self._mongo.close()

    def put_new(self, kind: str, id: str, content: Mapping[str, Any], *, owner: str = "") -> Document | None:  # noqa: A002 - as in the port
        """Store a new document. Returns None, and changes nothing, if its id is taken."""
        new = Document(kind, id, owner, secrets.token_hex(8), dict(content))
        fields: Fields = {
            "_id": _key(kind, id),
            "kind": kind,
            "id": id,
            "owner": owner,
            "revision": new.revision,
            "revisions": [new.revision],
            "content": json.dumps(new.content),
        }

        def write() -> bool:
            try:
                self._documents.insert_one(fields)
            except DuplicateKeyError:
                return False
            return True

        with self._mongo.translating():
            return new if persist(write, lambda: self._was_stored(new)) else None

    def get(self, kind: str, id: str) -> Document | None:  # noqa: A002 - as in the port
        """Return the document as it is now."""
        with self._mongo.translating():
            found = self._documents.find_one({"_id": _key(kind, id)})
        return None if found is None else _document(found)

    def replace(self, document: Document, content: Mapping[str, Any]) -> Document | None:
        """Store other content. Returns None, and changes nothing, if the document's revision is outdated."""
        new = Document(document.kind, document.id, document.owner, secrets.token_hex(8), dict(content))
        update = {
            "$set": {"revision": new.revision, "content": json.dumps(new.content)},
            "$push": {"revisions": {"$each": [new.revision], "$slice": -_REVISIONS_KEPT}},
        }

        def write() -> bool:
            return bool(self._documents.update_one(_exactly(document), update).matched_count)

        with self._mongo.translating():
            return new if persist(write, lambda: self._was_stored(new)) else None

    def remove(self, document: Document) -> bool:
        """Remove the document. Returns False, and changes nothing, if its revision is outdated."""

        def write() -> bool:
            return bool(self._documents.delete_one(_exactly(document)).deleted_count)

        def is_gone() -> bool:
            return self._documents.find_one({"_id": _key(document.kind, document.id)}, {"_id": 1}) is None

        with self._mongo.translating():
            return persist(write, is_gone)

    def list(self, kind: str, *, owner: str | None = None, limit: int = 50, cursor: str | None = None) -> DocumentPage:
        """Return the documents of a kind by id, of one owner or (None) of all.

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        check_limit(limit)
        after = "" if cursor is None else read_cursor(cursor)[1]
        which: Fields = {"kind": kind, "id": {"$gt": after}}
        if owner is not None:
            which["owner"] = owner
        with self._mongo.translating():
            rows = list(self._documents.find(which).sort("id", ASCENDING).limit(limit + 1))
        found = [_document(row) for row in rows[:limit]]
        return DocumentPage(found, make_cursor(0, found[-1].id) if len(rows) > limit else None)

    def _was_stored(self, document: Document) -> bool:
        own = {"_id": _key(document.kind, document.id), "revisions": document.revision}
        return self._documents.find_one(own, {"_id": 1}) is not None


def _key(kind: str, id: str) -> str:  # noqa: A002 - as in the port
    return f"{kind}/{id}"


def _exactly(document: Document) -> Fields:
    return {"_id": _key(document.kind, document.id), "revision": document.revision}


def _document(found: Fields) -> Document:
    return Document(found["kind"], found["id"], found["owner"], found["revision"], json.loads(found["content"]))
