"""The records in SQLite as they are, item by item, to copy them into another database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from cutback.adapters.sqlite.catalogue import enter_recording
from cutback.adapters.sqlite.database import PATIENCE, Database
from cutback.adapters.sqlite.records import store_copy
from cutback.domain.base import read_stored
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import Clip
from cutback.domain.errors import RecordsUnavailableError
from cutback.ports import CopiedKind, Item

_SELECTS: dict[CopiedKind, str] = {
    "clips": "SELECT id AS name, content FROM clips",
    "events": "SELECT id AS name, position, announced_at, content FROM events",
    "recordings": "SELECT key AS name, content FROM recordings",
    "removals": """
        SELECT key AS name, sequencer, removed_at, content FROM removed_recordings
        WHERE NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.key = removed_recordings.key)
    """,
    "documents": "SELECT kind || '/' || id AS name, kind, id, owner, revision, content FROM documents",
}


class SqliteCopies:
    """Implements Copies.

    Every method raises `RecordsUnavailableError` if the file cannot be used and `StorageFullError` if it cannot grow.
    """

    def __init__(self, path: Path, *, patience: timedelta = PATIENCE) -> None:
        """Open the file. Raises like `Database`."""
        self._database = Database(path, unavailable=RecordsUnavailableError, patience=patience)
        self._locked: Connection | None = None

    def close(self) -> None:
        """Close idle connections."""
        self._database.close()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Keep every other process from writing while the block lasts."""
        with self._database.writing() as connection:
            self._locked = connection
            try:
                yield
            finally:
                self._locked = None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._locked is not None:
            yield self._locked
            return
        with self._database.reading() as connection:
            yield connection

    def count(self, kind: CopiedKind) -> int:
        """Return how many items there are."""
        with self._reading() as connection:
            return int(connection.execute(f"SELECT COUNT(*) FROM ({_SELECTS[kind]})").fetchone()[0])  # noqa: S608 - constants

    def page(self, kind: CopiedKind, after: str, *, limit: int) -> list[Item]:
        """Return the next items after a name, by name."""
        statement = f"SELECT * FROM ({_SELECTS[kind]}) WHERE name > ? ORDER BY name LIMIT ?"  # noqa: S608 - constants
        with self._reading() as connection:
            cursor = connection.execute(statement, (after, limit))
            columns = [column[0] for column in cursor.description]
            return [_item(dict(zip(columns, row, strict=True))) for row in cursor]

    def get(self, kind: CopiedKind, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return those of the items that exist, by name."""
        statement = f"SELECT * FROM ({_SELECTS[kind]}) WHERE name IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants
        with self._reading() as connection:
            cursor = connection.execute(statement, (json.dumps(list(names)),))
            columns = [column[0] for column in cursor.description]
            return dict(_item(dict(zip(columns, row, strict=True))) for row in cursor)

    def store(self, kind: CopiedKind, items: Sequence[Item]) -> None:
        """Store items as they are, in place of those with the same names, in one transaction."""
        with self._database.writing() as connection:
            for name, fields in items:
                _store(connection, kind, name, fields)

    def last_position(self) -> int:
        """Return the position of the newest event, even if it was removed."""
        with self._reading() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return 0 if row is None else int(row[0])


def _item(row: dict[str, Any]) -> Item:
    name = row.pop("name")
    content = row.pop("content")
    return name, {**row, "content": None if content is None else json.loads(content)}


def _store(connection: Connection, kind: CopiedKind, name: str, fields: Mapping[str, Any]) -> None:
    content = fields["content"]
    match kind:
        case "clips":
            store_copy(connection, read_stored(Clip, json.dumps(content)))
        case "recordings":
            enter_recording(connection, read_stored(CameraRecording, json.dumps(content)))
        case "events":
            connection.execute(
                "INSERT OR REPLACE INTO events (position, id, announced_at, content) VALUES (?, ?, ?, ?)",
                (fields["position"], name, fields["announced_at"], json.dumps(content)),
            )
        case "removals":
            connection.execute(
                "INSERT OR REPLACE INTO removed_recordings (key, sequencer, removed_at, content) VALUES (?, ?, ?, ?)",
                (name, fields["sequencer"], fields["removed_at"], None if content is None else json.dumps(content)),
            )
        case "documents":
            connection.execute(
                "INSERT OR REPLACE INTO documents (kind, id, owner, revision, content) VALUES (?, ?, ?, ?, ?)",
                (*(fields[column] for column in ("kind", "id", "owner", "revision")), json.dumps(content)),
            )
