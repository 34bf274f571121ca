"""The Records on SQLite: clips, what is needed to find them, and their events, for several processes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cutback.adapters.ordering import (
    ABANDONED_AFTER,
    check_limit,
    make_cursor,
    micros_or_none,
    read_cursor,
    to_micros,
)
from cutback.adapters.sqlite.database import PATIENCE, Database
from cutback.domain.base import iso, read_stored, utc_now
from cutback.domain.clips.clip import Clip, ClipState, Progress
from cutback.domain.clips.event import Event
from cutback.domain.clips.search import search_words, searched_text
from cutback.domain.errors import RecordsUnavailableError
from cutback.domain.readable import readable
from cutback.ports import ClipQuery, Page


class SqliteRecords:
    """Implements Records. The clip is stored as JSON; columns and side tables only serve to find it.

    Every method raises `RecordsUnavailableError` if the file cannot be used and `StorageFullError` if it cannot grow;
    a `limit` below 1 is a `ValueError`.
    """

    def __init__(
        self, path: Path | str, *, clock: Callable[[], datetime] = utc_now, patience: timedelta = PATIENCE
    ) -> None:
        """Open the file. `clock` dates announcements; `patience` is how long to wait for a lock of another process.

        Raises:
            SettingsError: the file is from a newer version, or it is not a database of Cutback.
        """
        self._clock = clock
        self._database = Database(path, unavailable=RecordsUnavailableError, patience=patience)

    def close(self) -> None:
        """Close idle connections."""
        self._database.close()

    # --- clips -----------------------------------------------------------------------------------

    def put_clip(self, clip: Clip) -> bool:
        """Store a new clip and its event, unless its id is taken. Returns whether it was stored."""
        columns = _columns(clip)
        with self._database.writing() as connection:
            stored = connection.execute(
                f"INSERT INTO clips ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"  # noqa: S608 - constants
                " ON CONFLICT (id) DO NOTHING",
                columns,
            ).rowcount
            if stored:
                _put_marks(connection, clip)
                _put_event(connection, clip)
        return bool(stored)

    def get_clip(self, clip_id: str) -> Clip | None:
        """Return the clip's current record."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT content FROM clips WHERE id = ?", (clip_id,)).fetchone()
        return None if row is None else read_stored(Clip, row[0])

    def commit(self, clip: Clip, *, announce: bool = True) -> bool:
        """Store a change, based on revision `clip.revision - 1`, together with its event, in one atomic update.

        The request and its time never change, so the tables of recordings and cameras stay the same.
        """
        columns = _columns(clip)
        with self._database.writing() as connection:
            stored = connection.execute("SELECT revision FROM clips WHERE id = ?", (clip.id,)).fetchone()
            if stored is None or stored[0] != clip.revision - 1:
                return False
            _change_tags(connection, clip)
            connection.execute(
                f"UPDATE clips SET {', '.join(f'{name} = :{name}' for name in columns)} WHERE id = :id",  # noqa: S608 - constants
                columns,
            )
            if announce:
                _put_event(connection, clip)
        return True

    def beat(self, clip_id: str, attempt: int, *, lease_until: datetime, progress: Progress) -> bool:
        """Extend the attempt's lease and store its progress; False if it is not the current attempt."""
        with self._database.writing() as connection:
            changed = connection.execute(
                "UPDATE clips SET lease_until = ?,"
                " content = json_set(content, '$.lease_until', ?, '$.progress', json(?))"
                " WHERE id = ? AND state = ? AND attempt = ?",
                (
                    to_micros(lease_until),
                    iso(lease_until),
                    progress.model_dump_json(),
                    clip_id,
                    ClipState.PROCESSING,
                    attempt,
                ),
            ).rowcount
        return bool(changed)

    def list_clips(self, query: ClipQuery, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return matching clips, newest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        check_limit(limit)
        statement, values = _listing(query, None if cursor is None else read_cursor(cursor))
        with self._database.reading() as connection:
            rows = connection.execute(statement, {**values, "limit": limit + 1}).fetchall()
        return _page(rows, limit)

    def count_clips(self, query: ClipQuery) -> int:
        """Return how many clips match. It reads all of them."""
        statement, values = _listing(query, None)
        with self._database.reading() as connection:
            row = connection.execute(f"SELECT COUNT(*) FROM ({statement})", {**values, "limit": -1}).fetchone()  # noqa: S608 - constants
        return int(row[0])

    def waiting_for(self, camera: str, *, limit: int = 500, cursor: str | None = None) -> Page:
        """Return the clips that wait for this camera's footage, oldest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        check_limit(limit)
        after = (-(2**63), "") if cursor is None else read_cursor(cursor)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT created_at, id, content FROM clips WHERE state = 'waiting' AND waits_for = ?"
                " AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?",
                (camera, *after, limit + 1),
            ).fetchall()
        return _page(rows, limit)

    def due(self, now: datetime, *, limit: int = 100) -> list[Clip]:
        """Return the clips that housekeeping must check, the longest overdue first."""
        check_limit(limit)
        # Each subquery reads its own index in order and stops. Without these hints, SQLite reads all ready clips.
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT id, content, MIN(moment) FROM (
                    SELECT * FROM (SELECT seq, sweep_at AS moment FROM clips INDEXED BY clips_by_sweep
                        WHERE sweep_at IS NOT NULL AND sweep_at <= :now ORDER BY sweep_at LIMIT :limit)
                    UNION ALL
                    SELECT * FROM (SELECT seq, expires_at AS moment FROM clips INDEXED BY clips_by_expiry
                        WHERE state = 'ready' AND expires_at <= :now ORDER BY expires_at LIMIT :limit)
                    UNION ALL
                    SELECT * FROM (SELECT seq, lease_until + :grace AS moment FROM clips INDEXED BY clips_by_lease
                        WHERE state = 'processing' AND lease_until <= :now - :grace
                        ORDER BY lease_until LIMIT :limit)
                ) JOIN clips USING (seq)
                GROUP BY seq ORDER BY 3, seq LIMIT :limit
                """,
                {
                    "now": to_micros(now),
                    "grace": ABANDONED_AFTER // timedelta(microseconds=1),
                    "limit": limit,
                },
            ).fetchall()
        return _readable((name, content) for name, content, _ in rows)

    def settled_before(self, moment: datetime, *, limit: int = 100) -> list[Clip]:
        """Return clips whose `settled_at` is before `moment`, the earliest first."""
        check_limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT content FROM clips WHERE settled_at < ? ORDER BY settled_at LIMIT ?",
                (to_micros(moment), limit),
            ).fetchall()
        return [read_stored(Clip, content) for (content,) in rows]

    def remove_clips(self, clips: Iterable[Clip]) -> int:
        """Remove the records of settled clips, with all their events, in one transaction. Returns how many."""
        with self._database.writing() as connection:
            return sum(_remove(connection, clip) for clip in clips)

    # --- events ----------------------------------------------------------------------------------

    def unannounced(self, *, limit: int = 100) -> list[Event]:
        """Return events that are not marked as announced, oldest first."""
        check_limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT content FROM events WHERE announced_at IS NULL ORDER BY position LIMIT ?", (limit,)
            ).fetchall()
        return [read_stored(Event, content) for (content,) in rows]

    def mark_announced(self, event_ids: Iterable[str]) -> None:
        """Mark events as announced. Unknown ids are ignored."""
        ids = list(event_ids)
        if not ids:
            return
        with self._database.writing() as connection:
            now = to_micros(self._clock())
            connection.executemany(
                "UPDATE events SET announced_at = ? WHERE id = ? AND announced_at IS NULL",
                [(now, event_id) for event_id in ids],
            )

    def events_after(self, position: int, *, limit: int = 100) -> list[tuple[int, Event]]:
        """Return the events after a position, in the order of their commits, each with its position."""
        check_limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT position, content FROM events WHERE position > ? ORDER BY position LIMIT ?",
                (position, limit),
            ).fetchall()
        return [(found, read_stored(Event, content)) for found, content in rows]

    def last_position(self) -> int:
        """Return the newest event's position, even if that event was removed; 0 if there were no events."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return 0 if row is None else int(row[0])


def _readable(rows: Iterable[tuple[str, str]]) -> list[Clip]:
    """Return the clips of rows (id, content), without those that cannot be read."""
    return readable(lambda content: read_stored(Clip, content), rows)


def _page(rows: list[tuple[int, str, str]], limit: int) -> Page:
    """Make a page of rows (time, id, content), where one row more than `limit` was requested."""
    clips = _readable((name, content) for _, name, content in rows[:limit])
    return Page(clips, make_cursor(*rows[limit - 1][:2]) if len(rows) > limit else None)


def _columns(clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.id,
        "state": clip.state.value,
        "created_at": to_micros(clip.created_at),
        "revision": clip.revision,
        "attempt": clip.attempt,
        "lease_until": micros_or_none(clip.lease_until),
        "sweep_at": micros_or_none(clip.sweep_at),
        "expires_at": micros_or_none(clip.expires_at),
        "waits_for": clip.waits_for,
        "tenant": clip.tenant,
        "deleted": clip.delete_at is not None,
        "words": searched_text(clip),
        "settled_at": micros_or_none(clip.settled_at),
        "content": clip.model_dump_json(),
    }


def store_copy(connection: sqlite3.Connection, clip: Clip) -> None:
    """Store a clip as it is, without an event, in place of one with its id."""
    columns = _columns(clip)
    row = connection.execute("SELECT content FROM clips WHERE id = ?", (clip.id,)).fetchone()
    if row is not None:
        known = read_stored(Clip, row[0])
        connection.execute("DELETE FROM clips WHERE id = ?", (clip.id,))
        _remove_marks(connection, known)
    connection.execute(
        f"INSERT INTO clips ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})",  # noqa: S608 - constants
        columns,
    )
    _put_marks(connection, clip)


def _put_marks(connection: sqlite3.Connection, clip: Clip) -> None:
    created_at = to_micros(clip.created_at)
    for name, marks in _marks(clip).items():
        connection.executemany(
            f"INSERT INTO {_MARKS[name]} ({name}, created_at, id) VALUES (?, ?, ?)",  # noqa: S608 - constants
            [(mark, created_at, clip.id) for mark in marks],
        )


def _put_tags(connection: sqlite3.Connection, clip: Clip, tags: set[str]) -> None:
    connection.executemany(
        "INSERT INTO clip_tags (tag, created_at, id) VALUES (?, ?, ?)",
        [(tag, to_micros(clip.created_at), clip.id) for tag in tags],
    )


def _change_tags(connection: sqlite3.Connection, clip: Clip) -> None:
    """Make the table of tags agree with a clip that is about to be stored."""
    row = connection.execute(
        "SELECT COALESCE(json_extract(content, '$.tags'), json_extract(content, '$.request.tags'))"
        " FROM clips WHERE id = ?",
        (clip.id,),
    ).fetchone()
    known, wanted = set(json.loads(row[0])), set(clip.tags)
    connection.executemany(
        "DELETE FROM clip_tags WHERE tag = ? AND created_at = ? AND id = ?",
        [(tag, to_micros(clip.created_at), clip.id) for tag in known - wanted],
    )
    _put_tags(connection, clip, wanted - known)


def _put_event(connection: sqlite3.Connection, clip: Clip) -> None:
    event = clip.event()
    connection.execute("INSERT INTO events (id, content) VALUES (?, ?)", (event.id, event.model_dump_json()))


def _remove(connection: sqlite3.Connection, clip: Clip) -> bool:
    own = {"id": clip.id, "revision": clip.revision, "events": json.dumps(clip.event_ids)}
    removed = connection.execute(
        "DELETE FROM clips WHERE id = :id AND revision = :revision AND settled_at IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM events WHERE id IN (SELECT value FROM json_each(:events)) AND announced_at IS NULL)",
        own,
    ).rowcount
    if removed:
        connection.execute("DELETE FROM events WHERE id IN (SELECT value FROM json_each(:events))", own)
        _remove_marks(connection, clip)
    return bool(removed)


def _remove_marks(connection: sqlite3.Connection, clip: Clip) -> None:
    for name, marks in _marks(clip).items():
        connection.executemany(
            f"DELETE FROM {_MARKS[name]} WHERE {name} = ? AND created_at = ? AND id = ?",  # noqa: S608 - constants
            [(mark, to_micros(clip.created_at), clip.id) for mark in marks],
        )


_MARKS = {"tag": "clip_tags", "recording": "clip_recordings", "camera": "clip_cameras"}
"""What clips can be found by, each with its table."""


def _marks(clip: Clip) -> dict[str, set[str]]:
    """Return what the clip can be found by, for each table."""
    return {
        "tag": set(clip.tags),
        "recording": {each.recording for each in clip.request.ranges},
        "camera": {each.camera for each in clip.request.spans},
    }


def _listing(query: ClipQuery, after: tuple[int, str] | None) -> tuple[str, dict[str, Any]]:
    """Return a statement that reads the narrowest table in the order of the listing, and stops when it has enough.

    With several states, each is read on its own, so that the index of states gives the order.
    """
    marks = [name for name in _MARKS if getattr(query, name) is not None]
    source = f"{_MARKS[marks[0]]} AS mark CROSS JOIN clips USING (id)" if marks else "clips AS mark"
    clips = "clips" if marks else "mark"
    conditions = [f"mark.{name} = :{name}" for name in marks[:1]]
    conditions += [
        f"EXISTS (SELECT 1 FROM {_MARKS[name]} AS cut WHERE cut.{name} = :{name}"  # noqa: S608 - constants
        " AND cut.created_at = mark.created_at AND cut.id = mark.id)"
        for name in marks[1:]
    ]
    words = {f"word_{number}": word for number, word in enumerate(search_words(query.text))}
    conditions += [f"instr({clips}.words, :{name})" for name in words]
    if query.tenant is not None:
        conditions.append(f"{clips}.tenant = :tenant")
    if not query.deleted:
        conditions.append(f"{clips}.deleted = 0")
    if query.created_from is not None:
        conditions.append("mark.created_at >= :created_from")
    if query.created_before is not None:
        conditions.append("mark.created_at < :created_before")
    if after is not None:
        conditions.append("(mark.created_at, mark.id) < (:after_created_at, :after_id)")
    states = {f"state_{number}": state.value for number, state in enumerate(dict.fromkeys(query.states))}
    statements = []
    for state in states or [None]:
        own = [*conditions, *([] if state is None else [f"state = :{state}"])]
        where = f"WHERE {' AND '.join(own)}" if own else ""
        statements.append(
            f"SELECT mark.created_at AS at, mark.id AS id, content FROM {source} {where}"  # noqa: S608 - constants
            " ORDER BY mark.created_at DESC, mark.id DESC LIMIT :limit"
        )
    statement = statements[0]
    if len(statements) > 1:
        together = " UNION ALL ".join(f"SELECT * FROM ({each})" for each in statements)  # noqa: S608 - constants
        statement = f"SELECT at, id, content FROM ({together}) ORDER BY at DESC, id DESC LIMIT :limit"  # noqa: S608
    after_created_at, after_id = after or (0, "")
    return statement, {
        **{name: getattr(query, name) for name in _MARKS},
        **states,
        **words,
        "tenant": query.tenant,
        "created_from": micros_or_none(query.created_from),
        "created_before": micros_or_none(query.created_before),
        "after_created_at": after_created_at,
        "after_id": after_id,
    }
