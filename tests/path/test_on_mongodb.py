"""The path with its records in MongoDB and its indexes in memcached: everything else is unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.path.harness import PathHarness, request
from tests.support.memcached import Memcached
from tests.support.mongo_proxy import between
from tests.support.mongo_server import MongoServer

from cutback.adapters.cache_memcached import MemcachedCache
from cutback.adapters.mongodb.records import MongoRecords
from cutback.domain.clips.clip import ClipState
from cutback.lifecycle import accept
from cutback.lifecycle.housekeeping import housekeep

__all__ = ["mongo_server", "mongo_url"]


@pytest.fixture
def memcached() -> Iterator[Memcached]:
    node = Memcached()
    yield node
    node.kill()


@pytest.fixture
def harness(make_harness: Callable[..., PathHarness], mongo_url: str, memcached: Memcached) -> Iterator[PathHarness]:
    host, port = memcached.node
    harness = make_harness(records_url=mongo_url, cache_url=f"memcached://{host}:{port}")
    yield harness
    harness.services.close()


def test_a_request_becomes_a_clip(harness: PathHarness) -> None:
    records = harness.services.records
    assert isinstance(records, MongoRecords)
    assert isinstance(harness.services.cache, MemcachedCache)
    harness.submit()
    harness.work()
    assert harness.clip("wave").state is ClipState.READY
    assert harness.types() == ["queued", "processing", "ready"]
    assert harness.services.records.unannounced() == []


@pytest.mark.parametrize("stage", ["received", "resolved", "rendered", "stored", "committed"])
def test_a_worker_that_dies_at_any_stage_leaves_its_clip_to_another(harness: PathHarness, stage: str) -> None:
    harness.submit()
    harness.die_at(stage)
    harness.pass_time(11)
    another = harness.another()
    harness.work(another)
    housekeep(another)
    assert harness.clip("wave").state is ClipState.READY
    assert harness.types().count("ready") == 1
    assert harness.services.records.unannounced() == []
    another.close()


def test_the_same_request_from_many_doors_is_one_clip(harness: PathHarness) -> None:
    another = harness.another()
    for _ in range(3):
        for services in (harness.services, another):
            accept.submit(services, request())
            harness.work(services)
    assert harness.objects() == ["wave/1/clip.mp4"]
    assert harness.types() == ["queued", "processing", "ready"]
    another.close()


def test_everything_works_without_its_cache(harness: PathHarness, memcached: Memcached) -> None:
    memcached.kill()
    harness.submit()
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


def test_the_scaling_page_says_how_many_operations_a_clip_takes(
    make_harness: Callable[..., PathHarness], mongo_server: MongoServer | None
) -> None:
    """A free Atlas cluster takes 100 a second: how many clips that is follows from this number."""
    assert mongo_server is not None
    with between(mongo_server.port) as proxy:
        harness = make_harness(records_url=mongo_server.url(proxy.port))
        before = len(proxy.seen)
        harness.submit()
        harness.work()
        assert harness.services.records.unannounced() == []
        asked = proxy.seen[before:-1]  # without the question whether all is announced
        harness.services.close()
    page = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"A clip takes (\d+) operations", page)
    assert len(asked) == int(said)
