"""One SQLite file for queues and records: connections, transactions, schema, and the translation of errors."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cutback.adapters.sqlite.file_system import network_file_system
from cutback.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS
from cutback.domain.errors import CutbackError, SettingsError, StorageFullError, SurroundingsError

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=10)
"""How long to wait for another process's lock before the database counts as unavailable."""

_IDLE_AT_MOST = 8
_WAL_BYTES_KEPT = 64 * 1024 * 1024
_TOO_LITTLE_ROOM = 256 * 1024
_PRIMARY_CODE = 0xFF
_BUGS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.NotSupportedError)

_MEANINGS = {
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_LOCKED: "another program has locked it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; it must be a file in a folder to which this user may write",
    sqlite3.SQLITE_READONLY: "this user may not write to it, or the file system is read-only",
    sqlite3.SQLITE_PERM: "this user may not open it",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "the file was overwritten and is no longer a database; restore a backup",
    sqlite3.SQLITE_IOERR: "the disk reported an error",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
    sqlite3.SQLITE_PROTOCOL: "another program has locked it",
}
"""The problem, by SQLite's primary result code."""

_Identity = tuple[int, int]


class Database:
    """The database file, for any number of threads; other processes may have it open as well.

    Each transaction has its own connection; idle ones are kept. A forked process must not use it.
    """

    def __init__(
        self, path: Path | str, *, unavailable: type[SurroundingsError], patience: timedelta = PATIENCE
    ) -> None:
        """Open the file; create it and upgrade its schema if necessary.

        `unavailable` is raised if the file cannot be used, which includes being locked for `patience`.

        Raises:
            SettingsError: the file is from a newer version, is not a database of Cutback or is on a network.
            SurroundingsError: it cannot be opened, or the disk is full.
        """
        self._path = Path(path)
        self._unavailable = unavailable
        self._patience = patience.total_seconds()
        self._lock = threading.Lock()
        self._idle: list[tuple[_Identity, sqlite3.Connection]] = []
        self._opened: _Identity | None = None
        kind = network_file_system(self._path)
        if kind is not None:
            raise SettingsError(
                f"\n- CUTBACK_DATABASE: {self._path} is on a network file system ({kind}), where SQLite loses data; "
                "choose a local disk"
            )
        self._finalize = weakref.finalize(self, _close_all, self._lock, self._idle)
        with self.reading():
            pass  # report problems at the start, not at first use

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections. Later use opens new ones."""
        _close_all(self._lock, self._idle)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Provide a connection for reads; each statement sees the newest commit.

        Raises:
            SurroundingsError: the database does not answer.
        """
        with self._translating():
            identity, connection = self._take()
            try:
                yield connection
            except sqlite3.Error:
                connection.close()  # it may be in any state
                raise
            except BaseException:
                self._give_back(identity, connection)
                raise
            self._give_back(identity, connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Provide a transaction: either all of it is durable when the block ends, or nothing changes.

        Raises:
            SurroundingsError: the database does not answer, or the disk is full.
        """
        with self.reading() as connection:
            # Immediate: a lock that is requested later, after a read, may fail without waiting.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
                self._check_kept()
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _check_kept(self) -> None:
        """What was committed to a file that has no name any more is lost."""
        if _identity(self._path) != self._opened:
            log.error("database=%s deleted_or_replaced=yes", self._path)
            raise self._unavailable(f"{self._path}: it was deleted or replaced while it was being written.")

    def _check_there(self, identity: _Identity | None) -> None:
        if self._opened is None or identity == self._opened:
            return
        if identity is None:
            log.error("database=%s deleted=yes", self._path)
            raise self._unavailable(
                f"{self._path}: it was deleted while in use. Restore it, or restart Cutback to begin with an empty one."
            )
        log.error("database=%s replaced=yes", self._path)
        self._opened = identity

    def _take(self) -> tuple[_Identity, sqlite3.Connection]:
        identity = _identity(self._path)
        self._check_there(identity)
        while True:
            with self._lock:
                if not self._idle:
                    break
                known, connection = self._idle.pop()
            if known == identity:
                return known, connection
            connection.close()  # the file was removed or replaced: writes would be lost
        connection = self._open()
        opened = _identity(self._path) or (0, 0)
        self._opened = self._opened or opened
        return opened, connection

    def _give_back(self, identity: _Identity, connection: sqlite3.Connection) -> None:
        with self._lock:
            if len(self._idle) < _IDLE_AT_MOST:
                self._idle.append((identity, connection))
                return
        connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None, check_same_thread=False)
        try:
            _check_owner(connection, self._path)
            self._use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")
            _migrate(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                # Changing the mode needs exclusive access, and SQLite does not wait for it.
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                if mode != "wal":
                    raise self._unavailable(
                        f"{self._path}: SQLite cannot keep a write-ahead log there; choose a local disk."
                    )
                return

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except _BUGS:
            raise
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def _translated(self, error: sqlite3.DatabaseError) -> CutbackError:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _no_room(self._path.parent)):
            return StorageFullError(f"The database {self._path} cannot grow.")
        log.debug("%s: %s", self._path, error)
        return self._unavailable(f"{self._path}: {_MEANINGS.get(code, f'SQLite reports error {code}')}.")


def _close_all(lock: threading.Lock, idle: list[tuple[_Identity, sqlite3.Connection]]) -> None:
    with lock:
        connections = [connection for _, connection in idle]
        idle.clear()
    for connection in connections:
        connection.close()


def _identity(path: Path) -> _Identity | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - called for every transaction; a Path makes it slower
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _no_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _TOO_LITTLE_ROOM
    except OSError:
        return False


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Check, before anything is written, that the file is empty or a database of this version or an older one."""
    try:
        version = _pragma(connection, "user_version")
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        foreign = _pragma(connection, "application_id") != APPLICATION_ID and (version or tables)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_NOTADB:
            raise
        foreign = True
    if foreign:
        raise SettingsError(
            f"\n- CUTBACK_DATABASE: {path} is not a database of Cutback; choose another file or a new one"
        )
    if version > len(MIGRATIONS):
        raise SettingsError(
            f"\n- CUTBACK_DATABASE: {path} was made by a newer version of Cutback (schema {version}; this "
            f"version knows up to {len(MIGRATIONS)}); upgrade Cutback, or choose another file"
        )


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "user_version") == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _check_owner(connection, path)  # another process may have been first
        for statements in MIGRATIONS[_pragma(connection, "user_version") :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
