"""Where a recording belongs: which source wins, what is reported, and the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.cameras.local_time import Zones, moment_of
from cutback.domain.cameras.placing import Placement, Rules, Told, camera_of, place_recording
from cutback.domain.cameras.recording import PlaceEvidence
from cutback.domain.errors import PlaceUnknownError

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
BERLIN = Rules(zones=Zones.parse("Europe/Berlin"))


def told(key: str = "north.20261123T100000.mp4", **more: Any) -> Told:
    metadata = more.pop("metadata", {})
    evidence = PlaceEvidence(
        metadata_camera=metadata.get("cutback-camera", ""),
        metadata_start=metadata.get("cutback-start", ""),
        **{name: more.pop(name) for name in ("camera", "start", "created") if name in more},
    )
    facts = {"duration": Fraction(600), "stored_at": TEN + timedelta(minutes=11), **more}
    return Told(key, evidence, **facts)


def test_the_key_counts_if_there_is_no_other_source() -> None:
    assert Placement("north", TEN) == place_recording(told(), Rules())


def test_metadata_counts_more_than_the_key_and_contradictions_are_reported() -> None:
    found = place_recording(
        told(metadata={"cutback-camera": "south", "cutback-start": "2026-11-23T11:00:05+01:00"}), Rules()
    )
    assert ("south", TEN + timedelta(seconds=5)) == (found.camera, found.start)
    assert found.conflicts == (
        "The metadata says camera south, the key says north.",
        "The metadata says 2026-11-23 10:00:05.000 UTC, the key says 2026-11-23 10:00:00.000 UTC; the former counts.",
    )


@pytest.mark.parametrize("seconds", [-2, 0, 1.5, 2])
def test_two_seconds_are_no_contradiction(seconds: float) -> None:
    start = str(round((TEN + timedelta(seconds=seconds)).timestamp() * 1000))
    found = place_recording(told(metadata={"cutback-start": start}), Rules())
    assert Placement("north", TEN + timedelta(seconds=seconds)) == found


def test_what_was_registered_counts_most_and_is_not_argued_with() -> None:
    start = TEN + timedelta(hours=1)
    metadata = {"cutback-camera": "south", "cutback-start": "2026-11-23T09:00:00Z"}
    found = place_recording(
        told(camera="west", start=start, metadata=metadata, stored_at=start + timedelta(hours=2)), Rules()
    )
    assert Placement("west", start) == found


def test_unreadable_metadata_is_reported_and_ignored() -> None:
    found = place_recording(told(metadata={"cutback-start": "yesterday"}), Rules())
    assert found.start == TEN
    assert len(found.conflicts) == 1
    assert "yesterday" in found.conflicts[0]


# --- the container's own time ----------------------------------------------------------------------


@pytest.mark.parametrize("created", ["2026-11-23T10:00:01Z", "2026-11-23T10:09:59Z", "2026-11-23T11:10:01+01:00"])
def test_a_container_may_tell_of_the_recordings_start_or_of_its_end(created: str) -> None:
    assert Placement("north", TEN) == place_recording(told(created=created), Rules())


def test_a_container_that_says_otherwise_is_reported() -> None:
    found = place_recording(told(created="2026-11-23T10:05:00Z"), Rules())
    assert found.start == TEN
    assert "the container says 2026-11-23 10:05:00.000 UTC" in found.conflicts[0]


@pytest.mark.parametrize("created", ["1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "", "nonsense"])
def test_a_container_without_a_real_time_is_ignored(created: str) -> None:
    assert Placement("north", TEN) == place_recording(told(created=created), Rules())


def test_the_container_alone_is_enough_if_the_camera_is_known() -> None:
    assert Placement("x", TEN) == place_recording(told("sea.mp4", camera="x", created="2026-11-23T10:00:00Z"), Rules())
    end = "2026-11-23T10:20:00Z"
    late = told("sea.mp4", camera="x", created=end, stored_at=TEN + timedelta(minutes=20, seconds=5))
    assert TEN + timedelta(minutes=10) == place_recording(late, Rules()).start


# --- clocks that are wrong -------------------------------------------------------------------------


def test_an_unset_clock_is_ignored_if_there_is_another_source() -> None:
    found = place_recording(
        told("north.19700101T000012.mp4", metadata={"cutback-start": "2026-11-23T10:00:00Z"}), Rules()
    )
    assert found.start == TEN
    assert found.conflicts == ("The key says 1970-01-01 00:00:12.000 UTC, before the year 2000: a clock was not set.",)


def test_a_time_is_never_made_up_where_no_clock_can_be_right() -> None:
    found = place_recording(told("north.20301123T100000.mp4"), Rules())
    assert TEN.replace(year=2030) == found.start
    assert "a clock is wrong" in found.conflicts[0]


def test_a_recording_stored_before_its_own_end_is_reported() -> None:
    found = place_recording(told(stored_at=TEN + timedelta(minutes=1)), Rules())
    assert found.start == TEN
    assert "a clock is ahead" in found.conflicts[0]


@pytest.mark.parametrize("key", ["sea.mp4", "north/part-1.mp4"])
def test_a_recording_without_a_camera_or_a_start_has_no_place(key: str) -> None:
    with pytest.raises(PlaceUnknownError, match=key):
        place_recording(told(key), Rules())
    with pytest.raises(PlaceUnknownError, match=key):
        place_recording(told(key, camera="north"), Rules())


def test_a_camera_of_odd_characters_is_refused() -> None:
    with pytest.raises(PlaceUnknownError, match="names an invalid camera"):
        camera_of(told(metadata={"cutback-camera": "a\x07"}), Rules())


# --- time zones ------------------------------------------------------------------------------------


def test_a_key_without_an_offset_is_in_the_cameras_time_zone() -> None:
    rules = Rules(zones=Zones.parse("Europe/Berlin, bells-*=Australia/Melbourne,*=UTC"))
    hours = {"bells-1": -11, "north": 0}
    for camera, offset in hours.items():
        stored = TEN + timedelta(hours=24)
        assert (
            TEN + timedelta(hours=offset)
            == place_recording(told(f"{camera}.20261123T100000", stored_at=stored), rules).start
        )
    assert TEN - timedelta(hours=1) == place_recording(told(), BERLIN).start
    assert place_recording(told("north.20261123T100000Z.mp4"), BERLIN).start == TEN


@pytest.mark.parametrize(("stored", "expected"), [("00:41", "00:30"), ("01:30", "00:30"), ("01:41", "01:30")])
def test_the_arrival_in_the_store_decides_which_of_two_equal_hours_is_meant(stored: str, expected: str) -> None:
    at = datetime.fromisoformat(f"2026-10-25T{stored}:00Z")
    found = place_recording(told("north.20261025T023000.mp4", stored_at=at), BERLIN)
    assert datetime.fromisoformat(f"2026-10-25T{expected}:00Z") == found.start
    assert "occurred twice in Europe/Berlin" in found.conflicts[0]


def test_an_hour_that_does_not_exist_is_read_as_if_the_clock_had_not_been_put_forward() -> None:
    stored = datetime(2026, 3, 29, 2, tzinfo=UTC)
    found = place_recording(told("north.20260329T023000.mp4", stored_at=stored), BERLIN)
    assert datetime(2026, 3, 29, 1, 30, tzinfo=UTC) == found.start
    assert "does not exist in Europe/Berlin" in found.conflicts[0]


@pytest.mark.parametrize("text", ["Europe/Atlantis", "../etc/passwd", "a=b", "UTC,Asia/Tokyo", "/etc/localtime"])
def test_a_wrong_time_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Zones.parse(text)


@given(
    st.datetimes(datetime.fromisoformat("2001-01-01"), datetime.fromisoformat("2037-01-01")),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"]),
    st.integers(1, 3600),
    st.integers(0, 1800),
)
def test_whatever_a_right_clock_shows_is_read_as_the_moment_it_was(
    utc: datetime, name: str, length: int, delay: int
) -> None:
    """Stored within half an hour, as here, no hour that comes twice can be mistaken but in the minute of slack."""
    zone = Zones.parse(name).default
    moment = utc.replace(tzinfo=UTC)
    local = moment.astimezone(zone).replace(tzinfo=None)
    stored = moment + timedelta(seconds=length + delay)
    found, note = moment_of(local, zone, length=timedelta(seconds=length), stored_at=stored)
    other = moment.astimezone(zone).replace(fold=1 - moment.astimezone(zone).fold).astimezone(UTC)
    if other > moment and other + timedelta(seconds=length) <= stored + timedelta(minutes=1):
        assert other == found
    else:
        assert moment == found
    assert bool(note) == (other != moment)


def test_metadata_without_an_offset_is_on_the_cameras_clock() -> None:
    rules = Rules(zones=Zones.parse("UTC,north=Europe/Lisbon"))
    stored = datetime(2026, 10, 25, 2, 0, tzinfo=UTC)
    summer = place_recording(told(metadata={"cutback-start": "2026-06-21T11:00:05.5"}, stored_at=stored), rules)
    assert summer.start == datetime(2026, 6, 21, 10, 0, 5, 500000, tzinfo=UTC)
    twice = place_recording(told(metadata={"cutback-start": "2026-10-25T01:30:00"}, stored_at=stored), rules)
    assert twice.start == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert any("occurred twice in Europe/Lisbon" in note for note in twice.conflicts)
