"""How recordings enter the catalogue: by events in any order, by scans, by hand. All real but the looking into them."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.path.conftest import World

from cutback.catalogue import STILL_WRITTEN, apply_event, register
from cutback.cutting.job import Limits, Source
from cutback.errors import MediaUnreadableError, PlaceUnknownError, RecordsUnavailableError, StorageUnavailableError
from cutback.recording import CameraRecording
from cutback.scan import Scanned, Scanner
from cutback.services import Services
from cutback.store_event import StoreEvent

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
NORTH = "north.20261123T100000.mp4"


class TextProber:
    """Takes a file's own words for what it is: a probe's JSON."""

    def __init__(self) -> None:
        self.probed = 0
        self.counting = threading.Lock()
        self.meanwhile: Callable[[], object] = lambda: None

    def probe(self, source: Source, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        with self.counting:
            self.probed += 1
        self.meanwhile()
        read_index = source.read_index  # type: ignore[attr-defined]
        try:
            said = json.loads(read_index(0, 10) + read_index(10, source.size - 10))
        except ValueError:
            raise MediaUnreadableError from None
        return {"tracks": [{"kind": "audio", "codec": "aac"}, VIDEO], **said}


VIDEO = {"kind": "video", "codec": "h264", "width": 1920, "height": 1080, "samples": 100, "duration": "3.333333333333"}


class Yard:
    """A folder of recordings that are text, and services to catalogue them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = world.settings.data / "recordings"
        (self.folder / "sea.mp4").unlink()
        self.prober = TextProber()
        self.services: Services = dataclasses.replace(world.services, prober=self.prober)

    def put(self, key: str = NORTH, *, age: float = 3600, duration: float = 600, **said: Any) -> str:
        """Write a recording; returns its etag."""
        return self.write(key, json.dumps({"duration": str(duration), **said}), age=age)

    def write(self, key: str, text: str, *, age: float = 3600) -> str:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written = (self.world.now() - timedelta(seconds=age)).timestamp()
        os.utime(path, (written, written))
        return self.services.sources.head(key).etag

    def get(self, key: str = NORTH) -> CameraRecording | None:
        return self.services.catalogue.get_recording(key)

    def found(self, key: str = NORTH) -> CameraRecording:
        recording = self.get(key)
        assert recording is not None
        return recording

    def keys(self) -> list[str]:
        return [each.key for each in self.services.catalogue.list_recordings().recordings]


@pytest.fixture
def yard(world: World) -> Yard:
    return Yard(world)


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
    assert apply_event(yard.services, created("sea.mp4", etag=yard.found("sea.mp4").etag)) is None
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
    assert apply_event(yard.services, event) is None
    assert yard.keys() == []
    yard.prober.meanwhile = lambda: yard.put(duration=800, age=900)
    assert Scanned(seen=1, later=[NORTH]) == Scanner(yard.services).scan()
    yard.prober.meanwhile = lambda: None
    assert Scanned(seen=1, entered=[NORTH]) == Scanner(yard.services).scan()


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
    assert [apply_event(yard.services, event) for _ in range(3)] == [yard.found(), None, None]
    assert yard.prober.probed == 1
    assert yard.found().sequencer == "01"
    assert apply_event(yard.services, event, again=True) == yard.found()


def test_an_arrival_of_what_has_gone_meanwhile_changes_nothing(yard: Yard) -> None:
    assert apply_event(yard.services, created()) is None
    assert yard.keys() == []


def test_a_version_that_was_replaced_meanwhile_is_left_to_its_own_event(yard: Yard) -> None:
    etag = yard.put()
    assert apply_event(yard.services, created(etag="another", sequencer="01")) is None
    assert yard.keys() == []
    assert apply_event(yard.services, created(etag=etag, sequencer="02")) == yard.found()


def test_a_removal_takes_the_recording_out(yard: Yard) -> None:
    etag = yard.put()
    apply_event(yard.services, created(etag=etag, sequencer="01"))
    assert apply_event(yard.services, removed(sequencer="02")) is None
    assert yard.get() is None


def test_a_removal_without_a_sequencer_counts_only_if_the_object_is_gone(yard: Yard) -> None:
    yard.put()
    register(yard.services, NORTH)
    apply_event(yard.services, removed(sequencer=""))
    assert yard.get() is not None
    (yard.folder / NORTH).unlink()
    apply_event(yard.services, removed(sequencer=""))
    assert yard.get() is None


@pytest.mark.parametrize("key", ["north.20261123T100000.jpg", "a//b.txt", "index.m3u8"])
def test_objects_that_are_no_recordings_are_passed_over(yard: Yard, key: str) -> None:
    assert apply_event(yard.services, created(key)) is None


def test_events_of_another_bucket_are_passed_over(yard: Yard) -> None:
    yard.put()
    event = dataclasses.replace(created(), bucket="elsewhere")
    assert apply_event(yard.services, event) is None
    assert yard.keys() == []


def test_what_cannot_be_read_is_a_named_fault(yard: Yard) -> None:
    yard.write(NORTH, "no video")
    with pytest.raises(MediaUnreadableError):
        apply_event(yard.services, created())


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
        apply_event(yard.services, event)
    listed = yard.services.catalogue.list_recordings().recordings
    assert expected == {each.key: each.duration for each in listed}
    assert len(expected) == sum(camera.recordings for camera in yard.services.catalogue.cameras())


# --- scans -----------------------------------------------------------------------------------------


