"""With a shared cache, reading a clip again does not ask the records, and no reader sees an outdated clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.support.memcached import Memcached
from tests.web.harness import WebHarness

from cutback.adapters.cache_memcached import MemcachedCache
from cutback.adapters.mongodb.records import MongoRecords
from cutback.domain.clips.clip import Clip

__all__ = ["mongo_server", "mongo_url"]


@pytest.fixture(scope="module")
def memcached() -> Iterator[Memcached]:
    node = Memcached()
    yield node
    node.kill()


@pytest.fixture
def web(make_web: Callable[..., WebHarness], mongo_url: str, memcached: Memcached) -> WebHarness:
    host, port = memcached.node
    return make_web(records_url=mongo_url, cache_url=f"memcached://{host}:{port}")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the clips that are read from the records."""
    found: list[str] = []
    original = MongoRecords.get_clip

    def noted(self: MongoRecords, clip_id: str) -> Clip | None:
        found.append(clip_id)
        return original(self, clip_id)

    monkeypatch.setattr(MongoRecords, "get_clip", noted)
    return found


def read(web: WebHarness) -> str:
    return str(web.get("/v1/clips/wave").json()["state"])


def test_a_clip_that_does_not_change_is_read_once(web: WebHarness, reads: list[str]) -> None:
    web.submit()
    read(web)
    reads.clear()
    assert [read(web) for _ in range(5)] == ["queued"] * 5
    assert reads == []


def test_records_on_this_machine_are_asked_themselves(
    make_web: Callable[..., WebHarness], memcached: Memcached, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = memcached.node
    web = make_web(cache_url=f"memcached://{host}:{port}")
    web.submit(id="local")
    asked: list[str] = []
    monkeypatch.setattr(MemcachedCache, "get", lambda _, key: asked.append(key))
    assert web.get("/v1/clips/local").json()["state"] == "queued"
    assert asked == []


def test_every_change_is_seen_at_once(web: WebHarness) -> None:
    clip = web.submit()
    seen = [read(web)]

    def then(change: Callable[[], object]) -> None:
        assert change()
        seen.append(read(web))
        assert read(web) == seen[-1]

    claimed = clip.claimed(worker="w", now=web.now(), lease=timedelta(seconds=60))
    then(lambda: web.services.records.commit(claimed))
    then(lambda: web.client.post("/v1/clips/wave/cancel").is_success)
    then(lambda: web.client.patch("/v1/clips/wave", json={"title": "x"}, headers={"If-Match": "*"}).is_success)
    assert seen == ["queued", "processing", "cancelled", "cancelled"]
    assert web.get("/v1/clips/wave").json()["title"] == "x"


def test_a_removed_clip_is_not_found_at_once(web: WebHarness) -> None:
    web.submit(id="first")
    web.submit(id="last")  # the clip of the newest event stays
    for name in ("first", "last"):
        assert web.client.post(f"/v1/clips/{name}/cancel").is_success
    assert web.get("/v1/clips/first").status_code == 200
    web.pass_time(10 * 24 * 3600)
    records = web.services.records
    records.mark_announced([event.id for event in records.unannounced()])
    [first] = [clip for clip in records.settled_before(web.now()) if clip.id == "first"]
    assert web.get("/v1/clips/first").status_code == 200
    assert records.remove_clips([first]) == 1
    assert web.get("/v1/clips/first").status_code == 404


def test_a_heartbeat_is_not_told_the_cache_and_its_progress_is_seen_after_seconds(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = web.submit().claimed(worker="w", now=web.now(), lease=timedelta(seconds=60))
    assert web.services.records.commit(claimed)
    read(web)
    read(web)
    bumped: list[str] = []
    monkeypatch.setattr(MemcachedCache, "bump", lambda _, counter: bumped.append(counter))
    progress = claimed.progress.model_copy(update={"fraction": 0.5})
    assert web.services.records.beat("wave", 1, lease_until=web.now(), progress=progress)
    assert bumped == []
    web.pass_time(6)
    assert web.get("/v1/clips/wave").json()["progress"]["fraction"] == 0.5


def test_a_reader_that_was_overtaken_by_a_change_leaves_nothing_outdated(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = web.submit()
    records = web.services.records
    read(web)
    assert records.commit(clip.looked_for(now=web.now(), again_at=web.now()), announce=False)
    queued = web.clip("wave")
    with monkeypatch.context() as patched:
        original = MongoRecords.get_clip

        def overtaken(self: MongoRecords, clip_id: str) -> Clip | None:
            found = original(self, clip_id)
            patched.undo()
            assert records.commit(queued.cancelled(now=web.now(), sweep_at=web.now()))
            return found

        patched.setattr(MongoRecords, "get_clip", overtaken)
        assert read(web) == "queued"
    assert read(web) == "cancelled"


def test_a_change_that_the_cache_did_not_hear_of_is_seen_after_seconds(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = web.submit()
    read(web)
    read(web)
    monkeypatch.setattr(MemcachedCache, "bump", lambda *_: None)
    assert web.services.records.commit(clip.cancelled(now=web.now(), sweep_at=web.now()))
    assert read(web) == "queued"
    web.pass_time(6)
    assert read(web) == "cancelled"
