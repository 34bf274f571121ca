"""MongoCatalogue: the catalogue contract over a real connection, and what only this one promises."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest
from tests.contract.catalogue_contract import CatalogueContract, Shelf
from tests.contract.mongo_fixtures import mongo_server, mongo_url

from cutback.adapters.catalogue_mongodb import MongoCatalogue
from cutback.adapters.mongodb import Mongo

__all__ = ["mongo_server", "mongo_url"]


def open_catalogue(url: str) -> MongoCatalogue:
    return MongoCatalogue(Mongo(url))


class MongoShelf(Shelf):
    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[MongoCatalogue] = []

    def open(self) -> MongoCatalogue:
        self.opened.append(open_catalogue(self.url))
        return self.opened[-1]

    def opener(self) -> Callable[[], MongoCatalogue]:
        return functools.partial(open_catalogue, self.url)


@pytest.fixture
def shelf(mongo_url: str) -> Iterator[MongoShelf]:
    shelf = MongoShelf(mongo_url)
    yield shelf
    for catalogue in shelf.opened:
        catalogue.close()


class TestMongoCatalogue(CatalogueContract):
    """All of the contract."""
