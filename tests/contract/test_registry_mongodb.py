"""MongoRegistry: the registry contract over a real connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.contract.registry_contract import RegistryContract, RegistryFactory

from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.registry import MongoRegistry

__all__ = ["mongo_server", "mongo_url"]


class MongoRegistryFactory(RegistryFactory):
    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[MongoRegistry] = []

    def open(self) -> MongoRegistry:
        self.opened.append(MongoRegistry(Mongo(self.url)))
        return self.opened[-1]


@pytest.fixture
def factory(mongo_url: str) -> Iterator[MongoRegistryFactory]:
    factory = MongoRegistryFactory(mongo_url)
    yield factory
    for registry in factory.opened:
        registry.close()


class TestMongoRegistry(RegistryContract):
    """All of the contract."""
