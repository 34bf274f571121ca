"""The database file of queue and records: created once, shared by all, refused if foreign, with clear errors."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.contract.racing import in_processes, in_threads
from tests.contract.records_contract import a_clip, claimed
from tests.support.waiting import PATIENCE

from cutback.adapters.ordering import from_micros, to_micros
from cutback.adapters.sqlite.database import Database
from cutback.adapters.sqlite.file_system import network_type
from cutback.adapters.sqlite.queue import SqliteQueue
from cutback.adapters.sqlite.records import SqliteRecords
from cutback.domain.base import utc_now
from cutback.domain.clips.clip import Progress
from cutback.domain.errors import (
    CutbackError,
    QueueUnavailableError,
    RecordsUnavailableError,
    SettingsError,
    StorageFullError,
)
from cutback.ports import ClipQuery, Message

IMPATIENT = timedelta(seconds=0.05)
NOW = datetime.fromisoformat("2026-03-29T01:00:00Z")
MESSAGE = Message("id", "receipt", "body", 1, NOW)

QUEUE_WRITES: list[Callable[[SqliteQueue], object]] = [
    lambda queue: queue.send("body"),
    lambda queue: queue.receive(),
    lambda queue: queue.extend(MESSAGE, timedelta()),
    lambda queue: queue.delete(MESSAGE),
    lambda queue: queue.move_to_dead_letters(MESSAGE, "reason"),
    lambda queue: queue.redrive(),
]
QUEUE_READS: list[Callable[[SqliteQueue], object]] = [
    lambda queue: queue.dead_letters(),
    lambda queue: queue.depth(),
]
RECORDS_WRITES: list[Callable[[SqliteRecords], object]] = [
    lambda records: records.put_clip(a_clip()),
    lambda records: records.commit(claimed(a_clip())),
    lambda records: records.beat("wave", 1, lease_until=NOW, progress=Progress()),
    lambda records: records.mark_announced(["wave.1"]),
]
RECORDS_READS: list[Callable[[SqliteRecords], object]] = [
    lambda records: records.get_clip("wave"),
    lambda records: records.list_clips(ClipQuery()),
    lambda records: records.due(NOW),
    lambda records: records.unannounced(),
    lambda records: records.events_after(0),
    lambda records: records.last_position(),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cutback.sqlite"


@pytest.fixture
def queue(path: Path) -> Iterator[SqliteQueue]:
    with closing(SqliteQueue(path, patience=IMPATIENT)) as queue:
        yield queue


@pytest.fixture
def records(path: Path) -> Iterator[SqliteRecords]:
    with closing(SqliteRecords(path, patience=IMPATIENT)) as records:
        yield records


@contextmanager
def other_program(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def pragma(path: Path, name: str) -> Any:
    with other_program(path) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def open_and_use(path: Path) -> str:
    records = SqliteRecords(path)
    queue = SqliteQueue(path, "webhooks")
    queue.send("hello")
    records.put_clip(a_clip())
    return str(records.get_clip("wave"))


def _open_numbered(path: Path, _number: int) -> str:
    return open_and_use(path)


# --- opening ---------------------------------------------------------------------------------------


def test_ten_processes_starting_at_once_on_an_empty_folder_all_succeed(path: Path) -> None:
    assert len(in_processes(open_and_use, [path] * 10)) == 10
    with closing(SqliteQueue(path, "webhooks")) as queue, closing(SqliteRecords(path)) as records:
        assert queue.depth().visible == 10
        assert records.last_position() == 1
    assert pragma(path, "integrity_check") == "ok"


def test_many_threads_starting_at_once_on_an_empty_folder_all_succeed(tmp_path: Path) -> None:
    for turn in range(10):
        path = tmp_path / f"{turn}.sqlite"
        assert len(in_threads(8, partial(_open_numbered, path))) == 8


def test_the_file_is_made_for_sharing_and_survival(path: Path) -> None:
    database = Database(path, unavailable=QueueUnavailableError)
    with database, database.reading() as connection:
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 10_000}


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    open_and_use(path)


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    open_and_use(path)
    version = pragma(path, "user_version")
    with other_program(path) as other:
        other.execute(f"PRAGMA user_version = {version + 1}")
    for port in (SqliteQueue, SqliteRecords):
        with pytest.raises(SettingsError, match="made by a newer version of Cutback") as caught:
            port(path)
        assert str(path) in str(caught.value)
    assert version + 1 == pragma(path, "user_version")


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    with other_program(path) as other:
        other.execute("CREATE TABLE clips (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="not a database of Cutback"):
        SqliteRecords(path)
    assert before == path.read_bytes()


@pytest.mark.parametrize("content", [b"hello, I am a text file\n" * 100, b"\x00" * 5000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="not a database of Cutback"):
        SqliteQueue(path)
    assert content == path.read_bytes()


def test_a_folder_that_is_not_there_makes_the_database_unavailable(path: Path) -> None:
    with pytest.raises(QueueUnavailableError, match="cannot be opened"):
        SqliteQueue(path / "nowhere")
    with pytest.raises(RecordsUnavailableError, match="cannot be opened"):
        SqliteRecords(path / "nowhere")


def test_a_file_that_was_removed_is_named_and_nothing_is_written_into_the_void(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(SqliteQueue(path)) as queue:
        queue.send("lost with the file")
        for part in path.parent.iterdir():
            part.unlink()
        for _ in range(2):
            with pytest.raises(QueueUnavailableError, match="deleted while in use"):
                queue.send("refused")
        assert not path.exists()
    assert "deleted=yes" in caplog.text
    with closing(SqliteQueue(path)) as queue:
        queue.send("kept")
        assert [message.body for message in queue.receive(limit=10)] == ["kept"]


def test_a_message_is_not_accepted_if_the_file_goes_while_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqliteQueue(path)) as queue:

        def clock() -> datetime:
            for part in path.parent.iterdir():
                part.unlink()
            return utc_now()

        monkeypatch.setattr(queue, "_clock", clock)
        with pytest.raises(QueueUnavailableError, match="deleted"):
            queue.send("lost")


def test_a_file_that_was_overwritten_is_named(path: Path) -> None:
    with closing(SqliteQueue(path)) as queue:
        queue.send("lost with the file")
        queue.close()
        for part in path.parent.iterdir():
            part.write_bytes(b"not a database any more " * 1000)
        with pytest.raises((QueueUnavailableError, SettingsError), match="database"):
            queue.send("refused")


MOUNTS = """\
22 1 0:20 / / rw - ext4 /dev/sda rw
30 22 0:40 / /srv/shared rw - nfs4 server:/export rw
31 30 0:41 / /srv/shared/local\\040disk rw - xfs /dev/sdb rw
32 22 0:42 / /bucket rw - fuse.s3fs s3fs rw
33 22 0:43 / /twice rw - cifs //server/x rw
34 22 0:44 / /twice rw - ext4 /dev/sdc rw
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/cutback.db", None),
        ("/srv/shared/cutback.db", "nfs4"),
        ("/srv/shared/local disk/cutback.db", None),
        ("/srv/sharedness/cutback.db", None),
        ("/bucket/cutback.db", "fuse.s3fs"),
        ("/twice/cutback.db", None),
    ],
)
def test_a_network_file_system_is_recognised(place: str, kind: str | None) -> None:
    assert network_type(MOUNTS, Path(place)) == kind


