"""The changes of a clip's state: a random walk through the state machine, and each of its checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.clips.clip import Clip, ClipResult, ClipState, OutputResult, new_clip
from cutback.domain.clips.files import files_of
from cutback.domain.errors import CutbackError, LeaseLostError, MediaUnreadableError, StoppedError, WrongStateError
from cutback.domain.requests.request import validate_request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=30)
RESULT = ClipResult(key="c/1/clip.mp4", size=1, etag="e", duration=1)


def fresh(**fields: object) -> Clip:
    content = {"source": {"recording": "a.mp4", "start": 0, "end": 1}, **fields}
    return new_clip(validate_request(content), now=NOW)


def claimed(clip: Clip, now: datetime = NOW) -> Clip:
    return clip.claimed(worker="w", now=now, lease=LEASE)


def finished(clip: Clip, attempt: int | None = None) -> Clip:
    return clip.finished(RESULT, attempt=attempt or clip.attempt, now=NOW, sweep_at=None)


def test_a_claim_counts_attempts_and_holds_until_the_lease_ends() -> None:
    first = claimed(fresh())
    assert (first.state, first.attempt, first.lease_until) == (ClipState.PROCESSING, 1, NOW + LEASE)
    with pytest.raises(WrongStateError):
        claimed(first, NOW + LEASE - timedelta(microseconds=1))
    assert claimed(first, NOW + LEASE).attempt == 2


def test_events_of_an_output_with_many_files_stay_small() -> None:
    """The record has all keys, because the API serves only files that it names."""
    files = tuple(f"c/1/clip-720p-{number:05}.m4s" for number in range(5000))
    output = OutputResult(name="clip", format="hls", key="c/1/clip.m3u8", files=files, size=1, etag="e", duration=1)
    result = RESULT.model_copy(update={"outputs": (output,)})
    clip = claimed(fresh()).finished(result, attempt=1, now=NOW, sweep_at=None)
    assert clip.public()["result"]["outputs"][0]["file_count"] == 5001
    assert len(clip.event().model_dump_json()) < 3000
    assert len(files_of(clip)) == 5002, "the clip, the playlist and its files"
    assert Clip.model_validate_json(clip.model_dump_json()) == clip


def test_only_the_current_attempt_may_end_the_clip() -> None:
    second = claimed(claimed(fresh()), NOW + LEASE)
    too_late: list[Callable[[], object]] = [
        lambda: finished(second, 1),
        lambda: second.failed(StoppedError(), attempt=1, now=NOW, sweep_at=None),
        lambda: second.given_back(StoppedError(), attempt=1, now=NOW),
    ]
    for late in too_late:
        with pytest.raises(LeaseLostError):
            late()
    assert finished(second, 2).state is ClipState.READY


def test_nothing_ends_a_cancelled_clip_another_way() -> None:
    cancelled = claimed(fresh()).cancelled(now=NOW, sweep_at=NOW)
    with pytest.raises(LeaseLostError):
        finished(cancelled)
    with pytest.raises(WrongStateError):
        claimed(cancelled)
    with pytest.raises(WrongStateError):
        cancelled.cancelled(now=NOW, sweep_at=NOW)


def test_a_clip_expires_only_when_ready_and_in_time() -> None:
    ready = finished(claimed(fresh(expires_in=60)))
    assert ready.expires_at == NOW + timedelta(seconds=60)
    with pytest.raises(WrongStateError):
        ready.expired(now=NOW + timedelta(seconds=59))
    gone = ready.expired(now=NOW + timedelta(seconds=60))
    assert (gone.state, gone.result, gone.sweep_at) == (ClipState.EXPIRED, None, NOW + timedelta(seconds=60))
    with pytest.raises(WrongStateError):
        finished(claimed(fresh())).expired(now=NOW + timedelta(days=9999))


def test_a_failed_clip_is_tried_again_under_a_new_attempt() -> None:
    failed = claimed(fresh()).failed(MediaUnreadableError("x"), attempt=1, now=NOW, sweep_at=None)
    assert failed.failure is not None
    assert failed.failure.reason == "media_unreadable"
    again = failed.requeued(now=NOW)
    assert (again.state, again.failure) == (ClipState.QUEUED, None)
    assert claimed(again).attempt == 2


def test_an_event_carries_the_state_but_no_inner_workings() -> None:
    event = finished(claimed(fresh())).event()
    assert event.type == "clip.ready"
    assert event.id.endswith(".3")
    assert {"worker", "lease_until", "sweep_at"}.isdisjoint(event.data)


STEPS = ["claim", "finish", "fail", "give back", "cancel", "requeue", "expire", "late finish"]


def take(step: str, clip: Clip, now: datetime) -> Clip:
    error = StoppedError()
    match step:
        case "claim":
            return claimed(clip, now)
        case "finish":
            return clip.finished(RESULT, attempt=clip.attempt, now=now, sweep_at=None)
        case "late finish":
            return clip.finished(RESULT, attempt=clip.attempt - 1, now=now, sweep_at=None)
        case "fail":
            return clip.failed(error, attempt=clip.attempt, now=now, sweep_at=now)
        case "give back":
            return clip.given_back(error, attempt=clip.attempt, now=now)
        case "cancel":
            return clip.cancelled(now=now, sweep_at=now)
        case "requeue":
            return clip.requeued(now=now)
        case _:
            return clip.expired(now=now)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 100)), max_size=30))
def test_any_walk_keeps_the_clip_whole(walk: list[tuple[str, int]]) -> None:
    clip, now, ids = fresh(expires_in=60), NOW, set()
    for step, seconds in walk:
        now += timedelta(seconds=seconds)
        try:
            changed = take(step, clip, now)
        except CutbackError:
            continue
        assert step != "late finish"
        assert changed.revision == clip.revision + 1
        assert changed.attempt == clip.attempt + (step == "claim")
        assert (changed.lease_until is not None) == (changed.state is ClipState.PROCESSING)
        assert (changed.result is not None) == (changed.state is ClipState.READY)
        assert Clip.model_validate_json(changed.model_dump_json()) == changed
        assert changed.event().id not in ids
        ids.add(changed.event().id)
        clip = changed
