"""The Catalogue on SQLite: which recording holds which moments of which camera, for several processes.

Spans are looked up by length classes: see `cutback.adapters.catalogue_rules.length_class`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cutback.adapters.catalogue_rules import REMOVALS_KEPT, length_class, says_the_same, standing, to_enter
from cutback.adapters.ordering import check_limit, from_micros, make_cursor, read_cursor, to_micros
from cutback.adapters.sqlite.database import PATIENCE, Database
from cutback.domain.base import read_stored, utc_now
from cutback.domain.cameras.recording import Camera, CameraRecording
from cutback.domain.cameras.store_event import Standing, is_outdated
from cutback.domain.errors import RecordsUnavailableError
from cutback.ports import RecordingPage

_FORGOTTEN_AT_ONCE = 100

_COVERING = """
    FROM camera_lengths AS lengths
    CROSS JOIN recordings INDEXED BY recordings_by_span
        ON recordings.camera = lengths.camera AND recordings.length_class = lengths.length_class
        AND starts_at > :start - (1 << lengths.length_class)
"""
"""Reads the length classes first; then, for each, the part of the index that may overlap a span from `:start`."""


_FOLDERS_OF_CAMERAS = """
    WITH RECURSIVE found (camera, folder) AS (
        SELECT camera, (SELECT MIN(folder) FROM recordings AS each INDEXED BY recordings_by_folder
            WHERE each.camera = names.camera) FROM (SELECT DISTINCT camera FROM camera_lengths) AS names
        UNION ALL
        SELECT camera, (SELECT MIN(folder) FROM recordings AS each INDEXED BY recordings_by_folder
            WHERE each.camera = found.camera AND each.folder > found.folder)
        FROM found WHERE folder IS NOT NULL
    )
    SELECT camera, folder FROM found WHERE folder IS NOT NULL ORDER BY camera, folder