def test_a_scan_finds_what_is_new_what_changed_and_what_is_gone(yard: Yard) -> None:
    other, third = "a/b/south.20261123T100000Z.mov", "west/2026/11/23/10/00/00.ts"
    for key in (NORTH, other, third):
        yard.put(key)
    (yard.folder / "poster.jpg").write_text("no recording")
    scanner = Scanner(yard.services)
    assert Scanned(seen=3, entered=[other, NORTH, third]) == sorted_scan(scanner)
    assert Scanned(seen=3) == scanner.scan() == Scanner(yard.services).scan()
    assert yard.prober.probed == 3
    yard.put(other, duration=700)
    (yard.folder / third).unlink()
    assert Scanned(seen=2, renewed=[other], gone=[third]) == scanner.scan()
    assert yard.keys() == sorted([other, NORTH])


def sorted_scan(scanner: Scanner) -> Scanned:
    found = scanner.scan()
    return dataclasses.replace(found, entered=sorted(found.entered))


def test_a_scan_below_a_folder_leaves_the_others_alone(yard: Yard) -> None:
    yard.put()
    register(yard.services, NORTH)
    (yard.folder / NORTH).unlink()
    yard.put("b/south.20261123T100000.mp4")
    assert Scanned(seen=1, entered=["b/south.20261123T100000.mp4"]) == Scanner(yard.services, "b").scan()
    assert yard.get() is not None


def test_one_bad_file_does_no_harm_to_the_others_and_is_looked_at_once(yard: Yard) -> None:
    yard.write("bad.20261123T100000.mp4", "no video")
    yard.put("sea.mp4")
    yard.put()
    scanner = Scanner(yard.services)
    found = scanner.scan()
    reasons = {key: error.reason for key, error in found.failed.items()}
    assert reasons == {"bad.20261123T100000.mp4": "media_unreadable", "sea.mp4": "place_unknown"}
    assert found.entered == [NORTH]
    assert Scanned(seen=3) == scanner.scan()
    yard.put("bad.20261123T100000.mp4")
    assert Scanned(seen=3, renewed=[], entered=["bad.20261123T100000.mp4"]) == scanner.scan()


def test_a_file_that_cannot_be_read_yet_is_no_failure(yard: Yard) -> None:
    yard.write(NORTH, "no video so far", age=1)
    scanner = Scanner(yard.services)
    assert Scanned(seen=1, later=[NORTH]) == scanner.scan() == scanner.scan()
    yard.world.pass_time(60)
    assert list(scanner.scan().failed) == [NORTH]


def test_a_growing_file_is_looked_at_until_it_is_quiet(yard: Yard) -> None:
    yard.put(age=1)
    scanner = Scanner(yard.services)
    assert Scanned(seen=1, entered=[NORTH]) == scanner.scan()
    assert Scanned(seen=1) == scanner.scan()
    yard.world.pass_time(60)
    assert Scanned(seen=1, renewed=[NORTH]) == Scanner(yard.services).scan()
    assert Scanned(seen=1, renewed=[]) == scanner.scan()
    assert yard.prober.probed == 1


def test_what_the_surroundings_refuse_is_found_by_a_later_scan(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.put()
    scanner = Scanner(yard.services)
    with monkeypatch.context() as patch:
        patch.setattr(yard.services.catalogue, "put_recording", refuse)
        with pytest.raises(RecordsUnavailableError):
            scanner.scan()
    assert Scanned(seen=1, entered=[NORTH]) == scanner.scan()


def refuse(_recording: CameraRecording) -> bool:
    raise RecordsUnavailableError


def test_an_arrival_wakes_the_clips_that_waited_for_it(yard: Yard) -> None:
    span = {"camera": "north", "from": "2026-11-23T10:00:10Z", "to": "2026-11-23T10:00:20Z"}
    yard.world.submit(id="wave", source=[span])
    yard.world.work(yard.services)
    assert yard.world.clip("wave").state == "waiting"
    yard.put()
    Scanner(yard.services).scan()
    yard.world.work(yard.services)
    assert yard.world.clip("wave").state == "ready"


def test_a_store_that_does_not_answer_is_no_removal(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.put()
    scanner = Scanner(yard.services)
    scanner.scan()

    def silent(_self: object, _prefix: str = "") -> Any:
        raise StorageUnavailableError

    monkeypatch.setattr("cutback.storage.Store.list", silent)
    with pytest.raises(StorageUnavailableError):
        scanner.scan()
    assert yard.get() is not None


def test_a_scan_looks_into_several_recordings_at_once(yard: Yard) -> None:
    keys = [
        yard.put(f"north.20261123T1{number}0000.mp4") and f"north.20261123T1{number}0000.mp4" for number in range(8)
    ]
    together = threading.Barrier(4, timeout=30)
    yard.prober.meanwhile = together.wait  # nobody goes on before four are here
    assert Scanned(seen=8, entered=keys) == Scanner(yard.services).scan()


def test_a_scan_that_is_broken_off_looks_into_no_more(yard: Yard) -> None:
    for number in range(60):
        yard.put(f"north.20261123T10{number:02}00.mp4")

    def fail() -> None:
        threading.Event().wait(0.05)  # all of them would take most of a second
        raise StorageUnavailableError

    yard.prober.meanwhile = fail
    with pytest.raises(StorageUnavailableError):
        Scanner(yard.services).scan()
    assert yard.prober.probed < 60
    assert yard.keys() == []
