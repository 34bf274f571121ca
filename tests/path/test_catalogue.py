"""How recordings enter the catalogue: by events in any order, or by hand. All real but the looking into them."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.path.yard import NORTH, TEN, Yard, news

from cutback.arrivals import enter_recording
from cutback.catalogue import STILL_WRITTEN, register
from cutback.errors import MediaUnreadableError, PlaceUnknownError
from cutback.scan import Scanned, Scanner
from cutback.store_event import StoreEvent


def created(key: str = NORTH, sequencer: str = "01", etag: str = "", **more: Any) -> StoreEvent:
    return StoreEvent("created", "", key, sequencer, datetime.now(UTC), etag, **more)


def removed(key: str = NORTH, sequencer: str = "02") -> StoreEvent:
    return StoreEvent("removed", "", key, sequencer, datetime.now(UTC))


# --- registering -----------------------------------------------------------------------------------


def test_a_recording_enters_with_all_that_is_known_of_it(yard: Yard) -> None:
    etag = yard.put()
    done = register(yard.services, NORTH)
    recording = yard.found()
    assert ("entered", recording) == (done.what, done.recording)
    assert ("north", TEN, 600, etag) == (recording.camera, recording.start, recording.duration, recording.etag)
    assert (
        (recording.width, recording.height), recording.codecs, recording.frame_rate,
    ) == ((1920, 1080), ("h264", "aac"), 30)  # fmt: skip
    assert recording.index == ((0, recording.size),)
    assert not recording.growing


def test_registering_warms_the_cache_with_the_index(yard: Yard) -> None:
    etag = yard.put()
    register(yard.services, NORTH)
    assert yard.services.cache.get(f"index:{NORTH}:{etag}:0:10") is not None


def test_a_second_time_changes_nothing_and_looks_at_nothing(yard: Yard) -> None:
    yard.put()
    register(yard.services, NORTH)
    assert register(yard.services, NORTH).what == "known"
    assert yard.prober.probed == 1


def test_what_is_said_by_hand_counts_most(yard: Yard) -> None:
    yard.put("sea.mp4")
    with pytest.raises(PlaceUnknownError):
        register(yard.services, "sea.mp4")
    assert yard.prober.probed == 0, "without a camera there is nothing to look for"
    register(yard.services, "sea.mp4", camera="west", start=TEN)
    assert (yard.found("sea.mp4").camera, yard.found("sea.mp4").start) == ("west", TEN)
    assert register(yard.services, "sea.mp4", camera="east", start=TEN).what == "renewed"
    assert news(yard.services, created("sea.mp4", etag=yard.found("sea.mp4").etag)) is None
    assert yard.found("sea.mp4").camera == "east"


def test_contradictions_are_kept_with_the_recording(yard: Yard) -> None:
    yard.put(created="2026-11-23T10:05:00Z")
    register(yard.services, NORTH)
    assert "the container says 2026-11-23 10:05" in yard.found().conflicts[0]


def test_a_recording_that_is_gone_is_taken_out(yard: Yard) -> None:
    yard.put()
    register(yard.services, NORTH)
    (yard.folder / NORTH).unlink()
    assert register(yard.services, NORTH).what == "gone"
    assert yard.get() is None
    yard.put()
    assert register(yard.services, NORTH).what == "entered", "and enters again when it comes back"


def test_a_file_that_changed_just_now_is_still_being_written(yard: Yard) -> None:
    yard.put(age=1, duration=5)
    register(yard.services, NORTH)
    assert yard.found().growing
    yard.put(age=1, duration=10)
    assert register(yard.services, NORTH).what == "renewed"
    assert yard.found().duration == 10
    yard.world.pass_time(STILL_WRITTEN.total_seconds())
    assert register(yard.services, NORTH).what == "renewed"
    assert not yard.found().growing
    assert yard.prober.probed == 2


def test_a_recording_that_is_replaced_while_it_is_looked_at_is_left_to_its_own_event(yard: Yard) -> None:
    event = created(etag=yard.put())
    yard.prober.meanwhile = lambda: yard.put(duration=700, age=1000)
    assert news(yard.services, event) is None
    assert yard.keys() == []
    yard.prober.meanwhile = lambda: yard.put(duration=800, age=900)
    assert Scanned(seen=1, later=[NORTH]) == Scanner(yard.services, enter_recording).scan()
    yard.prober.meanwhile = lambda: None
    assert Scanned(seen=1, entered=[NORTH]) == Scanner(yard.services, enter_recording).scan()


def test_a_recording_that_vanishes_while_it_is_looked_at_is_gone(yard: Yard) -> None:
    yard.put()
    yard.prober.meanwhile = (yard.folder / NORTH).unlink
    assert register(yard.services, NORTH).what == "gone"
    assert yard.keys() == []


@pytest.mark.parametrize(
    ("said", "growing"),
    [({"open_ended": True}, True), ({"open_ended": False}, False), ({"open_ended": False, "truncated": True}, True)],
)
def test_a_file_that_says_that_it_is_finished_does_not_grow(yard: Yard, said: dict[str, Any], growing: bool) -> None:  # noqa: FBT001
    yard.put(age=1, **said)
    register(yard.services, NORTH)
    assert growing == yard.found().growing


# --- events ----------------------------------------------------------------------------------------


def test_an_arrival_is_news_once(yard: Yard) -> None:
    event = created(etag=yard.put().strip('"'))
    assert [news(yard.services, event) for _ in range(3)] == [yard.found(), None, None]
    assert yard.prober.probed == 1
    assert yard.found().sequencer == "01"
    assert news(yard.services, event, again=True) == yard.found()


def test_an_arrival_of_what_has_gone_meanwhile_changes_nothing(yard: Yard) -> None:
    assert news(yard.services, created()) is None
    assert yard.keys() == []


def test_a_version_that_was_replaced_meanwhile_is_left_to_its_own_event(yard: Yard) -> None:
    etag = yard.put()
    assert news(yard.services, created(etag="another", sequencer="01")) is None
    assert yard.keys() == []
    assert news(yard.services, created(etag=etag, sequencer="02")) == yard.found()


def test_a_removal_takes_the_recording_out(yard: Yard) -> None:
    etag = yard.put()
    news(yard.services, created(etag=etag, sequencer="01"))
    assert news(yard.services, removed(sequencer="02")) is None
    assert yard.get() is None


def test_a_removal_without_a_sequencer_counts_only_if_the_object_is_gone(yard: Yard) -> None:
    yard.put()
    register(yard.services, NORTH)
    news(yard.services, removed(sequencer=""))
    assert yard.get() is not None
    (yard.folder / NORTH).unlink()
    news(yard.services, removed(sequencer=""))
    assert yard.get() is None


@pytest.mark.parametrize("key", ["north.20261123T100000.jpg", "a//b.txt", "index.m3u8"])
def test_objects_that_are_no_recordings_are_passed_over(yard: Yard, key: str) -> None:
    assert news(yard.services, created(key)) is None


def test_events_of_another_bucket_are_passed_over(yard: Yard) -> None:
    yard.put()
    event = dataclasses.replace(created(), bucket="elsewhere")
    assert news(yard.services, event) is None
    assert yard.keys() == []


def test_what_cannot_be_read_is_a_named_fault(yard: Yard) -> None:
    yard.write(NORTH, "no video")
    with pytest.raises(MediaUnreadableError):
        news(yard.services, created())


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_and_repeated_events_end_in_what_the_store_holds(yard: Yard, seed: int) -> None:
    """Every key's life in the store is over; its events come in any order, some of them twice."""
    dice = random.Random(seed)
    events, expected = [], {}
    for number in range(6):
        key = f"north.2026112{number}T100000.mp4"
        for version in range(dice.randrange(1, 4)):
            etag = yard.put(key, duration=60 * (version + 1), age=3600 - version)
            events.append(created(key, f"{version:02}A", etag.strip('"')))
            expected[key] = 60 * (version + 1)
        if dice.random() < 0.4:
            (yard.folder / key).unlink()
            events.append(removed(key, f"{version:02}C"))
            del expected[key]
    events += dice.choices(events, k=len(events))
    dice.shuffle(events)
    for event in events:
        news(yard.services, event)
    listed = yard.services.catalogue.list_recordings().recordings
    assert expected == {each.key: each.duration for each in listed}
    assert len(expected) == sum(camera.recordings for camera in yard.services.catalogue.cameras())
