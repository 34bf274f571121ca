"""SqliteCatalogue: the catalogue contract, and what only this one promises."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.contract.catalogue_contract import CatalogueContract, CatalogueFactory, at, footage, keys
from tests.contract.manual_clock import ManualClock

from cutback.adapters.catalogue_rules import REMOVALS_KEPT
from cutback.adapters.sqlite.catalogue import SqliteCatalogue


class SqliteCatalogueFactory(CatalogueFactory):
    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.path = path
        self.clock = clock
        self.opened: list[SqliteCatalogue] = []

    def open(self) -> SqliteCatalogue:
        catalogue = SqliteCatalogue(self.path, clock=self.clock)
        self.opened.append(catalogue)
        return catalogue

    def opener(self) -> Callable[[], SqliteCatalogue]:
        return functools.partial(SqliteCatalogue, self.path)


@pytest.fixture
def factory(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteCatalogueFactory]:
    factory = SqliteCatalogueFactory(tmp_path / "cutback.sqlite", clock)
    yield factory
    for catalogue in factory.opened:
        catalogue.close()


class TestSqliteCatalogue(CatalogueContract):
    """All of the contract."""


def test_removals_are_not_remembered_for_ever(factory: SqliteCatalogueFactory, clock: ManualClock) -> None:
    catalogue = factory.open()
    catalogue.remove_recording("a", sequencer="2", at=clock.now)
    clock.now += REMOVALS_KEPT + timedelta(seconds=1)
    catalogue.remove_recording("b", sequencer="2", at=clock.now)
    with sqlite3.connect(factory.path) as other:
        assert other.execute("SELECT key FROM removed_recordings").fetchall() == [("b",)]
    other.close()


def test_a_day_long_recording_among_many_short_ones_does_not_slow_what_is_asked_all_the_time(
    factory: SqliteCatalogueFactory,
) -> None:
    """Counted in the machine's own steps: a scan of this many takes thousands of times more."""
    catalogue = factory.open()
    catalogue.put_recording(footage("long", start=0, length=86400))
    catalogue.put_recording(footage("short", start=0, length=4))
    with sqlite3.connect(factory.path) as other:
        other.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO recordings (key, camera, length_class, starts_at, ends_at, content)
            SELECT 'short' || i, camera, length_class, starts_at + i * 4000000, ends_at + i * 4000000, content
            FROM n, recordings WHERE key = 'short'
            """
        )
        other.execute("UPDATE camera_lengths SET recordings = 20001 WHERE recordings = 1 AND length_class < 30")
    other.close()
    steps = [0]
    with catalogue._database.reading() as connection:
        connection.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + 1), 100)
    assert len(catalogue.covering("north", at(40_000), at(40_060))) == 16
    assert keys(catalogue.neighbours("north", at(40_000), at(40_060))) == ["short", "short"]
    page = catalogue.list_recordings("north", start=at(40_000), end=at(50_000), limit=10)
    assert len(catalogue.list_recordings(start=at(40_000), limit=10, cursor=page.next_cursor).recordings) == 10
    assert [camera.recordings for camera in catalogue.cameras()] == [20002]
    assert [at(86400)] == [camera.last for camera in catalogue.cameras()]
    assert steps[0] < 30
