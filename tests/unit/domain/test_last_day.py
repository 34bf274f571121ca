"""What was made in a day, hour by hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from cutback.domain.clips.clip import Clip, ClipResult, ClipState
from cutback.domain.clips.last_day import begin_of_day, last_day

NOW = datetime(2026, 6, 21, 17, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def clip(ended: datetime, seconds: float = 1, *, state: ClipState = ClipState.READY) -> Clip:
    result = ClipResult(key="k", size=100, etag="e", duration=Fraction(1), seconds=seconds / 2, bytes_read=10)
    return Clip.model_construct(  # type: ignore[call-arg]  # nothing else counts
        state=state,
        created_at=ended - timedelta(seconds=seconds),
        updated_at=ended,
        result=result if state is ClipState.READY else None,
    )


def test_the_day_ends_with_the_present_hour() -> None:
    found = last_day([], NOW)
    assert (found["from"], found["to"]) == ("2026-06-20T18:00:00.000000Z", "2026-06-21T18:00:00.000000Z")
    assert [each["begins"] for each in found["items"][::23]] == [found["from"], "2026-06-21T17:00:00.000000Z"]
    assert found["items"][0]["requested_to_ready"] is None


@pytest.mark.parametrize(("ended", "hour"), [(NOW, 23), (NOW - HOUR / 2 - HOUR, 22), (begin_of_day(NOW), 0)])
def test_a_clip_counts_in_the_hour_in_which_it_ended(ended: datetime, hour: int) -> None:
    found = last_day([clip(ended), clip(ended, state=ClipState.FAILED)], NOW)["items"]
    assert [(number, each["ready"], each["failed"]) for number, each in enumerate(found) if each["ready"]] == [
        (hour, 1, 1)
    ]


def test_clips_of_other_days_do_not_count() -> None:
    outside = [clip(begin_of_day(NOW) - timedelta(microseconds=1)), clip(NOW + HOUR)]
    assert sum(each["ready"] for each in last_day(outside, NOW)["items"]) == 0


def test_the_spread_has_the_median_and_what_95_of_100_do_not_exceed() -> None:
    hour = last_day([clip(NOW, seconds) for seconds in range(1, 101)], NOW)["items"][-1]
    assert hour["requested_to_ready"] == {"median": 50, "p95": 95}
    assert hour["attempt"] == {"median": 25, "p95": 47.5}
    assert (hour["stored_bytes"], hour["read_bytes"]) == (10_000, 1_000)
    assert last_day([clip(NOW, 7)], NOW)["items"][-1]["requested_to_ready"] == {"median": 7, "p95": 7}
