"""MongoRecords: the records contract over a real connection, and what only this one promises."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest
from tests.contract.manual_clock import ManualClock
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.contract.records_contract import RecordsContract, RecordsFactory

from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.records import MongoRecords

__all__ = ["mongo_server", "mongo_url"]


def open_records(url: str) -> MongoRecords:
    return MongoRecords(Mongo(url))


class MongoRecordsFactory(RecordsFactory):
    def __init__(self, url: str, clock: ManualClock) -> None:
        self.url = url
        self.clock = clock
        self.opened: list[MongoRecords] = []

    def open(self) -> MongoRecords:
        records = MongoRecords(Mongo(self.url), clock=self.clock)
        self.opened.append(records)
        return records

    def opener(self) -> Callable[[], MongoRecords]:
        return functools.partial(open_records, self.url)


@pytest.fixture
def factory(mongo_url: str, clock: ManualClock) -> Iterator[MongoRecordsFactory]:
    factory = MongoRecordsFactory(mongo_url, clock)
    yield factory
    for records in factory.opened:
        records.close()


class TestMongoRecords(RecordsContract):
    """All of the contract."""