"""
"""Jumps along the index from one folder to the next, skipping all recordings in between."""


class SqliteCatalogue:
    """Implements Catalogue. The recording is stored as JSON; columns only serve to find it.

    Every method raises `RecordsUnavailableError` if the file cannot be used and `StorageFullError` if it cannot grow;
    a `limit` below 1 is a `ValueError`.
    """

    def __init__(
        self, path: Path | str, *, clock: Callable[[], datetime] = utc_now, patience: timedelta = PATIENCE
    ) -> None:
        """Open the file. `clock` gives the age of removals; `patience` is how long to wait for another process's lock.

        Raises:
            SettingsError: the file is from a newer version, or it is not a database of Cutback.
        """
        self._clock = clock
        self._database = Database(path, unavailable=RecordsUnavailableError, patience=patience)

    def close(self) -> None:
        """Close idle connections."""
        self._database.close()

    # --- storing and removing --------------------------------------------------------------------

    def put_recording(self, recording: CameraRecording) -> bool:
        """Store a recording, or its newer version, under its key. Returns whether anything was new."""
        with self._database.writing() as connection:
            return _put(connection, recording)

    def put_recordings(self, recordings: Sequence[CameraRecording]) -> list[bool]:
        """Like `put_recording` for each, all in one transaction."""
        if not recordings:
            return []
        with self._database.writing() as connection:
            return [_put(connection, recording) for recording in recordings]

    def remove_recording(self, key: str, *, sequencer: str = "", at: datetime) -> bool:
        """Remove the recording, and remember the removal. Returns whether one was removed."""
        news = Standing(sequencer, at)
        with self._database.writing() as connection:
            _forget_removals(connection, before=self._clock() - REMOVALS_KEPT)
            known, removal = _known(connection, key), _removal(connection, key)
            if known is not None and is_outdated(news, standing(known)):
                return False
            if removal is None or not is_outdated(news, removal):
                by_hand = known.model_dump_json() if known is not None and known.evidence.by_hand else None
                connection.execute(
                    "INSERT INTO removed_recordings (key, sequencer, removed_at, content) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET sequencer = excluded.sequencer,"
                    " removed_at = excluded.removed_at, content = COALESCE(excluded.content, content)",
                    (key, sequencer, to_micros(at), by_hand),
                )
            if known is not None:
                _take_out(connection, known)
        return known is not None

    # --- finding ---------------------------------------------------------------------------------

    def get_recording(self, key: str) -> CameraRecording | None:
        """Return the recording's entry."""
        with self._database.reading() as connection:
            return _known(connection, key)

    def get_recordings(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Return those of the recordings that are in the catalogue, by key."""
        return self._by_key("SELECT content FROM recordings WHERE key IN (SELECT value FROM json_each(?))", keys)

    def removed_by_hand(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Return recordings that were registered by hand and then removed, by key."""
        return self._by_key(
            "SELECT content FROM removed_recordings WHERE content IS NOT NULL"
            " AND key IN (SELECT value FROM json_each(?))",
            keys,
        )

    def _by_key(self, question: str, keys: Sequence[str]) -> dict[str, CameraRecording]:
        with self._database.reading() as connection:
            rows = connection.execute(question, (json.dumps(list(keys)),)).fetchall()
        return {recording.key: recording for recording in (_read(content) for (content,) in rows)}

    def placed_by_other_rules(self, rules: str, *, limit: int = 500) -> list[CameraRecording]:
        """Return recordings whose camera and start time were found with other rules. Reads only their index entries."""
        check_limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT content FROM recordings INDEXED BY recordings_by_rules WHERE rules < :rules"
                " UNION ALL SELECT content FROM recordings INDEXED BY recordings_by_rules WHERE rules > :rules"
                " LIMIT :limit",
                {"rules": rules, "limit": limit},
            ).fetchall()
        return [_read(content) for (content,) in rows]

    def covering(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """Return the camera's recordings that overlap [start, end), by start, then key. One indexed query."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT content {_COVERING} WHERE lengths.camera = :camera"
                " AND starts_at < :end AND ends_at > :start ORDER BY starts_at, key",
                {"camera": camera, "start": to_micros(start), "end": to_micros(end)},
            ).fetchall()
        return [_read(content) for (content,) in rows]

    def neighbours(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """Return the nearest recording that begins before `start`, and the nearest that begins at `end` or later."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT content FROM (SELECT content FROM recordings INDEXED BY recordings_by_camera
                    WHERE camera = :camera AND starts_at < :start ORDER BY starts_at DESC, key DESC LIMIT 1)
                UNION ALL
                SELECT content FROM (SELECT content FROM recordings INDEXED BY recordings_by_camera
                    WHERE camera = :camera AND starts_at >= :end ORDER BY starts_at, key LIMIT 1)
                """,
                {"camera": camera, "start": to_micros(start), "end": to_micros(end)},
            ).fetchall()
        return [_read(content) for (content,) in rows]

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
        after = None if cursor is None else read_cursor(cursor)
        values = {
            "camera": camera,
            "start": None if start is None else to_micros(start),
            "end": None if end is None else to_micros(end),
            "limit": limit + 1,
            "after": after and after[0],
            "after_key": after and after[1],
        }
        with self._database.reading() as connection:
            rows = connection.execute(_listing(values), values).fetchall()
        found = [_read(content) for _, _, content in rows[:limit]]
        return RecordingPage(found, make_cursor(*rows[limit - 1][:2]) if len(rows) > limit else None)

    def cameras(self) -> list[Camera]:
        """Return every camera that has a recording, by name. Reads a few entries of the index for each."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                WITH extremes AS (
                    SELECT camera, length_class, recordings AS count,
                        (SELECT MIN(starts_at) FROM recordings AS each INDEXED BY recordings_by_span
                            WHERE each.camera = lengths.camera AND each.length_class = lengths.length_class) AS first,
                        (SELECT MAX(starts_at) FROM recordings AS each INDEXED BY recordings_by_span
                            WHERE each.camera = lengths.camera AND each.length_class = lengths.length_class) AS newest
                    FROM camera_lengths AS lengths
                )
                SELECT camera, SUM(count), MIN(first), MAX(
                    (SELECT MAX(ends_at) FROM recordings AS each INDEXED BY recordings_by_span
                        WHERE each.camera = extremes.camera AND each.length_class = extremes.length_class
                        AND starts_at > newest - (1 << extremes.length_class))
                ) FROM extremes GROUP BY camera ORDER BY camera
                """
            ).fetchall()
            folders: dict[str, list[str]] = {}
            for name, folder in connection.execute(_FOLDERS_OF_CAMERAS):
                folders.setdefault(name, []).append(folder)
        return [
            Camera(name, count, from_micros(first), from_micros(last), tuple(folders.get(name, [""])))
            for name, count, first, last in rows
        ]


def enter_recording(connection: sqlite3.Connection, recording: CameraRecording) -> None:
    """Store a recording as it is, in place of one with its key."""
    known = _known(connection, recording.key)
    if known is not None:
        _take_out(connection, known)
    _insert(connection, recording)


def _put(connection: sqlite3.Connection, recording: CameraRecording) -> bool:
    known = _known(connection, recording.key)
    if known is None:
        removal = _removal(connection, recording.key)
        if removal is not None and is_outdated(standing(recording), removal):
            return False
        connection.execute("DELETE FROM removed_recordings WHERE key = ?", (recording.key,))
        _insert(connection, recording)
        return True
    entered = to_enter(recording, known)
    if entered is None:
        return False
    _take_out(connection, known)
    _insert(connection, entered)
    return not says_the_same(entered, known)


def _read(content: str) -> CameraRecording:
    return read_stored(CameraRecording, content)


def _known(connection: sqlite3.Connection, key: str) -> CameraRecording | None:
    row = connection.execute("SELECT content FROM recordings WHERE key = ?", (key,)).fetchone()
    return None if row is None else _read(row[0])


def _removal(connection: sqlite3.Connection, key: str) -> Standing | None:
    row = connection.execute("SELECT sequencer, removed_at FROM removed_recordings WHERE key = ?", (key,)).fetchone()
    return None if row is None else Standing(row[0], from_micros(row[1]))


def _insert(connection: sqlite3.Connection, recording: CameraRecording) -> None:
    starts_at, ends_at = to_micros(recording.start), to_micros(recording.end)
    kind = length_class(recording)
    connection.execute(
        "INSERT INTO recordings (key, camera, length_class, starts_at, ends_at, content, rules, folder)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            recording.key,
            recording.camera,
            kind,
            starts_at,
            ends_at,
            recording.model_dump_json(),
            recording.rules,
            recording.folder,
        ),
    )
    connection.execute(
        "INSERT INTO camera_lengths (camera, length_class, recordings) VALUES (?, ?, 1)"
        " ON CONFLICT (camera, length_class) DO UPDATE SET recordings = recordings + 1",
        (recording.camera, kind),
    )


def _take_out(connection: sqlite3.Connection, recording: CameraRecording) -> None:
    lengths = (recording.camera, length_class(recording))
    connection.execute("DELETE FROM recordings WHERE key = ?", (recording.key,))
    connection.execute(
        "UPDATE camera_lengths SET recordings = recordings - 1 WHERE camera = ? AND length_class = ?", lengths
    )
    connection.execute("DELETE FROM camera_lengths WHERE camera = ? AND length_class = ? AND recordings = 0", lengths)


def _forget_removals(connection: sqlite3.Connection, *, before: datetime) -> None:
    connection.execute(
        "DELETE FROM removed_recordings WHERE key IN"
        " (SELECT key FROM removed_recordings WHERE removed_at < ? AND content IS NULL ORDER BY removed_at LIMIT ?)",
        (to_micros(before), _FORGOTTEN_AT_ONCE),
    )


def _listing(values: dict[str, Any]) -> str:
    """Return two queries that stop when they have enough: recordings running at `start`, and those that begin later."""
    camera = values["camera"] is not None
    common = ["recordings.camera = :camera"] if camera else []
    common += ["(starts_at, key) > (:after, :after_key)"] if values["after"] is not None else []
    before_end = ["starts_at < :end"] if values["end"] is not None else []
    index = "recordings_by_camera" if camera else "recordings_by_start"
    parts = []
    if values["start"] is not None:
        # A single bound: with two, SQLite may read the index up to the farther one.
        bound = "MIN(:start, :end)" if before_end else ":start"
        running = [*common, f"starts_at < {bound}", "ends_at > :start"]
        running += ["lengths.camera = :camera"] if camera else []
        parts.append(_part(_COVERING, running))
        common += ["starts_at >= :start", "ends_at > :start"]
    parts.append(_part(f"FROM recordings INDEXED BY {index}", common + before_end))
    return f"{' UNION ALL '.join(parts)} ORDER BY starts_at, key LIMIT :limit"


def _part(source: str, conditions: list[str]) -> str:
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM (SELECT starts_at, key, content {source} {where} ORDER BY starts_at, key LIMIT :limit)"  # noqa: S608 - constants
