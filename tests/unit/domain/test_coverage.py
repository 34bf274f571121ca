"""Seams, overlaps, gaps and drift: which recording shows which moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.cameras.coverage import Coverage, Hole, Take, cover, expected_at
from cutback.domain.cameras.recording import CameraRecording

T0 = datetime(2026, 6, 21, 10, 0, tzinfo=UTC)
DRIFT = Fraction(500, 1_000_000)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def recording(
    start: float, duration: float, name: str = "", *, lag: float = 5, growing: bool = False
) -> CameraRecording:
    return CameraRecording(
        key=name or f"{start}.mp4",
        etag="e",
        size=1,
        camera="north",
        start=at(start),
        duration=Fraction(str(duration)),
        stored_at=at(start + duration + lag),
        frame_rate=Fraction(30),
        growing=growing,
    )


def shown(coverage: Coverage) -> list[tuple[str, float, float]]:
    """Each stretch as (recording or "-", begin, end) in seconds."""
    return [
        (
            "-" if isinstance(each, Hole) else each.recording.key,
            (each.begins - T0).total_seconds(),
            (each.ends - T0).total_seconds(),
        )
        for each in coverage.stretches
    ]


def laid(recordings: list[CameraRecording], start: float, end: float) -> Coverage:
    return cover(recordings, at(start), at(end), drift=DRIFT)


def test_a_span_inside_one_recording_is_one_take_at_its_own_time() -> None:
    coverage = laid([recording(0, 600, "a")], 192.48, 221.9)
    (take,) = coverage.takes
    assert (Fraction("192.48"), Fraction("221.9")) == (take.start, take.end)
    assert not coverage.holes


def test_recordings_that_meet_are_taken_up_to_the_seam_and_from_it() -> None:
    coverage = laid([recording(0, 60, "a"), recording(60, 60, "b")], 50, 70)
    assert shown(coverage) == [("a", 50, 60), ("b", 60, 70)]
    assert [Fraction(60), Fraction(0)] == [coverage.takes[0].end, coverage.takes[1].start]


def test_footage_of_two_folders_is_noted_since_it_may_be_of_two_cameras() -> None:
    one, other = recording(0, 60).model_copy(update={"folder": "site1"}), recording(60, 60)
    assert laid([one, other], 10, 50).notes == ()
    assert "site1" in laid([one, other], 10, 90).notes[0]


def test_a_gap_is_a_hole_of_exactly_its_length() -> None:
    coverage = laid([recording(0, 60, "a"), recording(63.5, 60, "b")], 50, 70)
    assert shown(coverage) == [("a", 50, 60), ("-", 60, 63.5), ("b", 63.5, 70)]
    assert Fraction("3.5") == coverage.holes[0].seconds


def test_a_missing_frame_at_a_seam_is_no_gap_and_stretches_nothing() -> None:
    coverage = laid([recording(0, 60, "a"), recording(60.033, 60, "b")], 50, 70)
    assert shown(coverage) == [("a", 50, 60.033), ("b", 60.033, 70)]
    assert Fraction(50) == coverage.takes[0].start


def test_an_overlap_of_seconds_changes_over_where_the_later_one_begins() -> None:
    coverage = laid([recording(0, 62, "a"), recording(60, 60, "b")], 50, 70)
    assert shown(coverage) == [("a", 50, 60), ("b", 60, 70)]
    assert Fraction(60) == coverage.takes[0].end


def test_a_clock_that_drifts_is_read_at_its_pace() -> None:
    # 600.2 s by the container, 600 s by the wall.
    coverage = laid([recording(0, 600.2, "a"), recording(600, 600, "b")], 300, 610)
    first, second = coverage.takes
    assert Fraction("300.1") == first.start
    assert Fraction("600.2") == first.end
    assert Fraction(0) == second.start
    assert at(300) == first.moment(first.start)


def test_the_newest_recording_runs_as_the_one_before_it_did_also_once_another_follows() -> None:
    first, newest = recording(0, 600.2, "a"), recording(600, 600.2, "b")
    span = (at(1190), at(1199.5))
    before = cover([first, newest], *span, drift=DRIFT)
    after_it = cover([first, newest, recording(1200, 600.2, "c")], *span, drift=DRIFT)
    assert before.takes == after_it.takes
    assert before.takes[0].start == Fraction(590) * Fraction("600.2") / 600


def test_the_newest_recording_runs_at_its_own_pace_if_it_meets_no_other() -> None:
    coverage = laid([recording(0, 600.2, "a"), recording(600, 600, "b"), recording(1300, 600, "c")], 1300, 1400)
    assert Fraction(100) == coverage.takes[0].end


def test_a_recording_of_a_wrong_clock_does_not_show_what_another_shows() -> None:
    right = recording(0, 600, "right")
    wrong = recording(100, 600, "wrong", lag=7200)  # stored two hours after it says that it ended
    coverage = laid([right, wrong], 200, 300)
    assert shown(coverage) == [("right", 200, 300)]
    assert "wrong is left out" in coverage.notes[0]


def test_before_the_first_recording_there_is_a_hole_of_its_whole_length() -> None:
    coverage = laid([recording(219, 600, "a")], 0, 240)
    assert shown(coverage) == [("-", 0, 219), ("a", 219, 240)]
    assert Fraction(0) == coverage.takes[0].start


def test_a_recording_still_being_written_is_never_stretched() -> None:
    coverage = laid([recording(0, 59.99, "a", growing=True), recording(60, 60, "b")], 50, 70)
    assert shown(coverage)[0] == ("a", 50, 59.99)


def test_a_recording_within_another_is_shown_only_for_its_own_time() -> None:
    coverage = laid([recording(0, 100, "a"), recording(20, 5, "b")], 0, 100)
    assert shown(coverage) == [("a", 0, 20), ("b", 20, 25), ("a", 25, 100)]


def test_footage_is_expected_when_the_recording_that_covers_the_end_should_have_come() -> None:
    assert at(1205) == expected_at(at(1000), recording(0, 600, lag=5))
    assert at(605) == expected_at(at(600), recording(0, 600, lag=5))
    assert expected_at(at(600), None) is None


millis = st.integers(0, 200_000)


@given(
    st.lists(st.tuples(millis, st.integers(1, 60_000)), max_size=12),
    millis,
    st.integers(1, 100_000),
    st.sampled_from([Fraction(0), DRIFT, Fraction(1, 100)]),
)
def test_no_moment_is_missing_or_shown_twice(
    spans: list[tuple[int, int]], start: int, length: int, drift: Fraction
) -> None:
    recordings = [recording(begin / 1000, long / 1000, f"{number}.mp4") for number, (begin, long) in enumerate(spans)]
    begin, end = at(start / 1000), at((start + length) / 1000)
    coverage = cover(recordings, begin, end, drift=drift)
    assert begin == coverage.stretches[0].begins
    assert end == coverage.stretches[-1].ends
    for one, other in pairwise(coverage.stretches):
        assert one.ends == other.begins
    for each in coverage.stretches:
        assert each.begins < each.ends
        held = [r for r in recordings if r.start < each.ends and r.end > each.begins]
        if isinstance(each, Take):
            assert 0 <= each.start < each.end
            assert each.end <= each.recording.duration * (1 + drift) + Fraction(1, 20)
        else:
            # No recording covers a hole, except for what drift and missing frames remove.
            slack = timedelta(seconds=float(max(Fraction(1, 20), 60 * drift)))
            assert all(min(r.end, each.ends) - max(r.start, each.begins) <= slack for r in held)


def test_a_day_of_many_short_recordings_takes_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        recordings = [recording(10 * number, 9) for number in range(count)]
        began = time.process_time()
        found = cover(recordings, at(0), at(10 * count), drift=DRIFT)
        assert len(found.takes) == len(found.holes) == count
        return time.process_time() - began

    assert min(seconds(2000) for _ in range(3)) < 30 * min(seconds(200) for _ in range(3))
