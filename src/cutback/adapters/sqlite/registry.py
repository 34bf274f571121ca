"""The Registry on SQLite: small JSON documents in one table."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cutback.adapters.ordering import check_limit, make_cursor, read_cursor
from cutback.adapters.sqlite.database import PATIENCE, Database
from cutback.domain.errors import RecordsUnavailableError
from cutback.ports import Document, DocumentPage


class SqliteRegistry:
    """Implements Registry.

    Every method raises `RecordsUnavailableError` if the file cannot be used and `StorageFullError` if it cannot grow;
    a `limit` below 1 is a `ValueError`.
    """

    def __init__(self, path: Path | str, *, patience: timedelta = PATIENCE) -> None:
        """Open the file. `patience` is how long to wait for a lock of another process.

        Raises:
            SettingsError: the file is from a newer version, or it is not a database of Cutback.
        """
        self._database = Database(path, unavailable=RecordsUnavailableError, patience=patience)

    def close(self) -> None:
        """Close idle connections."""
        self._database.close()

    def put_new(self, kind: str, id: str, content: Mapping[str, Any], *, owner: str = "") -> Document | None:  # noqa: A002 - as in the port
        """Store a new document. Returns None, and changes nothing, if its id is taken."""
        document = Document(kind, id, owner, secrets.token_hex(8), dict(content))
        with self._database.writing() as connection:
            stored = connection.execute(
                "INSERT INTO documents (kind, id, owner, revision, content) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (kind, id) DO NOTHING",
                (kind, id, owner, document.revision, json.dumps(document.content)),
            ).rowcount
        return document if stored else None

    def get(self, kind: str, id: str) -> Document | None:  # noqa: A002 - as in the port
        """Return the document as it is now."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT kind, id, owner, revision, content FROM documents WHERE kind = ? AND id = ?", (kind, id)
            ).fetchone()
        return None if row is None else _document(row)

    def replace(self, document: Document, content: Mapping[str, Any]) -> Document | None:
        """Store other content. Returns None, and changes nothing, if the document's revision is outdated."""
        new = Document(document.kind, document.id, document.owner, secrets.token_hex(8), dict(content))
        with self._database.writing() as connection:
            changed = connection.execute(
                "UPDATE documents SET revision = ?, content = ? WHERE kind = ? AND id = ? AND revision = ?",
                (new.revision, json.dumps(new.content), new.kind, new.id, document.revision),
            ).rowcount
        return new if changed else None

    def remove(self, document: Document) -> bool:
        """Remove the document. Returns False, and changes nothing, if its revision is outdated."""
        with self._database.writing() as connection:
            removed = connection.execute(
                "DELETE FROM documents WHERE kind = ? AND id = ? AND revision = ?",
                (document.kind, document.id, document.revision),
            ).rowcount
        return bool(removed)

    def list(self, kind: str, *, owner: str | None = None, limit: int = 50, cursor: str | None = None) -> DocumentPage:
        """Return the documents of a kind by id, of one owner or (None) of all.

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        check_limit(limit)
        after = "" if cursor is None else read_cursor(cursor)[1]
        whose = "" if owner is None else " AND owner = :owner"
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT kind, id, owner, revision, content FROM documents"  # noqa: S608 - constants
                f" WHERE kind = :kind{whose} AND id > :after ORDER BY id LIMIT :limit",
                {"kind": kind, "owner": owner, "after": after, "limit": limit + 1},
            ).fetchall()
        found = [_document(row) for row in rows[:limit]]
        return DocumentPage(found, make_cursor(0, found[-1].id) if len(rows) > limit else None)


def _document(row: tuple[str, str, str, str, str]) -> Document:
    return Document(*row[:4], json.loads(row[4]))
