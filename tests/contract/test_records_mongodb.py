"""MongoRecords: the records contract over a real connection, and what only this one promises."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import timedelta

import pymongo
import pytest
from tests.contract.manual_clock import ManualClock
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.contract.records_contract import T0, RecordsContract, RecordsFactory

from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.records import MongoRecords
from cutback.ports import ClipQuery

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


def test_clips_from_before_are_found_by_camera_and_removed(factory: MongoRecordsFactory) -> None:
    records = factory.open()
    old = RecordsContract.settled(records, "old")
    RecordsContract.settled(records, "newer")
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(factory.url)
    with client:
        database = client.get_default_database()
        database["clips"].update_one({"_id": "old"}, {"$unset": {"cameras": "", "settled_at": ""}})
        database["cutback"].delete_one({"_id": "clips-have-cameras-and-settled-at"})
    assert [clip.id for clip in records.list_clips(ClipQuery(camera="north")).clips] == ["newer"]
    upgraded = factory.open()
    assert [clip.id for clip in upgraded.list_clips(ClipQuery(camera="north")).clips] == ["old", "newer"]
    assert {clip.id for clip in upgraded.settled_before(T0 + timedelta(days=1))} == {"newer", "old"}
    assert upgraded.remove_clips([old]) == 1


def test_the_clip_of_the_newest_event_stays_until_there_is_a_newer_one(factory: MongoRecordsFactory) -> None:
    records = factory.open()
    newest = RecordsContract.settled(records, "newest")
    assert records.remove_clips([newest]) == 0
    RecordsContract.settled(records, "newer")
    assert records.remove_clips([newest]) == 1
