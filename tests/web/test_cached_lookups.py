"""With a shared cache, reading a clip again does not ask the records, and no reader sees an outdated clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.web.harness import WebHarness

from cutback.adapters.cache_memory import MemoryCache
from cutback.adapters.noted_records import NotedRecords
from cutback.domain.clips.clip import Clip

SHARED = "memcached://127.0.0.1:11211"


class CountingRecords(NotedRecords):
    """Counts how often a clip is read."""

    reads = 0

    def get_clip(self, clip_id: str) -> Clip | None:
        self.reads += 1
        return super().get_clip(clip_id)


@pytest.fixture
def records(web: WebHarness) -> CountingRecords:
    """Records that tell a cache which another node shares; the API of the harness uses both."""
    cache = MemoryCache()
    made = CountingRecords(web.services.records, cache)
    settings = web.settings.model_copy(update={"cache_url": SHARED})
    web.services = dataclasses.replace(web.services, records=made, cache=cache, settings=settings)
    web.serve(web.services)
    return made


def read(web: WebHarness) -> str:
    return str(web.get("/v1/clips/wave").json()["state"])


def test_a_clip_that_does_not_change_is_read_once(web: WebHarness, records: CountingRecords) -> None:
    web.submit()
    read(web)
    records.reads = 0
    assert [read(web) for _ in range(5)] == ["queued"] * 5
    assert records.reads == 0


@pytest.mark.usefixtures("records")
def test_every_change_is_seen_at_once(web: WebHarness) -> None:
    clip = web.submit()
    seen = [read(web)]

    def then(change: Callable[[], object]) -> None:
        assert change()
        seen.append(read(web))
        assert read(web) == seen[-1]

    claimed = clip.claimed(worker="w", now=web.now(), lease=timedelta(seconds=60))
    then(lambda: web.services.records.commit(claimed))
    progress = claimed.progress.model_copy(update={"fraction": 0.5})
    then(lambda: web.services.records.beat("wave", 1, lease_until=web.now(), progress=progress))
    assert web.get("/v1/clips/wave").json()["progress"]["fraction"] == 0.5
    then(lambda: web.client.post("/v1/clips/wave/cancel").is_success)
    then(lambda: web.client.patch("/v1/clips/wave", json={"title": "x"}, headers={"If-Match": "*"}).is_success)
    assert seen == ["queued", "processing", "processing", "cancelled", "cancelled"]
    assert web.get("/v1/clips/wave").json()["title"] == "x"


def test_a_reader_that_was_overtaken_by_a_change_leaves_nothing_outdated(
    web: WebHarness, records: CountingRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = web.submit()
    read(web)
    assert records.commit(clip.looked_for(now=web.now(), again_at=web.now()), announce=False)
    queued = web.clip("wave")
    with monkeypatch.context() as patched:
        original = CountingRecords.get_clip

        def overtaken(self: CountingRecords, clip_id: str) -> Clip | None:
            found = original(self, clip_id)
            patched.undo()
            assert records.commit(queued.cancelled(now=web.now(), sweep_at=web.now()))
            return found

        patched.setattr(CountingRecords, "get_clip", overtaken)
        assert read(web) == "queued"
    assert read(web) == "cancelled"


def test_a_change_that_the_cache_did_not_hear_of_is_seen_after_seconds(
    web: WebHarness, records: CountingRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = web.submit()
    read(web)
    read(web)
    monkeypatch.setattr(MemoryCache, "bump", lambda *_: None)
    assert records.commit(clip.cancelled(now=web.now(), sweep_at=web.now()))
    assert read(web) == "queued"
    web.pass_time(6)
    assert read(web) == "cancelled"
