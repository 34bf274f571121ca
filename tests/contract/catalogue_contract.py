"""What every Catalogue must do. Subclass `CatalogueContract`, give it a `factory` fixture, and it is tested."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from tests.contract.racing import in_processes, in_threads

from cutback.domain.cameras.recording import Camera, CameraRecording, PlaceEvidence
from cutback.ports import Catalogue

T0 = datetime(2026, 3, 29, 0, 59, 59, 999_000, tzinfo=UTC)


class CatalogueFactory(ABC):
    """Opens the same catalogue again and again."""

    @abstractmethod
    def open(self) -> Catalogue:
        """The catalogue, as one more user of it."""

    @abstractmethod
    def opener(self) -> Callable[[], Catalogue]:
        """Opens it from another process; picklable."""


def at(seconds: float) -> datetime:
    """So long after T0, to the millisecond."""
    return T0 + timedelta(milliseconds=round(seconds * 1000))


def footage(key: str = "a", start: float = 0, length: float | str = 60, **fields: Any) -> CameraRecording:
    """A recording of the camera `north`; `start` counts from T0."""
    facts = {"etag": f"etag of {key}", "size": 1000, "camera": "north", "stored_at": T0, **fields}
    return CameraRecording(key=key, start=at(start), duration=Fraction(str(length)), **facts)


def keys(recordings: Iterable[CameraRecording]) -> list[str]:
    return [recording.key for recording in recordings]


def listed(catalogue: Catalogue, camera: str | None = None, *, limit: int = 50, **bounds: Any) -> list[str]:
    """The keys on all pages."""
    found: list[str] = []
    cursor = None
    while True:
        page = catalogue.list_recordings(camera, limit=limit, cursor=cursor, **bounds)
        found += keys(page.recordings)
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.recordings) == limit, "only the last page is short"


def _put_many(argument: tuple[Callable[[], Catalogue], int]) -> int:
    opener, number = argument
    catalogue = opener()
    return sum(catalogue.put_recording(footage(f"{n}", start=n, camera=f"camera {n % 2}")) for n in range(number, 40))


class CatalogueContract:
    """The suite. `factory` is a fixture that returns a `CatalogueFactory` for an empty catalogue."""

    @pytest.fixture
    def catalogue(self, factory: CatalogueFactory) -> Catalogue:
        return factory.open()

    # --- put and get -----------------------------------------------------------------------------

    def test_a_recording_is_given_back_as_it_was_put(self, factory: CatalogueFactory, catalogue: Catalogue) -> None:
        recording = CameraRecording(
            key="süd/波 1.mp4",
            etag='"abc-2"',
            size=2**40,
            camera="Süd '; DROP TABLE recordings; --",
            start=at(0.001),
            duration=Fraction(600_001, 1000),
            stored_at=at(700),
            sequencer="0055AED6DCD90281E5",
            width=1920,
            height=1080,
            codecs=("h264", "aac"),
            frame_rate=Fraction("29.970029970030"),
            growing=True,
            index=((32, 4096), (2**33, 77)),
            conflicts=("the key says 10:00:00, the container 10:00:05",),
        )
        assert catalogue.put_recording(recording)
        assert recording == catalogue.get_recording(recording.key)
        assert [recording] == factory.open().covering(recording.camera, at(1), at(2))
        assert [recording] == list(catalogue.list_recordings().recordings)

    def test_there_is_no_recording_under_an_unknown_key(self, catalogue: Catalogue) -> None:
        catalogue.put_recording(footage("a"))
        assert catalogue.get_recording("A") is None

    def test_a_newer_version_takes_the_place_of_the_older(self, catalogue: Catalogue) -> None:
        catalogue.put_recording(footage(etag="1", camera="north", stored_at=at(0)))
        newer = footage(etag="2", camera="south", start=3600, length=5, stored_at=at(5))
        assert catalogue.put_recording(newer)
        assert newer == catalogue.get_recording("a")
        assert catalogue.covering("north", at(0), at(60)) == []
        assert [newer] == catalogue.covering("south", at(3600), at(3601))
        assert [camera.name for camera in catalogue.cameras()] == ["south"]

    def test_the_same_again_changes_nothing(self, catalogue: Catalogue) -> None:
        recording = footage(sequencer="5")
        assert catalogue.put_recording(recording)
        assert not catalogue.put_recording(recording)
        assert not catalogue.put_recording(footage(sequencer=""))
        assert recording == catalogue.get_recording("a")
        assert [camera.recordings for camera in catalogue.cameras()] == [1]

    def test_a_sequencer_that_arrives_later_is_stored(self, catalogue: Catalogue) -> None:
        catalogue.put_recording(footage())
        assert not catalogue.put_recording(footage(sequencer="5"))
        assert footage(sequencer="5") == catalogue.get_recording("a")
        assert not catalogue.remove_recording("a", sequencer="4", at=at(1000))
        assert not catalogue.put_recording(footage(etag="old", sequencer="4", stored_at=at(1000)))

    def test_the_same_version_can_gain_details(self, catalogue: Catalogue) -> None:
        catalogue.put_recording(footage(growing=True, sequencer="5"))
        assert catalogue.put_recording(footage(camera="south"))
        assert footage(camera="south", sequencer="5") == catalogue.get_recording("a")

    # --- order of events -------------------------------------------------------------------------

    @pytest.mark.parametrize(("older", "later"), [("5", "6"), ("0a", "0B"), ("00F", "00F1"), ("9", "A")])
    def test_the_later_sequencer_wins_whatever_the_clocks_say(
        self, catalogue: Catalogue, older: str, later: str
    ) -> None:
        new = footage(etag="new", sequencer=later, stored_at=at(0))
        catalogue.put_recording(new)
        assert not catalogue.put_recording(footage(etag="old", sequencer=older, stored_at=at(500)))
        assert new == catalogue.get_recording("a")

    def test_without_sequencers_the_later_store_wins(self, catalogue: Catalogue) -> None:
        new = footage(etag="new", stored_at=at(500))
        catalogue.put_recording(new)
        assert not catalogue.put_recording(footage(etag="old", stored_at=at(0)))
        assert not catalogue.remove_recording("a", at=at(0))
        assert new == catalogue.get_recording("a")

    def test_within_a_second_the_last_event_wins(self, catalogue: Catalogue) -> None:
        second = T0.replace(microsecond=0)
        catalogue.put_recording(footage(etag="1", stored_at=T0))
        assert catalogue.put_recording(footage(etag="2", stored_at=second))
        assert catalogue.remove_recording("a", at=T0)
        assert catalogue.put_recording(footage(etag="3", stored_at=second))

    def test_a_removed_recording_is_gone(self, catalogue: Catalogue) -> None:
        catalogue.put_recording(footage("a", sequencer="1"))
        catalogue.put_recording(footage("b", start=60))
        assert catalogue.remove_recording("a", sequencer="2", at=at(100))
        assert catalogue.get_recording("a") is None
        assert ["b"] == keys(catalogue.covering("north", at(0), at(1000))) == listed(catalogue)
        assert [Camera("north", 1, at(60), at(120))] == catalogue.cameras()
        assert not catalogue.remove_recording("a", sequencer="2", at=at(100))
        assert catalogue.remove_recording("b", at=at(100))
        assert catalogue.cameras() == []

    def test_a_removal_is_remembered_against_a_late_arrival_event(self, catalogue: Catalogue) -> None:
        assert not catalogue.remove_recording("a", sequencer="2", at=at(100))
        assert not catalogue.put_recording(footage(sequencer="1", stored_at=at(900)))
        assert not catalogue.put_recording(footage(stored_at=at(50)))
        assert catalogue.get_recording("a") is None
        assert catalogue.put_recording(footage(sequencer="3", stored_at=at(50)))

    def test_a_late_event_about_an_older_removal_is_ignored(self, catalogue: Catalogue) -> None:
        catalogue.remove_recording("a", sequencer="4", at=at(100))
        catalogue.remove_recording("a", sequencer="2", at=at(50))
        assert not catalogue.put_recording(footage(sequencer="3", stored_at=at(70)))

    def test_events_in_any_order_and_twice_end_in_the_same_catalogue(self, catalogue: Catalogue) -> None:
        """First, second and last version with a removal between: of 5! orders, each event twice."""
        for number, order in enumerate(permutations(range(5))):
            key = f"{number}"
            events: list[Callable[[str], object]] = [
                lambda key: catalogue.put_recording(footage(key, etag="1", sequencer="01", stored_at=at(1))),
                lambda key: catalogue.put_recording(footage(key, etag="2", sequencer="02", stored_at=at(2))),
                lambda key: catalogue.remove_recording(key, sequencer="03", at=at(3)),
                lambda key: catalogue.put_recording(footage(key, etag="1", sequencer="04", stored_at=at(4))),
                lambda key: catalogue.put_recording(footage(key, etag="3", sequencer="05", stored_at=at(5))),
            ]
            for index in (*order, *order[::-1]):
                events[index](key)
            assert footage(key, etag="3", sequencer="05", stored_at=at(5)) == catalogue.get_recording(key)
        assert [camera.recordings for camera in catalogue.cameras()] == [120]

    def test_many_are_entered_together_as_one_by_one(self, catalogue: Catalogue) -> None:
        catalogue.put_recording(footage("b", start=60))
        together = [footage("a"), footage("b", start=60), footage("c", start=120), footage("a", length=70)]
        assert catalogue.put_recordings(together) == [True, False, True, True]
        assert listed(catalogue) == ["a", "b", "c"]
        assert catalogue.put_recordings([]) == []
        assert {"a": together[3], "c": together[2]} == catalogue.get_recordings(["a", "c", "unknown"])
        assert catalogue.get_recordings([]) == {}

    def test_what_was_said_by_hand_outlives_its_recording(self, catalogue: Catalogue) -> None:
        by_hand = footage("a", evidence=PlaceEvidence(camera="north"), sequencer="1")
        catalogue.put_recordings([by_hand, footage("b", start=60, sequencer="1")])
        assert catalogue.removed_by_hand(["a", "b"]) == {}
        for key in ("a", "b"):
            catalogue.remove_recording(key, sequencer="2", at=at(100))
        assert {"a": by_hand} == catalogue.removed_by_hand(["a", "b", "unknown"])
        assert listed(catalogue) == [], "it is gone nevertheless"
        catalogue.remove_recording("a", sequencer="3", at=at(200))
        assert {"a": by_hand} == catalogue.removed_by_hand(["a"]), "a second removal knows no more than the first"
        catalogue.put_recording(by_hand.model_copy(update={"sequencer": "4"}))
        assert catalogue.removed_by_hand(["a"]) == {}

    def test_recordings_that_other_rules_placed_are_found(self, catalogue: Catalogue) -> None:
        for key, rules in [("a", ""), ("b", "old"), ("c", "new"), ("d", "zebra")]:
            catalogue.put_recording(footage(key, rules=rules))
        catalogue.put_recording(footage("gone", rules="old"))
        catalogue.remove_recording("gone", at=at(100))
        assert sorted(keys(catalogue.placed_by_other_rules("new"))) == ["a", "b", "d"]
        assert len(catalogue.placed_by_other_rules("new", limit=2)) == 2
        assert not catalogue.put_recording(footage("a", rules="new")), "who placed it is no news"
        assert sorted(keys(catalogue.placed_by_other_rules("new"))) == ["b", "d"]

    def test_many_at_once_enter_and_count_each_recording_once(
        self, factory: CatalogueFactory, catalogue: Catalogue
    ) -> None:
        users = [catalogue, factory.open()]
        entered = in_threads(4, lambda number: users[number % 2].put_recording(footage("same", start=1)))
        assert sum(entered) == 1
        counts = in_processes(_put_many, [(factory.opener(), number) for number in (0, 10, 20)])
        assert sum(counts) == 40
        assert [camera.recordings for camera in catalogue.cameras()] == [20, 20, 1]

    def test_the_folders_that_claim_a_camera_are_shown(self, catalogue: Catalogue) -> None:
        for number, (camera, folder) in enumerate([("north", "b"), ("north", "a"), ("north", "b"), ("south", "")]):
            catalogue.put_recording(footage(f"{number}", start=60 * number, camera=camera, folder=folder))
        assert [camera.folders for camera in catalogue.cameras()] == [("a", "b"), ("",)]
        catalogue.remove_recording("1", at=at(1000))
        assert [camera.folders for camera in catalogue.cameras()] == [("b",), ("",)]

    # --- finding ---------------------------------------------------------------------------------

    def test_a_span_is_covered_by_what_overlaps_it_alone(self, catalogue: Catalogue) -> None:
        for number in range(5):
            catalogue.put_recording(footage(f"{number}", start=60 * number))
        catalogue.put_recording(footage("other", start=100, camera="south"))
        assert keys(catalogue.covering("north", at(119.999), at(120.001))) == ["1", "2"]
        assert keys(catalogue.covering("north", at(120), at(180))) == ["2"]
        assert [] == catalogue.covering("north", at(300), at(400)) == catalogue.covering("north", at(-9), at(0))
        assert catalogue.covering("nobody", at(0), at(400)) == []

    def test_neighbours_are_the_nearest_on_either_side(self, catalogue: Catalogue) -> None:
        for number in (0, 1, 4, 5):
            catalogue.put_recording(footage(f"{number}", start=60 * number, length=30))
        catalogue.put_recording(footage("other", start=150, camera="south"))
        assert keys(catalogue.neighbours("north", at(100), at(200))) == ["1", "4"]
        assert keys(catalogue.neighbours("north", at(60), at(240))) == ["0", "4"]
        assert keys(catalogue.neighbours("north", at(-5), at(0))) == ["0"]
        assert keys(catalogue.neighbours("north", at(900), at(901))) == ["5"]
        assert catalogue.neighbours("nobody", at(0), at(1)) == []

    def test_recordings_of_all_lengths_are_found(self, catalogue: Catalogue) -> None:
        """Compared with looking at each of them; lengths from nothing to a day, exact powers of two among them."""
        dice = random.Random(4)
        lengths = [0, 0.001, 0.065536, 1, 59.999, 60, 65.536, 600, 3600, 86400]
        stored = [
            footage(
                f"{n:03}", dice.randrange(0, 90_000, 3), dice.choice(lengths), camera=dice.choice(["north", "south"])
            )
            for n in range(150)
        ]
        for each in stored:
            catalogue.put_recording(each)
        stored.sort(key=lambda each: (each.start, each.key))
        for _ in range(60):
            camera = dice.choice(["north", "south"])
            begin = dice.randrange(-100, 180_000, 3)
            start, end = at(begin), at(begin + dice.choice(lengths[1:]))
            own = [each for each in stored if each.camera == camera]
            expected = [each for each in own if each.start < end and each.end > start]
            assert expected == catalogue.covering(camera, start, end)
            around = [each for each in own if each.start < start][-1:] + [each for each in own if each.start >= end][:1]
            assert around == catalogue.neighbours(camera, start, end)
            assert keys(expected) == listed(catalogue, camera, start=start, end=end, limit=7)
            assert [each.key for each in stored if each.end > start] == listed(catalogue, start=start, limit=40)
            assert [each.key for each in own if each.start < end] == listed(catalogue, camera, end=end)
        for known in catalogue.cameras():
            own = [each for each in stored if each.camera == known.name]
            assert Camera(known.name, len(own), own[0].start, max(each.end for each in own)) == known

    # --- listing ---------------------------------------------------------------------------------

    @pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 50])
    def test_pages_of_any_size_hold_each_recording_once(self, catalogue: Catalogue, limit: int) -> None:
        for key, start in [("d", 5), ("b", 5), ("ä b", 5), ("a", 9), ("c", -3), ("e", 0)]:
            catalogue.put_recording(footage(key, start=start, camera="north" if key != "e" else "south"))
        assert listed(catalogue, limit=limit) == ["c", "e", "b", "d", "ä b", "a"]
        assert listed(catalogue, "north", limit=limit) == ["c", "b", "d", "ä b", "a"]
        assert listed(catalogue, limit=limit, start=at(57), end=at(9)) == ["e", "b", "d", "ä b"]

    def test_paging_is_stable_while_recordings_come_and_go(self, catalogue: Catalogue) -> None:
        for number in range(6):
            catalogue.put_recording(footage(f"{number}", start=number))
        page = catalogue.list_recordings(limit=3)
        catalogue.remove_recording("2", at=at(9))
        catalogue.put_recording(footage("0 again", start=0))
        rest = catalogue.list_recordings(limit=3, cursor=page.next_cursor)
        assert (keys(rest.recordings), rest.next_cursor) == (["3", "4", "5"], None)

    @pytest.mark.parametrize("cursor", ["", "x", "MTIz", "MSBhIA", "é", "LTk5OTk5OTk5OTk5OTk5OTk5OTk5OSBh"])
    def test_a_made_up_cursor_is_refused(self, catalogue: Catalogue, cursor: str) -> None:
        with pytest.raises(ValueError, match="cursor"):
            catalogue.list_recordings(cursor=cursor)

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_limit_below_one_is_refused(self, catalogue: Catalogue, limit: int) -> None:
        with pytest.raises(ValueError, match="limit"):
            catalogue.list_recordings(limit=limit)

    def test_nothing_is_one_empty_last_page_and_no_camera(self, catalogue: Catalogue) -> None:
        page = catalogue.list_recordings()
        assert (list(page.recordings), page.next_cursor) == ([], None)
        assert catalogue.cameras() == []