def test_a_database_on_a_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutback.adapters.sqlite.database.network_file_system", lambda _: "nfs4")
    with pytest.raises(SettingsError, match="network file system"):
        SqliteQueue(path)
    assert not path.exists()


# --- trouble ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", QUEUE_WRITES)
def test_a_locked_database_makes_the_queue_unavailable_until_it_is_free(
    path: Path, queue: SqliteQueue, work: Callable[[SqliteQueue], object]
) -> None:
    queue.send("so that there is something to receive")
    message_id = queue.send("and to redrive")
    for message in queue.receive(limit=2, visibility=timedelta()):
        if message.id == message_id:
            queue.move_to_dead_letters(message, "enough")
    with other_program(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueUnavailableError, match="locked"):
            work(queue)
        for read in QUEUE_READS:
            read(queue)
        other.execute("ROLLBACK")
    work(queue)


@pytest.mark.parametrize("work", RECORDS_WRITES)
def test_a_locked_database_makes_the_records_unavailable_until_it_is_free(
    path: Path, records: SqliteRecords, work: Callable[[SqliteRecords], object]
) -> None:
    with other_program(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordsUnavailableError, match="locked"):
            work(records)
        for read in RECORDS_READS:
            read(records)
        other.execute("ROLLBACK")
    work(records)


