"""What the suites on MongoDB share: a server for all of them, a database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.mongo_server import REAL, MongoServer, need_mongodb, real_url

_SERVER = pytest.StashKey[MongoServer]()


@pytest.fixture(scope="session")
def mongo_server(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> MongoServer | None:
    """None where a real MongoDB is used."""
    need_mongodb()
    if REAL:
        return None
    # Each module that imports this fixture has its own, even within a session: the server is kept beside them.
    if _SERVER not in pytestconfig.stash:
        server = MongoServer(tmp_path_factory.mktemp("mongodb"))
        pytestconfig.add_cleanup(server.kill)
        server.start()
        pytestconfig.stash[_SERVER] = server
    return pytestconfig.stash[_SERVER]


@pytest.fixture
def mongo_url(mongo_server: MongoServer | None) -> Iterator[str]:
    """Of an empty database."""
    if mongo_server is not None:
        yield mongo_server.url()
        return
    from pymongo import MongoClient

    url = real_url()
    yield url
    with MongoClient[dict[str, object]](url) as client:
        client.drop_database(client.get_default_database())
