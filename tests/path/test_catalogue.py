"""How recordings enter the catalogue: by events in any order, or by hand. Everything is real except the probe."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from tests.path.text_recordings import NORTH, TEN, TextRecordings, news

from cutback.catalogue.register import STILL_WRITTEN, register
from cutback.catalogue.scan import Scanned, Scanner
from cutback.domain.cameras.store_event import StoreEvent
from cutback.domain.errors import MediaUnreadableError, PlaceUnknownError
from cutback.lifecycle.arrivals import enter_recordings


def created(key: str = NORTH, sequencer: str = "01", etag: str = "", **more: Any) -> StoreEvent:
    return StoreEvent("created", "", key, sequencer, datetime.now(UTC), etag, **more)


def removed(key: str = NORTH, sequencer: str = "02") -> StoreEvent:
    return StoreEvent("removed", "", key, sequencer, datetime.now(UTC))


# --- registering -----------------------------------------------------------------------------------


def test_a_recording_enters_with_all_that_is_known_of_it(text_recordings: TextRecordings) -> None:
    etag = text_recordings.put()
    done = register(text_recordings.services, NORTH)
    recording = text_recordings.found()
    assert ("entered", recording) == (done.what, done.recording)
    assert ("north", TEN, Fraction(600), etag) == (
        recording.camera,
        recording.start,
        recording.duration,
        recording.etag,
    )
    assert (
        (recording.width, recording.height), recording.codecs, recording.frame_rate,
    ) == ((1920, 1080), ("h264", "aac"), Fraction(30))  # fmt: skip
    assert recording.index == ((0, recording.size),)
    assert not recording.growing


def test_registering_warms_the_cache_with_the_index(text_recordings: TextRecordings) -> None:
    etag = text_recordings.put()
    register(text_recordings.services, NORTH)
    assert text_recordings.services.cache.get(f"index:{NORTH}:{etag}:0:10") is not None


def test_a_second_time_changes_nothing_and_looks_at_nothing(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    register(text_recordings.services, NORTH)
    assert register(text_recordings.services, NORTH).what == "known"
    assert text_recordings.prober.probed == 1


def test_registration_by_hand_takes_precedence(text_recordings: TextRecordings) -> None:
    text_recordings.put("sea.mp4")
    with pytest.raises(PlaceUnknownError):
        register(text_recordings.services, "sea.mp4")
    assert text_recordings.prober.probed == 0, "without a camera there is nothing to look for"
    register(text_recordings.services, "sea.mp4", camera="west", start=TEN)
    assert (text_recordings.found("sea.mp4").camera, text_recordings.found("sea.mp4").start) == ("west", TEN)
    assert register(text_recordings.services, "sea.mp4", camera="east", start=TEN).what == "renewed"
    assert news(text_recordings.services, created("sea.mp4", etag=text_recordings.found("sea.mp4").etag)) is None
    assert text_recordings.found("sea.mp4").camera == "east"


def test_contradictions_are_kept_with_the_recording(text_recordings: TextRecordings) -> None:
    text_recordings.put(created="2026-11-23T10:05:00Z")
    register(text_recordings.services, NORTH)
    assert "the container says 2026-11-23 10:05" in text_recordings.found().conflicts[0]


def test_a_missing_recording_is_removed_from_the_catalogue(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    text_recordings.put("south.20261123T100000.mp4")
    register(text_recordings.services, NORTH)
    (text_recordings.folder / NORTH).unlink()
    assert register(text_recordings.services, NORTH).what == "gone"
    assert text_recordings.get() is None
    text_recordings.put()
    assert register(text_recordings.services, NORTH).what == "entered", "and enters again when it comes back"


def test_a_file_that_changed_just_now_is_still_being_written(text_recordings: TextRecordings) -> None:
    text_recordings.put(age=1, duration=5)
    register(text_recordings.services, NORTH)
    assert text_recordings.found().growing
    text_recordings.put(age=1, duration=10)
    assert register(text_recordings.services, NORTH).what == "renewed"
    assert text_recordings.found().duration == 10
    text_recordings.harness.pass_time(STILL_WRITTEN.total_seconds())
    assert register(text_recordings.services, NORTH).what == "renewed"
    assert not text_recordings.found().growing
    assert text_recordings.prober.probed == 2


def test_a_recording_that_is_replaced_while_it_is_looked_at_is_left_to_its_own_event(
    text_recordings: TextRecordings,
) -> None:
    event = created(etag=text_recordings.put())
    text_recordings.prober.meanwhile = lambda: text_recordings.put(duration=700, age=1000)
    assert news(text_recordings.services, event) is None
    assert text_recordings.keys() == []
    text_recordings.prober.meanwhile = lambda: text_recordings.put(duration=800, age=900)
    assert Scanned(seen=1, later=[NORTH]) == Scanner(text_recordings.services, enter_recordings).scan()
    text_recordings.prober.meanwhile = lambda: None
    assert Scanned(seen=1, entered=[NORTH]) == Scanner(text_recordings.services, enter_recordings).scan()


def test_a_recording_that_vanishes_while_it_is_looked_at_is_gone(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    text_recordings.prober.meanwhile = (text_recordings.folder / NORTH).unlink
    assert register(text_recordings.services, NORTH).what == "gone"
    assert text_recordings.keys() == []


@pytest.mark.parametrize(
    ("said", "growing"),
    [({"open_ended": True}, True), ({"open_ended": False}, False), ({"open_ended": False, "truncated": True}, True)],
)
def test_a_file_that_says_that_it_is_finished_does_not_grow(
    text_recordings: TextRecordings,
    said: dict[str, Any],
    growing: bool,  # noqa: FBT001
) -> None:
    text_recordings.put(age=1, **said)
    register(text_recordings.services, NORTH)
    assert growing == text_recordings.found().growing


# --- events ----------------------------------------------------------------------------------------


def test_an_arrival_is_news_once(text_recordings: TextRecordings) -> None:
    event = created(etag=text_recordings.put().strip('"'))
    assert [news(text_recordings.services, event) for _ in range(3)] == [text_recordings.found(), None, None]
    assert text_recordings.prober.probed == 1
    assert text_recordings.found().sequencer == "01"
    assert news(text_recordings.services, event, again=True) == text_recordings.found()


def test_an_arrival_of_what_has_gone_meanwhile_changes_nothing(text_recordings: TextRecordings) -> None:
    assert news(text_recordings.services, created()) is None
    assert text_recordings.keys() == []


def test_a_version_that_was_replaced_meanwhile_is_left_to_its_own_event(text_recordings: TextRecordings) -> None:
    etag = text_recordings.put()
    assert news(text_recordings.services, created(etag="another", sequencer="01")) is None
    assert text_recordings.keys() == []
    assert news(text_recordings.services, created(etag=etag, sequencer="02")) == text_recordings.found()


def test_a_removal_takes_the_recording_out(text_recordings: TextRecordings) -> None:
    etag = text_recordings.put()
    news(text_recordings.services, created(etag=etag, sequencer="01"))
    (text_recordings.folder / NORTH).unlink()
    assert news(text_recordings.services, removed(sequencer="02")) is None
    assert text_recordings.get() is None


@pytest.mark.parametrize("sequencer", ["", "02"])
def test_a_removal_counts_only_if_the_object_is_gone(text_recordings: TextRecordings, sequencer: str) -> None:
    text_recordings.put()
    register(text_recordings.services, NORTH)
    assert news(text_recordings.services, removed(sequencer=sequencer)) is None
    assert text_recordings.get() is not None
    assert text_recordings.prober.probed == 1
    (text_recordings.folder / NORTH).unlink()
    news(text_recordings.services, removed(sequencer=sequencer))
    assert text_recordings.get() is None


@pytest.mark.parametrize("key", ["north.20261123T100000.jpg", "a//b.txt", "index.m3u8"])
def test_objects_that_are_not_recordings_are_ignored(text_recordings: TextRecordings, key: str) -> None:
    assert news(text_recordings.services, created(key)) is None


def test_events_of_another_bucket_are_ignored(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    event = dataclasses.replace(created(), bucket="elsewhere")
    assert news(text_recordings.services, event) is None
    assert text_recordings.keys() == []


def test_what_cannot_be_read_is_a_named_fault(text_recordings: TextRecordings) -> None:
    text_recordings.write(NORTH, "no video")
    with pytest.raises(MediaUnreadableError):
        news(text_recordings.services, created())


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_and_repeated_events_end_in_what_the_store_holds(text_recordings: TextRecordings, seed: int) -> None:
    """Every key's life in the store is over; its events come in any order, some of them twice."""
    dice = random.Random(seed)
    events, expected = [], {}
    for number in range(6):
        key = f"north.2026112{number}T100000.mp4"
        for version in range(dice.randrange(1, 4)):
            etag = text_recordings.put(key, duration=60 * (version + 1), age=3600 - version)
            events.append(created(key, f"{version:02}A", etag.strip('"')))
            expected[key] = 60 * (version + 1)
        if dice.random() < 0.4:
            (text_recordings.folder / key).unlink()
            events.append(removed(key, f"{version:02}C"))
            del expected[key]
    events += dice.choices(events, k=len(events))
    dice.shuffle(events)
    for event in events:
        news(text_recordings.services, event)
    listed = text_recordings.services.catalogue.list_recordings().recordings
    assert expected == {each.key: each.duration for each in listed}
    assert len(expected) == sum(camera.recordings for camera in text_recordings.services.catalogue.cameras())