def test_a_short_lock_is_waited_for(path: Path) -> None:
    with closing(SqliteQueue(path)) as queue, other_program(path) as other:
        other.execute("BEGIN IMMEDIATE")
        sending = threading.Thread(target=queue.send, args=["patience"])
        sending.start()
        assert queue.depth().visible == 0
        other.execute("ROLLBACK")
        sending.join(PATIENCE)
        assert queue.depth().visible == 1


def test_a_full_disk_is_named_and_nothing_is_half_stored(path: Path, queue: SqliteQueue) -> None:
    kept = queue.send("kept")
    with queue._database.reading() as connection:  # the next to use it gets the same connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(StorageFullError, match="no space"):
        queue.send("x" * 100_000)
    assert [kept] == [message.id for message in queue.receive(limit=10)]
    queue.send("x" * 100_000)
    assert pragma(path, "integrity_check") == "ok"


@pytest.mark.parametrize(
    ("code", "free", "expected"),
    [
        (sqlite3.SQLITE_FULL, 10**9, StorageFullError),
        (sqlite3.SQLITE_IOERR_WRITE, 0, StorageFullError),
        (sqlite3.SQLITE_IOERR_SHMSIZE, 0, StorageFullError),
        (sqlite3.SQLITE_IOERR_WRITE, 10**9, RecordsUnavailableError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, 0, RecordsUnavailableError),
        (sqlite3.SQLITE_READONLY, 10**9, RecordsUnavailableError),
        (sqlite3.SQLITE_CORRUPT, 10**9, RecordsUnavailableError),
    ],
)
def test_sqlites_errors_become_ours(
    records: SqliteRecords,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    free: int,
    expected: type[CutbackError],
) -> None:
    usage = shutil.disk_usage(".")._replace(free=free)
    monkeypatch.setattr("cutback.adapters.sqlite.database.shutil.disk_usage", lambda _: usage)
    error = sqlite3.OperationalError("in the words of SQLite")
    error.sqlite_errorcode = code
    with pytest.raises(CutbackError) as caught, records._database.writing():
        raise error
    assert expected is type(caught.value)
    assert caught.value.__cause__ is error


def test_a_damaged_database_is_unavailable(path: Path) -> None:
    with closing(SqliteQueue(path)) as queue:
        queue.send("x" * 100_000)
    content = bytearray(path.read_bytes())
    body = content.index(b"x" * 4000) // 4096 * 4096
    content[body:] = b"\xa5" * (len(content) - body)
    path.write_bytes(content)
    with pytest.raises(QueueUnavailableError, match="damaged"), closing(SqliteQueue(path)) as queue:
        queue.receive()


def test_a_transaction_that_breaks_off_leaves_nothing(path: Path) -> None:
    with Database(path, unavailable=QueueUnavailableError) as database:
        with pytest.raises(KeyboardInterrupt):
            _break_off(database)
        with database.writing() as connection:
            assert connection.execute("SELECT * FROM events").fetchall() == []


def _break_off(database: Database) -> None:
    with database.writing() as connection:
        connection.execute("INSERT INTO events (id, content) VALUES ('half', '')")
        raise KeyboardInterrupt


def test_an_error_of_our_own_making_is_not_blamed_on_the_surroundings(path: Path) -> None:
    with Database(path, unavailable=QueueUnavailableError) as database:
        with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
            connection.execute("INSERT INTO events (id, content) VALUES (NULL, '')")
        with pytest.raises(sqlite3.ProgrammingError), database.reading() as connection:
            connection.execute("SELECT ?", ())


# --- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["1969-12-31T23:59:59.999999Z", "2026-03-29T02:59:59.000001+02:00", "9999-12-31T00:00:00.123457Z"]
)
def test_moments_are_kept_to_the_microsecond(text: str) -> None:
    moment = datetime.fromisoformat(text)
    assert moment == from_micros(to_micros(moment))
