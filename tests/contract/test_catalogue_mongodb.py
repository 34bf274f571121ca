"""MongoCatalogue: the catalogue contract over a real connection, and what only this one promises."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from tests.contract.catalogue_contract import CatalogueContract, CatalogueFactory, at, footage
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.contract.racing import in_threads

from cutback.adapters.catalogue_rules import REMOVALS_KEPT
from cutback.adapters.mongodb.catalogue import MongoCatalogue
from cutback.adapters.mongodb.client import Mongo
from cutback.domain.base import utc_now

__all__ = ["mongo_server", "mongo_url"]


def open_catalogue(url: str) -> MongoCatalogue:
    return MongoCatalogue(Mongo(url))


class MongoCatalogueFactory(CatalogueFactory):
    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[MongoCatalogue] = []

    def open(self) -> MongoCatalogue:
        self.opened.append(open_catalogue(self.url))
        return self.opened[-1]

    def opener(self) -> Callable[[], MongoCatalogue]:
        return functools.partial(open_catalogue, self.url)


@pytest.fixture
def factory(mongo_url: str) -> Iterator[MongoCatalogueFactory]:
    factory = MongoCatalogueFactory(mongo_url)
    yield factory
    for catalogue in factory.opened:
        catalogue.close()


class TestMongoCatalogue(CatalogueContract):
    """All of the contract."""


def test_removals_are_forgotten_by_the_database_itself_after_their_time(mongo_url: str) -> None:
    longer_ago = utc_now() - REMOVALS_KEPT - timedelta(seconds=1)
    with closing(MongoCatalogue(Mongo(mongo_url), clock=lambda: longer_ago)) as catalogue:
        catalogue.put_recording(footage())
        catalogue.remove_recording("a", sequencer="2", at=at(0))
        deadline = time.monotonic() + 150  # MongoDB looks once a minute
        while not catalogue.put_recording(footage(sequencer="1")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with closing(MongoCatalogue(Mongo(mongo_url))) as catalogue:
        catalogue.remove_recording("a", sequencer="2", at=at(0))
        assert not catalogue.put_recording(footage(sequencer="1"))
        assert catalogue.put_recording(footage(sequencer="3"))
        found = catalogue._recordings.find_one({"_id": "a"})
        assert found is not None
        assert "forgotten_at" not in found, "a recording is not forgotten"


def test_a_key_that_everybody_changes_at_once_ends_as_the_latest(mongo_url: str) -> None:
    def tell(number: int) -> None:
        with closing(MongoCatalogue(Mongo(mongo_url))) as catalogue:
            for step in range(number, 20, 4):
                if step % 3 == 1:
                    catalogue.remove_recording("a", sequencer=f"{step:02}", at=at(step))
                else:
                    catalogue.put_recording(footage(etag=f"{step}", sequencer=f"{step:02}", stored_at=at(step)))

    in_threads(4, tell)
    with closing(MongoCatalogue(Mongo(mongo_url))) as catalogue:
        assert catalogue.get_recording("a") is None, "number 19, a removal, was the last"
        assert not catalogue.put_recording(footage(etag="18", sequencer="18", stored_at=at(18)))
