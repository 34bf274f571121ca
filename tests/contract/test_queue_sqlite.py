"""SqliteQueue: the queue contract, and what only this one promises."""

from __future__ import annotations

import copy
import functools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract.manual_clock import ManualClock
from tests.contract.queue_contract import QueueContract, QueueFactory, take
from tests.support.waiting import Stopwatch

from cutback.adapters.sqlite.queue import SqliteQueue


class SqliteQueueFactory(QueueFactory):
    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.path = path
        self.clock = clock
        self.opened: list[SqliteQueue] = []

    def open(self, name: str = "requests", *, visibility: float = 60, max_receives: int = 8) -> SqliteQueue:
        queue = SqliteQueue(
            self.path,
            name,
            visibility=timedelta(seconds=visibility),
            max_receives=max_receives,
            clock=self.clock,
        )
        self.opened.append(queue)
        return queue

    def opener(self) -> Callable[[], SqliteQueue]:
        return functools.partial(SqliteQueue, self.path, clock=copy.copy(self.clock))

    def now(self) -> datetime:
        return self.clock()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)


@pytest.fixture
def queues(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteQueueFactory]:
    queues = SqliteQueueFactory(tmp_path / "cutback.sqlite", clock)
    yield queues
    for queue in queues.opened:
        queue.close()


class TestSqliteQueue(QueueContract):
    """All of the contract."""


def test_the_queue_named_nothing_else_is_requests(queues: SqliteQueueFactory) -> None:
    SqliteQueue(queues.path, clock=queues.clock).send("one")
    assert take(queues.open("requests")).body == "one"


@pytest.mark.parametrize(
    "wrong", [{"max_receives": 0}, {"visibility": timedelta(hours=13)}, {"visibility": timedelta(-1)}]
)
def test_a_queue_that_cannot_work_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SqliteQueue(tmp_path / "q.sqlite", **wrong)


def test_redrive_takes_more_than_one_round_for_many_and_keeps_their_order(queues: SqliteQueueFactory) -> None:
    queue = queues.open()
    _fill(queues.path, dead=1_201, waiting=0)
    assert queue.redrive() == 1_201
    received = [message.body for _ in range(3) for message in queue.receive(limit=10)]
    assert [str(number) for number in range(30)] == received
    ids = [f"dead-{number}" for number in range(1_201)]
    assert queue.redrive(ids) == 0


def test_an_idle_queue_writes_nothing(queues: SqliteQueueFactory) -> None:
    queue = queues.open()
    queue.send("later", delay=timedelta(minutes=1))
    with sqlite3.connect(queues.path) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()
        assert queue.receive(wait=timedelta(seconds=0.05)) == []
        assert before == watcher.execute("PRAGMA data_version").fetchone()
    watcher.close()


def test_many_waiting_and_dead_messages_do_not_slow_a_delivery(queues: SqliteQueueFactory) -> None:
    """Counted in the machine's own steps: a scan of this many takes thousands of times more."""
    queue = queues.open()
    _fill(queues.path, dead=20_000, waiting=20_000)
    steps = [0]
    with queue._database.reading() as connection:
        connection.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + 1), 100)
    watch = Stopwatch()
    message = take(queue)
    assert queue.extend(message, timedelta())
    assert queue.move_to_dead_letters(message, "enough")
    assert len(queue.dead_letters(limit=1)) == 1
    assert queue.redrive([message.id]) == 1
    assert steps[0] < 50
    assert watch.seconds() < 5


def _fill(path: Path, *, dead: int, waiting: int) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            "INSERT INTO dead_letters (id, queue, sent_at, died_at, receive_count, reason, body)"
            " VALUES (?, 'requests', 0, 0, 1, 'enough', ?)",
            ((f"dead-{number}", str(number)) for number in range(dead)),
        )
        connection.executemany(
            "INSERT INTO messages (id, queue, sent_at, visible_at, body) VALUES (?, 'requests', 0, ?, '')",
            ((f"waiting-{number}", number) for number in range(waiting)),
        )
    connection.close()
