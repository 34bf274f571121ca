"""SqliteRecords: the records contract, and what only this one promises."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.contract.manual_clock import ManualClock
from tests.contract.records_contract import T0, RecordsContract, RecordsFactory, a_clip, claimed, finished, put

from cutback.adapters.sqlite.records import SqliteRecords, _columns
from cutback.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS
from cutback.domain.clips.clip import ClipState
from cutback.ports import ClipQuery


class SqliteRecordsFactory(RecordsFactory):
    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.path = path
        self.clock = clock
        self.opened: list[SqliteRecords] = []

    def open(self) -> SqliteRecords:
        records = SqliteRecords(self.path, clock=self.clock)
        self.opened.append(records)
        return records

    def opener(self) -> Callable[[], SqliteRecords]:
        return functools.partial(SqliteRecords, self.path)


@pytest.fixture
def factory(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteRecordsFactory]:
    factory = SqliteRecordsFactory(tmp_path / "cutback.sqlite", clock)
    yield factory
    for records in factory.opened:
        records.close()


class TestSqliteRecords(RecordsContract):
    """All of the contract."""


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(factory: SqliteRecordsFactory, limit: int) -> None:
    records = factory.open()
    with pytest.raises(ValueError, match="limit"):
        records.list_clips(ClipQuery(), limit=limit)
    with pytest.raises(ValueError, match="limit"):
        records.due(T0, limit=limit)


def test_a_change_that_cannot_be_stored_whole_is_not_stored_at_all(factory: SqliteRecordsFactory) -> None:
    records = factory.open()
    clip = put(records, a_clip())
    with sqlite3.connect(factory.path) as other:
        other.execute("INSERT INTO events (id, content) VALUES ('wave.2', '{}')")
    other.close()
    with pytest.raises(sqlite3.IntegrityError):
        records.commit(claimed(clip))
    assert clip == records.get_clip("wave")


def test_many_finished_clips_do_not_slow_what_is_asked_all_the_time(factory: SqliteRecordsFactory) -> None:
    """Counted in the machine's own steps: a scan of this many takes thousands of times more."""
    records = factory.open()
    clip = a_clip("c0", tags=["x"], expires_in=3600)
    put(records, clip, claimed(clip), finished(claimed(clip)))
    with sqlite3.connect(factory.path) as other:
        other.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO clips (id, state, created_at, revision, attempt, expires_at, content)
            SELECT 'c' || i, state, created_at + i, 3, 1, CASE WHEN i % 2 THEN expires_at + i END, content
            FROM n, clips
            """
        )
        other.execute("INSERT INTO clip_tags SELECT 'x', created_at, id FROM clips WHERE id != 'c0'")
        other.execute("INSERT INTO clip_recordings SELECT 'sea.mp4', created_at, id FROM clips WHERE id != 'c0'")
        other.execute("INSERT INTO events (id, content, announced_at) SELECT id || '.9', '{}', 0 FROM clips")
    other.close()
    steps = [0]
    with records._database.reading() as connection:
        connection.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + 1), 100)
    begin = T0 + timedelta(microseconds=10_000)
    page = records.list_clips(ClipQuery(), limit=3)
    assert page.next_cursor is not None
    for query in (
        ClipQuery(),
        ClipQuery(states=(ClipState.READY,)),
        ClipQuery(states=(ClipState.FAILED, ClipState.READY)),
        ClipQuery(tag="x"),
        ClipQuery(recording="sea.mp4"),
        ClipQuery((ClipState.READY,), "x", "sea.mp4", T0, begin),
    ):
        assert len(records.list_clips(query, limit=3, cursor=page.next_cursor).clips) == 3
    assert records.due(T0) == []
    assert len(records.due(T0 + timedelta(days=1), limit=2)) == 2
    assert len(records.unannounced()) == 3
    assert records.settled_before(T0 + timedelta(days=1)) == []
    assert records.remove_clips([finished(claimed(clip))]) == 0
    assert records.last_position() == 20004
    assert records.put_clip(a_clip("another"))
    assert steps[0] < 150


def test_clips_of_a_database_from_before_are_settled_at_their_last_change(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "old.sqlite"
    before = next(number for number, steps in enumerate(MIGRATIONS) if "settled_at" in steps[0])
    ready = finished(claimed(a_clip("ready")), at=T0 + timedelta(microseconds=5))
    swept = finished(claimed(a_clip("swept")), sweep_at=T0)
    expires = finished(claimed(a_clip("expires", expires_in=60)))
    with contextlib.closing(sqlite3.connect(path)) as old:
        for step in itertools.chain.from_iterable(MIGRATIONS[:before]):
            old.execute(step)
        old.execute(f"PRAGMA user_version = {before}")
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for clip in (ready, swept, expires, a_clip("queued")):
            columns = {name: value for name, value in _columns(clip).items() if name != "settled_at"}
            marks = ", ".join("?" * len(columns))
            old.execute(f"INSERT INTO clips ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))
        old.commit()
    with contextlib.closing(SqliteRecords(path, clock=clock)) as records:
        assert records.settled_before(T0 + timedelta(microseconds=5)) == []
        assert records.settled_before(T0 + timedelta(microseconds=6)) == [ready]
        assert records.settled_before(T0 + timedelta(days=1)) == [ready]
