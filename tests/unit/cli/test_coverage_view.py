"""Drawings of what cameras recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from cutback.cli.views.coverage import gap_as_dict, recordings_table, summary_as_dict, summary_table, timeline
from cutback.domain.cameras.covered import Covered, Period, hours_between
from cutback.domain.cameras.recording import Camera, CameraRecording

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def footage(start: float, length: float, **more: Any) -> CameraRecording:
    facts = {"etag": "e", "size": 10, "camera": "north", "stored_at": TEN, "width": 640, "height": 360, **more}
    begins = TEN + timedelta(seconds=start)
    return CameraRecording(key=f"{start}.mp4", start=begins, duration=Fraction(str(length)), **facts)


def lines(recordings: list[CameraRecording], seconds: float, width: int = 67) -> list[str]:
    drawn = timeline({"north": Covered.by(recordings)}, TEN, TEN + timedelta(seconds=seconds), width)
    return [line.plain.rstrip() for line in drawn]


def test_a_gap_is_between_recordings_and_not_within_a_longer_one() -> None:
    recordings = [footage(0, 60), footage(10, 5), footage(60.05, 60), footage(180.05, 10)]
    gaps = Covered.by(recordings).gaps
    assert gaps == [Period(TEN + timedelta(seconds=120.05), TEN + timedelta(seconds=180.05))]
    assert gap_as_dict(gaps[0], "north") == {
        "camera": "north",
        "from": "2026-11-23T10:02:00.050000Z",
        "to": "2026-11-23T10:03:00.050000Z",
        "seconds": "60",
    }


def test_a_timeline_shows_what_is_recorded_what_is_not_and_what_is_in_part() -> None:
    ruler, row, legend = lines([footage(60, 120), footage(195, 105, growing=True)], 600)
    assert ruler.strip().startswith("╷11-23 10:00")
    assert "╷10:05" in ruler
    assert row.removeprefix("north  ") == "·" * 6 + "█" * 12 + "·" + "▒" + "█" * 10 + "·" * 30
    assert legend.strip() == "█ recorded  ▒ with a gap  █ still being written  · nothing"


def test_a_timeline_of_a_moment_has_a_row() -> None:
    assert lines([footage(0, 0.001)], 0)[1].startswith("north  █")


def test_the_table_shows_gaps_overlaps_and_contradictions() -> None:
    recordings = [
        footage(0, 60),
        footage(57.5, 60, conflicts=("the key says otherwise",)),
        footage(130, 9, growing=True),
    ]
    remarks = [str(cell) for cell in recordings_table(recordings, 120).columns[-1].cells]
    assert remarks == [
        "",
        "overlaps by 2.500 s ! the key says otherwise ",
        "after a gap of 12.500 s still being written ",
    ]


def test_a_summary_shows_the_share_of_each_hour_and_cameras_without_any() -> None:
    covered = {"north": Covered.by([footage(0, 3600), footage(3600, 900), footage(9000, 1800)])}
    cameras = [
        Camera("north", 3, TEN, TEN + timedelta(hours=3)),
        Camera("south", 1, TEN - timedelta(days=9), TEN - timedelta(days=8)),
    ]
    hours = hours_between(TEN, TEN + timedelta(hours=4))
    north, south = summary_as_dict(cameras, covered, hours)["cameras"]
    assert [hour["share"] for hour in north["hours"]] == [1.0, 0.25, 0.5, 0.0]
    assert (north["share"], north["last_seen"]) == (0.4375, "2026-11-23T13:00:00.000000Z")
    assert (south["share"], south["last_seen"]) == (0.0, "2026-11-15T10:00:00.000000Z")
    drawn, recorded, seen = (
        [str(cell) for cell in column.cells]
        for column in summary_table(cameras, covered, hours, TEN + timedelta(hours=4)).columns[1:4]
    )
    assert drawn == ["█▂▄·", "····"]
    assert recorded == ["43.7 %", "0.0 %"]
    assert seen == ["2026-11-23 13:00:00Z", "2026-11-15 10:00:00Z"]


def test_hours_begin_and_end_where_the_span_does() -> None:
    hours = hours_between(TEN + timedelta(minutes=30), TEN + timedelta(minutes=75))
    assert [(hour.begins.minute, hour.ends.minute) for hour in hours] == [(30, 0), (0, 15)]
