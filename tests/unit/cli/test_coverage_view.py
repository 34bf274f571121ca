"""Drawings of what cameras recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from cutback.cli.views.coverage import RecordingGap, gaps_in, recordings_table, timeline
from cutback.domain.cameras.recording import CameraRecording

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def footage(start: float, length: float, **more: Any) -> CameraRecording:
    facts = {"etag": "e", "size": 10, "camera": "north", "stored_at": TEN, "width": 640, "height": 360, **more}
    begins = TEN + timedelta(seconds=start)
    return CameraRecording(key=f"{start}.mp4", start=begins, duration=Fraction(str(length)), **facts)


def lines(recordings: list[CameraRecording], seconds: float, width: int = 67) -> list[str]:
    drawn = timeline({"north": recordings}, TEN, TEN + timedelta(seconds=seconds), width)
    return [line.plain.rstrip() for line in drawn]


def test_a_gap_is_between_recordings_and_not_within_a_longer_one() -> None:
    recordings = [footage(0, 60), footage(10, 5), footage(60.05, 60), footage(180.05, 10)]
    assert [RecordingGap(TEN + timedelta(seconds=120.05), TEN + timedelta(seconds=180.05))] == gaps_in(recordings)
    assert gaps_in(recordings)[0].as_dict("north") == {
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
