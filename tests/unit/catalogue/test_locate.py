"""When footage exists, may still arrive, or will never arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from cutback.catalogue.locate import Found, Never, NotYet, Patience, judge_footage
from cutback.domain.cameras.coverage import cover
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.errors import FootageExpiredError, FootageMissingError
from cutback.domain.requests.sources import CameraSpan

T0 = datetime(2026, 6, 21, 10, 0, tzinfo=UTC)
PATIENCE = Patience(deadline=timedelta(hours=1), late=timedelta(seconds=30))


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def recording(start: float, duration: float = 600, *, lag: float = 5) -> CameraRecording:
    return CameraRecording(
        key=f"north.{start}.mp4",
        etag="e",
        size=1,
        camera="north",
        start=at(start),
        duration=Fraction(str(duration)),
        stored_at=at(start + duration + lag),
        frame_rate=Fraction(30),
    )


def judged(
    recordings: list[CameraRecording],
    start: float,
    end: float,
    *,
    now: float,
    gaps: str = "skip",
    patience: Patience = PATIENCE,
    asked: float = 0.0,
) -> Found | NotYet | Never:
    span = CameraSpan.model_validate({"camera": "north", "from": at(start), "to": at(end), "gaps": gaps})
    coverage = cover(recordings, span.start, span.end, drift=patience.drift)
    return judge_footage(span, coverage, recordings, patience, asked_at=at(asked), now=at(now))


def test_footage_that_is_all_there_is_found_at_once() -> None:
    assert isinstance(judged([recording(0)], 10, 20, now=606), Found)


def test_a_clip_waits_for_an_unknown_camera_until_the_deadline() -> None:
    verdict = judged([], 10, 20, now=30)
    assert isinstance(verdict, NotYet)
    assert verdict.camera_is_new
    assert verdict.until == at(20) + PATIENCE.deadline
    assert isinstance(judged([], 10, 20, now=3700), Never)


def test_what_is_still_to_come_is_expected_when_its_recording_should_be_stored() -> None:
    verdict = judged([recording(0)], 700, 720, now=650)
    assert NotYet("north", at(1205), at(1210), at(720) + PATIENCE.deadline) == verdict


def test_footage_is_never_expected_after_the_deadline() -> None:
    late = [recording(0, 600, lag=90_000)]
    verdict = judged(late, 700, 710, now=800)
    assert isinstance(verdict, NotYet)
    assert verdict.expected_at == at(710) + PATIENCE.deadline


def test_the_fall_back_looks_again_at_least_every_quarter_of_an_hour() -> None:
    verdict = judged([recording(0)], 5000, 5010, now=650)
    assert isinstance(verdict, NotYet)
    assert at(650 + 900) == verdict.look_at


def test_a_request_that_begins_before_the_first_recording_is_clamped_not_waited_for() -> None:
    verdict = judged([recording(219)], 0, 240, now=900)
    assert isinstance(verdict, Found)
    assert [hole.seconds for hole in verdict.coverage.holes] == [219]


def test_a_gap_may_be_filled_for_as_long_as_events_overtake_each_other() -> None:
    recordings = [recording(0, 60), recording(120, 60)]
    assert isinstance(judged(recordings, 50, 130, now=190), NotYet)
    assert isinstance(judged(recordings, 50, 130, now=216), Found)


def test_past_the_deadline_the_clip_is_made_of_what_there_is() -> None:
    verdict = judged([recording(0)], 590, 620, now=620 + 3601)
    assert isinstance(verdict, Found)
    assert [hole.seconds for hole in verdict.coverage.holes] == [20]


@pytest.mark.parametrize(("gaps", "kind"), [("fail", Never), ("freeze", Found), ("black", Found), ("skip", Found)])
def test_a_gap_fails_only_clips_that_do_not_allow_gaps(gaps: str, kind: type) -> None:
    assert isinstance(judged([recording(0, 60), recording(65, 60)], 50, 80, now=1000, gaps=gaps), kind)


def test_a_missing_part_is_reported_with_what_was_found() -> None:
    verdict = judged([recording(0, 60), recording(200, 60)], 100, 120, now=1000)
    assert isinstance(verdict, Never)
    assert isinstance(verdict.error, FootageMissingError)
    assert "north.0.mp4" in verdict.error.message
    assert "north.200.mp4" in verdict.error.message


def test_a_clip_does_not_wait_for_footage_that_is_no_longer_kept() -> None:
    keeping = Patience(deadline=timedelta(days=30), retention=timedelta(days=1))
    verdict = judged([], 0, 10, now=90_000, patience=keeping, asked=90_000)
    assert isinstance(verdict, Never)
    assert isinstance(verdict.error, FootageExpiredError)
    assert isinstance(judged([recording(0)], 0, 10, now=90_000, patience=keeping, asked=90_000), Found)


def test_a_clip_of_an_old_span_waits_from_the_time_of_its_request() -> None:
    assert isinstance(judged([], 0, 10, now=90_000, asked=90_000), NotYet)
