"""The Queue on SQLite: works like SQS, in a file, for several processes on one machine."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from cutback.adapters.ordering import from_micros, to_micros
from cutback.adapters.sqlite.database import PATIENCE, Database
from cutback.domain.base import utc_now
from cutback.domain.errors import QueueUnavailableError
from cutback.ports import DeadLetter, Message, QueueDepth

MAX_DELAY = timedelta(minutes=15)
MAX_VISIBILITY = timedelta(hours=12)
MAX_BATCH = 10

_ZERO = timedelta()
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.1
_MOVED_AT_ONCE = 500


class SqliteQueue:
    """Implements Queue. The file may contain any number of named queues, and records as well.

    Every method raises `QueueUnavailableError` if the file cannot be used and `StorageFullError` if it cannot grow;
    arguments outside the port's limits raise `ValueError`.
    """

    def __init__(
        self,
        path: Path | str,
        name: str = "requests",
        *,
        visibility: timedelta = timedelta(seconds=60),
        max_receives: int = 8,
        clock: Callable[[], datetime] = utc_now,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Open the file.

        `visibility` is how long a received message stays hidden. After `max_receives` deliveries, the next one moves
        it to the dead letters instead. `patience` is how long to wait for a lock of another process.

        Raises:
            SettingsError: the file is from a newer version, or it is not a database of Cutback.
        """
        _check("visibility", visibility, MAX_VISIBILITY)
        if max_receives < 1:
            raise ValueError("max_receives must be 1 or more")
        self._name = name
        self._visibility = visibility
        self._max_receives = max_receives
        self._clock = clock
        self._database = Database(path, unavailable=QueueUnavailableError, patience=patience)
        self._news = threading.Condition()
        self._news_count = 0

    def check(self) -> None:
        """Nothing to check: the tables exist since the file was opened."""

    def close(self) -> None:
        """Close idle connections."""
        self._database.close()

    # --- messages --------------------------------------------------------------------------------

    def send(self, body: str, *, delay: timedelta = _ZERO) -> str:
        """Send a message; it is durable on return. Returns its id. `delay` is at most 15 minutes."""
        _check("delay", delay, MAX_DELAY)
        (message_id,) = self._put([body], delay)
        return message_id

    def send_all(self, bodies: Iterable[str]) -> list[str]:
        """Send messages, in this order; they are durable on return. Returns their ids.

        They are written in batches, so that no other process waits long for the lock. After an error, some are sent.
        """
        ids: list[str] = []
        left = iter(bodies)
        while some := list(islice(left, _MOVED_AT_ONCE)):
            ids += self._put(some)
        return ids

    def receive(self, *, limit: int = 1, wait: timedelta = _ZERO, visibility: timedelta | None = None) -> list[Message]:
        """Receive up to `limit` (1-10) messages, the longest visible first, waiting up to `wait` for the first one."""
        if not 1 <= limit <= MAX_BATCH:
            raise ValueError(f"limit must be 1 to {MAX_BATCH}")
        hidden = self._visibility if visibility is None else visibility
        _check("visibility", hidden, MAX_VISIBILITY)
        deadline = time.monotonic() + wait.total_seconds()
        pause = _FIRST_PAUSE
        while True:
            seen = self._news_count
            if messages := self._take(limit, hidden):
                return messages
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            # Other processes cannot wake this one, and neither can delays that end: hence the short pauses.
            told = self._news_since(seen, min(pause, left))
            pause = _FIRST_PAUSE if told else min(pause * 1.5, _LONGEST_PAUSE)

    def extend(self, message: Message, visibility: timedelta) -> bool:
        """Hide the message for `visibility` (0 to 12 hours) from now; False if the receipt is stale."""
        _check("visibility", visibility, MAX_VISIBILITY)
        with self._database.writing() as connection:
            changed = connection.execute(
                "UPDATE messages SET visible_at = ? WHERE id = ? AND queue = ? AND receipt = ?",
                (to_micros(self._clock() + visibility), message.id, self._name, message.receipt),
            ).rowcount
        if changed and not visibility:
            self._tell()
        return bool(changed)

    def delete(self, message: Message) -> bool:
        """Delete the message. Returns False, and changes nothing, if the receipt is stale."""
        with self._database.writing() as connection:
            deleted = connection.execute(
                "DELETE FROM messages WHERE id = ? AND queue = ? AND receipt = ?",
                (message.id, self._name, message.receipt),
            ).rowcount
        return bool(deleted)

    # --- dead letters ----------------------------------------------------------------------------

    def move_to_dead_letters(self, message: Message, reason: str) -> bool:
        """Move the message to the dead letters now. Returns False if the receipt is stale."""
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT seq FROM messages WHERE id = ? AND queue = ? AND receipt = ?",
                (message.id, self._name, message.receipt),
            ).fetchone()
            if row is not None:
                _move_to_dead_letters(connection, row[0], reason, self._clock())
        return row is not None

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters, newest first."""
        if limit < 1:
            raise ValueError("limit must be 1 or more")
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, body, receive_count, reason, died_at FROM dead_letters WHERE queue = ?"
                " ORDER BY seq DESC LIMIT ?",
                (self._name, limit),
            ).fetchall()
        return [
            DeadLetter(message_id, body, receive_count, reason, from_micros(died_at))
            for message_id, body, receive_count, reason, died_at in rows
        ]

    def redrive(self, ids: Iterable[str] | None = None) -> int:
        """Send dead letters (None: all) back to the queue, with a receive count of 0. Returns how many.

        The oldest are sent first, in batches, so that no other process waits long for the lock. After an error, some
        have been sent.
        """
        count = 0
        for seqs in self._all_dead() if ids is None else self._dead_of(list(dict.fromkeys(ids))):
            count += self._bring_back(seqs)
            self._tell()
        return count

    def depth(self) -> QueueDepth:
        """Return how many messages there are, by kind, at one moment."""
        with self._database.reading() as connection:
            now = to_micros(self._clock())
            visible, in_flight, delayed, dead = connection.execute(
                """
                SELECT (SELECT COUNT(*) FROM messages WHERE queue = :queue AND visible_at <= :now),
                       (SELECT COUNT(*) FROM messages
                         WHERE queue = :queue AND visible_at > :now AND receive_count > 0),
                       (SELECT COUNT(*) FROM messages
                         WHERE queue = :queue AND visible_at > :now AND receive_count = 0),
                       (SELECT COUNT(*) FROM dead_letters WHERE queue = :queue)
                """,
                {"queue": self._name, "now": now},
            ).fetchone()
        return QueueDepth(visible=visible, in_flight=in_flight, delayed=delayed, dead=dead)

    def nothing_sent_before(self) -> datetime:
        """Return when the oldest message was sent; now if there is none. Reads all messages."""
        with self._database.reading() as connection:
            now = self._clock()
            (oldest,) = connection.execute(
                "SELECT MIN(sent_at) FROM messages WHERE queue = ?", (self._name,)
            ).fetchone()
        return now if oldest is None else from_micros(oldest)

    # --- internal --------------------------------------------------------------------------------

    def _put(self, bodies: Sequence[str], delay: timedelta = _ZERO) -> list[str]:
        ids = [secrets.token_hex(16) for _ in bodies]
        with self._database.writing() as connection:
            now = self._clock()
            sent_at, visible_at = to_micros(now), to_micros(now + delay)
            connection.executemany(
                "INSERT INTO messages (id, queue, sent_at, visible_at, body) VALUES (?, ?, ?, ?, ?)",
                [(one, self._name, sent_at, visible_at, body) for one, body in zip(ids, bodies, strict=True)],
            )
        self._tell()
        return ids

    def _take(self, limit: int, visibility: timedelta) -> list[Message]:
        while True:
            # Reading first leaves the write lock to others while there are no messages.
            with self._database.reading() as connection:
                if not self._visible(connection, 1):
                    return []
            with self._database.writing() as connection:
                found = self._visible(connection, limit)
                messages = [message for row in found if (message := self._deliver(connection, row, visibility))]
            if messages or not found:
                return messages

    def _visible(self, connection: sqlite3.Connection, limit: int) -> Sequence[tuple[int, int]]:
        return connection.execute(
            "SELECT seq, receive_count FROM messages WHERE queue = ? AND visible_at <= ?"
            " ORDER BY visible_at, seq LIMIT ?",
            (self._name, to_micros(self._clock()), limit),
        ).fetchall()

    def _deliver(self, connection: sqlite3.Connection, row: tuple[int, int], visibility: timedelta) -> Message | None:
        seq, receive_count = row
        if receive_count >= self._max_receives:
            reason = f"It was received {receive_count} times, but no worker finished it."
            _move_to_dead_letters(connection, seq, reason, self._clock())
            return None
        receipt = secrets.token_hex(16)
        hidden_until = to_micros(self._clock() + visibility)
        connection.execute(
            "UPDATE messages SET receive_count = receive_count + 1, receipt = ?, visible_at = ? WHERE seq = ?",
            (receipt, hidden_until, seq),
        )
        message_id, sent_at, body = connection.execute(
            "SELECT id, sent_at, body FROM messages WHERE seq = ?", (seq,)
        ).fetchone()
        return Message(message_id, receipt, body, receive_count + 1, from_micros(sent_at))

    def _all_dead(self) -> Iterator[list[int]]:
        with self._database.reading() as connection:
            (newest,) = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM dead_letters").fetchone()
        last = 0
        # Up to the newest: a message that becomes a dead letter again meanwhile is not sent back twice.
        while seqs := self._seqs("queue = ? AND seq > ? AND seq <= ?", last, newest):
            yield seqs
            last = seqs[-1]

    def _dead_of(self, ids: list[str]) -> Iterator[list[int]]:
        # The + prevents SQLite from reading all of the queue's dead letters instead of looking up the ids.
        by_id = "+queue = ? AND id IN (SELECT value FROM json_each(?))"
        for start in range(0, len(ids), _MOVED_AT_ONCE):
            some = json.dumps(ids[start : start + _MOVED_AT_ONCE])
            if seqs := self._seqs(by_id, some):
                yield seqs

    def _seqs(self, condition: str, *values: object) -> list[int]:
        statement = (
            f"SELECT seq FROM dead_letters WHERE {condition}"  # noqa: S608 - constants
            f" ORDER BY seq LIMIT {_MOVED_AT_ONCE}"
        )
        with self._database.reading() as connection:
            return [seq for (seq,) in connection.execute(statement, (self._name, *values))]

    def _bring_back(self, seqs: list[int]) -> int:
        chosen = json.dumps(seqs)
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO messages (id, queue, sent_at, visible_at, body)"
                " SELECT id, queue, sent_at, ?, body FROM dead_letters"
                " WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq",
                (to_micros(self._clock()), chosen),
            )
            return connection.execute(
                "DELETE FROM dead_letters WHERE seq IN (SELECT value FROM json_each(?))", (chosen,)
            ).rowcount

    def _news_since(self, seen: int, timeout: float) -> bool:
        with self._news:
            return self._news.wait_for(lambda: self._news_count != seen, timeout)

    def _tell(self) -> None:
        with self._news:
            self._news_count += 1
            self._news.notify_all()


def _move_to_dead_letters(connection: sqlite3.Connection, seq: int, reason: str, now: datetime) -> None:
    connection.execute(
        "INSERT INTO dead_letters (id, queue, sent_at, died_at, receive_count, reason, body)"
        " SELECT id, queue, sent_at, ?, receive_count, ?, body FROM messages WHERE seq = ?",
        (to_micros(now), reason, seq),
    )
    connection.execute("DELETE FROM messages WHERE seq = ?", (seq,))


def _check(name: str, value: timedelta, most: timedelta) -> None:
    if not _ZERO <= value <= most:
        raise ValueError(f"{name} must be from 0 to {most}")
