"""Old records are removed by setting, and nothing that is still to come makes their clips again by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.path.harness import PathHarness, request

from cutback.adapters.mongodb.records import MongoRecords
from cutback.adapters.sqlite.records import SqliteRecords
from cutback.domain.clips.clip import ClipState
from cutback.lifecycle import accept, housekeeping
from cutback.lifecycle.housekeeping import housekeep, prune

__all__ = ["mongo_server", "mongo_url"]

DAY = 86400


@pytest.fixture(params=["sqlite", "mongodb"])
def harness(make_harness: Callable[..., PathHarness], request: pytest.FixtureRequest) -> Iterator[PathHarness]:
    more = {"records_url": request.getfixturevalue("mongo_url")} if request.param == "mongodb" else {}
    made = make_harness(keep_records=90 * DAY, **more)
    kind = MongoRecords if more else SqliteRecords
    assert isinstance(made.services.records, kind)
    yield made
    made.services.close()


def make(harness: PathHarness, *names: str, **fields: Any) -> None:
    for name in names:
        harness.submit(id=name, **fields)
    harness.work()


def known(harness: PathHarness, *names: str) -> list[str]:
    return [name for name in names if harness.services.records.get_clip(name) is not None]


def test_old_clips_are_forgotten_with_their_events_and_can_be_requested_again(harness: PathHarness) -> None:
    make(harness, "old")
    harness.pass_time(89 * DAY)
    make(harness, "young")
    housekeep(harness.services)
    assert known(harness, "old", "young") == ["old", "young"]
    seen = harness.services.records.last_position()
    harness.pass_time(2 * DAY)
    housekeep(harness.services)
    assert known(harness, "old", "young") == ["young"]
    assert {event.subject for event in harness.events()} == {"young"}
    assert harness.services.records.events_after(seen) == []
    assert harness.services.records.events_after(0)[0][0] > 1, "a reader from the beginning goes on after the gap"
    assert harness.objects().count("old/1/clip.mp4") == 1, "its file is not touched"
    make(harness, "old")
    harness.pass_time(10)
    harness.work()
    clip = harness.clip("old")
    assert (clip.state, clip.attempt) == (ClipState.READY, 2), "the first attempt's folder has the old file"
    assert [name for name in harness.objects() if name.endswith("clip.mp4")] == ["old/2/clip.mp4", "young/1/clip.mp4"]
    new = [event for _, event in harness.services.records.events_after(seen)]
    assert [event.id for event in new] == [f"old.{number}" for number in range(1, clip.revision + 1)]
    assert harness.services.records.unannounced() == []


def test_only_settled_clips_are_forgotten(harness: PathHarness) -> None:
    make(harness, "expires", expires_in=200 * DAY)
    harness.submit(id="cancelled")
    accept.cancel(harness.services, "cancelled")
    harness.work()
    harness.submit(id="queued")
    harness.pass_time(100 * DAY)
    harness.services.queue.send(request(id="last").model_dump_json())
    housekeep(harness.services)
    assert known(harness, "expires", "cancelled", "queued") == ["expires", "cancelled", "queued"], "a message is old"
    harness.work()
    housekeep(harness.services)
    assert known(harness, "expires", "cancelled", "queued", "last") == ["expires", "queued", "last"]
    harness.pass_time(101 * DAY)
    housekeep(harness.services)
    assert harness.clip("expires").state is ClipState.EXPIRED
    harness.pass_time(91 * DAY)
    make(harness, "newest")
    housekeep(harness.services)
    assert known(harness, "expires", "last") == []


def test_a_message_that_is_delivered_late_does_not_make_a_clip_again(harness: PathHarness) -> None:
    make(harness, "wave")
    harness.services.queue.send(request(id="wave").model_dump_json())
    harness.pass_time(100 * DAY)
    assert prune(harness.services) == 0
    harness.work()
    assert len(harness.cutter.jobs) == 1
    make(harness, "newest")
    assert prune(harness.services) == 1


def test_the_record_of_a_clip_stays_as_long_as_a_dead_letter_requests_it(harness: PathHarness) -> None:
    harness.submit()
    (message,) = harness.services.queue.receive()
    accept.record(harness.services, request())
    assert harness.services.queue.move_to_dead_letters(message, "for a test")
    accept.cancel(harness.services, "wave")
    make(harness, "other")
    harness.pass_time(100 * DAY)
    make(harness, "newest")
    housekeep(harness.services)
    assert known(harness, "wave", "other") == ["wave"]
    assert accept.redrive(harness.services) == 1
    housekeep(harness.services)
    harness.work()
    assert harness.clip("wave").state is ClipState.CANCELLED
    housekeep(harness.services)
    assert known(harness, "wave") == []


def test_nothing_is_forgotten_with_more_dead_letters_than_are_read(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_MOST_LETTERS", 1)
    make(harness, "wave", "newest")
    harness.services.queue.send("not a request")
    harness.work()
    harness.pass_time(100 * DAY)
    assert prune(harness.services) == 0


def test_many_are_forgotten_a_page_a_round(harness: PathHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_PAGE", 2)
    make(harness, *(f"c{number}" for number in range(5)))
    harness.pass_time(100 * DAY)
    make(harness, "newest")
    assert [prune(harness.services) for _ in range(4)] == [2, 2, 1, 0]
    assert known(harness, "newest") == ["newest"]


def test_without_the_setting_records_are_kept_for_ever(make_harness: Callable[..., PathHarness]) -> None:
    harness = make_harness()
    make(harness, "wave")
    harness.pass_time(timedelta(days=3650).total_seconds())
    housekeep(harness.services)
    assert known(harness, "wave") == ["wave"]
