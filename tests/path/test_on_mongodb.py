"""The path with its records in MongoDB and its indexes in memcached: everything else as ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.path.conftest import World, request
from tests.support.memcached import Memcached

from cutback import accept
from cutback.adapters.cache_memcached import MemcachedCache
from cutback.adapters.records_mongodb import MongoRecords
from cutback.clip import ClipState
from cutback.housekeeping import housekeep

__all__ = ["mongo_server", "mongo_url"]


@pytest.fixture
def memcached() -> Iterator[Memcached]:
    node = Memcached()
    yield node
    node.kill()


@pytest.fixture
def world(make_world: Callable[..., World], mongo_url: str, memcached: Memcached) -> Iterator[World]:
    host, port = memcached.node
    world = make_world(records_url=mongo_url, cache_url=f"memcached://{host}:{port}")
    yield world
    world.services.close()


def test_a_request_becomes_a_clip(world: World) -> None:
    assert isinstance(world.services.records, MongoRecords)
    assert isinstance(world.services.cache, MemcachedCache)
    world.submit()
    world.work()
    assert world.clip("wave").state is ClipState.READY
    assert world.types() == ["queued", "processing", "ready"]
    assert world.services.records.unannounced() == []


@pytest.mark.parametrize("stage", ["received", "resolved", "rendered", "stored", "committed"])
def test_a_worker_that_dies_at_any_stage_leaves_its_clip_to_another(world: World, stage: str) -> None:
    world.submit()
    world.die_at(stage)
    world.pass_time(11)
    another = world.another()
    world.work(another)
    housekeep(another)
    assert world.clip("wave").state is ClipState.READY
    assert world.types().count("ready") == 1
    assert world.services.records.unannounced() == []
    another.close()


def test_the_same_request_from_many_doors_is_one_clip(world: World) -> None:
    another = world.another()
    for _ in range(3):
        for services in (world.services, another):
            accept.submit(services, request())
            world.work(services)
    assert world.objects() == ["wave/1/clip.mp4"]
    assert world.types() == ["queued", "processing", "ready"]
    another.close()


def test_without_its_cache_everything_goes_on(world: World, memcached: Memcached) -> None:
    memcached.kill()
    world.submit()
    world.work()
    assert world.clip("wave").state is ClipState.READY
