"""Insets of other cameras on the whole way: their footage is awaited, opened, and named in the record."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from tests.path.harness import RECORDING, PathHarness
from tests.path.test_cameras import after, enter, ready, span

from cutback.domain.clips.clip import ClipState

INSET = {"edit": "inset", "camera": "south"}


@pytest.fixture
def hour(harness: PathHarness) -> datetime:
    """An hour ago, to the second."""
    return harness.now().replace(microsecond=0) - timedelta(hours=1)


def test_the_other_cameras_footage_is_opened_and_named_in_the_record(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "n.mp4", hour, 600)
    enter(harness, "s1.mp4", after(hour, -10), 65, camera="south")
    enter(harness, "s2.mp4", after(hour, 55), 600, camera="south")
    harness.submit(source=span(after(hour, 50), after(hour, 70)), edits=[INSET])
    harness.work()
    result = ready(harness).result
    assert result is not None
    assert [each.recording for each in result.spans] == ["n.mp4"]
    assert [(each.recording, each.camera) for each in result.insets] == [("s1.mp4", "south"), ("s2.mp4", "south")]
    (job,) = harness.cutter.jobs
    assert [(each.shows, each.source, each.start, each.end) for each in job.insets] == [
        ("south", 1, Fraction(60), Fraction(65)),
        ("south", 2, Fraction(0), Fraction(15)),
    ]
    clocks = [job.wall_clock(number) for number in range(3)]
    assert [clock.camera for clock in clocks if clock is not None] == ["north", "south", "south"]
    moments = [int(clock.epoch) - int(hour.timestamp()) for clock in clocks if clock is not None]
    assert moments == [0, -10, 55]


def test_a_clip_waits_for_the_other_cameras_footage(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "n.mp4", hour, 600)
    enter(harness, "s0.mp4", after(hour, -600), 600, camera="south")
    harness.submit(source=span(after(hour, 50), after(hour, 70)), edits=[INSET])
    harness.work()
    clip = harness.clip("wave")
    assert (clip.state, clip.waits_for) == (ClipState.WAITING, "south")
    from cutback.lifecycle.waiting import requeue_waiting_clips

    arrived = enter(harness, "s1.mp4", hour, 600, camera="south")
    assert requeue_waiting_clips(harness.services, arrived) == 1
    harness.work()
    result = ready(harness).result
    assert result is not None
    assert [each.recording for each in result.insets] == ["s1.mp4"]


def test_a_camera_that_recorded_nothing_then_is_named(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "n.mp4", hour, 600)
    enter(harness, "s.mp4", after(hour, 300), 600, camera="south")
    harness.submit(source=span(after(hour, 50), after(hour, 70)), edits=[INSET])
    harness.work()
    failure = harness.clip("wave").failure
    assert failure is not None
    assert failure.reason == "footage_missing"
    assert "s.mp4" in failure.message


def test_an_inset_of_a_recording_is_opened_once(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "n.mp4", hour, 600)
    (harness.settings.data / "recordings" / "other.mp4").write_bytes(RECORDING)
    edits = [{"edit": "inset", "recording": name} for name in ("other.mp4", "n.mp4")]
    harness.submit(source=span(after(hour, 50), after(hour, 70)), edits=edits)
    harness.work()
    result = ready(harness).result
    assert result is not None
    assert [(each.recording, each.camera) for each in result.insets] == [("other.mp4", None), ("n.mp4", None)]
    (job,) = harness.cutter.jobs
    assert [(each.shows, each.source, each.end) for each in job.insets] == [("other.mp4", 1, None), ("n.mp4", 0, None)]
    harness.submit(id="lost", source=span(after(hour, 50), after(hour, 70)), edits=[INSET | {"camera": "none"}])
    harness.submit(
        id="gone", source=span(after(hour, 50), after(hour, 70)), edits=[{"edit": "inset", "recording": "x"}]
    )
    harness.work()
    gone = harness.clip("gone").failure
    assert gone is not None
    assert gone.reason == "recording_not_found"
    assert (harness.clip("lost").state, harness.clip("lost").waits_for) == (ClipState.WAITING, "none")
