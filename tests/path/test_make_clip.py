"""The whole path: what happens to a message, to its clip, and to objects in the stores."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.path.harness import PathHarness, request
from tests.support.waiting import PATIENCE, Stopwatch, eventually

from cutback.adapters.sqlite.queue import SqliteQueue
from cutback.adapters.sqlite.records import SqliteRecords
from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import (
    CutbackError,
    DifferentRequestError,
    MediaUnreadableError,
    StorageFullError,
    StorageUnavailableError,
)
from cutback.lifecycle import accept
from cutback.worker.poll import Worker

STAGES = [
    "received",
    "parsed",
    "recorded",
    "claimed",
    "resolved",
    "rendered",
    "stored",
    "committed",
    "announced",
]


def raising(error: Exception, *, times: int = 10**6) -> Callable[[int], None]:
    left = [times]

    def on_step(_step: int) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return on_step


def test_a_request_becomes_a_clip_that_is_stored_recorded_and_announced(harness: PathHarness) -> None:
    accepted = harness.submit(title="A wave", tags=["surf"])
    assert accepted.state is ClipState.QUEUED
    assert harness.work() == 1
    clip = harness.clip("wave")
    assert clip.state is ClipState.READY
    assert clip.result is not None
    assert harness.objects() == [clip.result.key] == ["wave/1/clip.mp4"]
    stored = (harness.settings.data / "clips" / clip.result.key).read_bytes()
    assert stored == b"".join(harness.cutter.renditions[0].chunks())
    assert clip.result.size == len(stored)
    assert clip.result.bytes_read > 0
    assert clip.result.requests > 0
    assert list(clip.result.stages) == ["parse", "look up", "claim", "locate", "cut", "store"]
    assert 0 <= sum(clip.result.stages.values()) <= clip.result.seconds + 0.01
    assert clip.result.source_size == (harness.settings.data / "recordings" / "sea.mp4").stat().st_size
    assert (clip.result.spans[0].recording, clip.result.spans[0].start) == ("sea.mp4", Fraction(1))
    assert clip.result.etag
    assert harness.types() == ["queued", "processing", "ready"]
    assert harness.services.records.unannounced() == []
    assert harness.depth() == (0, 0, 0, 0)
    assert harness.cutter.renditions[0].closed


def test_asking_twice_is_asking_once(harness: PathHarness) -> None:
    first = harness.submit()
    assert harness.submit().id == first.id
    harness.work()
    assert harness.submit().state is ClipState.READY
    assert harness.work() == 0
    assert len(harness.cutter.jobs) == 1


def test_an_id_of_another_request_is_refused_at_the_door_and_in_the_queue(harness: PathHarness) -> None:
    harness.submit()
    with pytest.raises(DifferentRequestError):
        harness.submit(title="other")
    harness.services.queue.send(request(title="other").model_dump_json())
    harness.work()
    assert [clip.state for clip in [harness.clip("wave")]] == [ClipState.READY]
    assert "already belongs to a different request" in harness.dead_reasons()[0]


def test_a_message_that_came_many_times_has_one_effect(harness: PathHarness) -> None:
    for _ in range(20):
        harness.services.queue.send(request().model_dump_json())
    harness.work()
    assert (len(harness.cutter.jobs), harness.types().count("ready")) == (1, 1)
    assert harness.depth() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ("{", ["not valid JSON"]),
        (
            json.dumps({"source": {"recording": "../x", "start": -1, "end": 3}, "sauce": 1}),
            ["sauce", "start"],
        ),
        (json.dumps({"source": [{"recording": "sea.mp4", "start": 3, "end": 3}]}), ["end must be after"]),
    ],
)
def test_a_message_that_is_no_request_is_put_aside_at_once_with_its_faults(
    harness: PathHarness, body: str, faults: list[str]
) -> None:
    harness.services.queue.send(body)
    assert harness.work() == 1
    assert harness.depth() == (0, 0, 0, 1)
    assert [fault for fault in faults if fault not in harness.dead_reasons()[0]] == []
    harness.submit()
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


def test_a_missing_recording_fails_the_clip_at_once_and_by_name(harness: PathHarness) -> None:
    harness.submit(source={"recording": "nothing.mp4", "start": 0, "end": 1})
    harness.work()
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "recording_not_found")
    assert harness.types() == ["queued", "processing", "failed"]
    assert harness.depth() == (0, 0, 0, 0)


def test_bad_media_fails_one_clip_and_leaves_the_next_alone(harness: PathHarness) -> None:
    harness.cutter.on_step = raising(MediaUnreadableError("no moov"), times=1)
    harness.submit()
    harness.submit(id="next")
    harness.work()
    failed, ready = harness.clip("wave"), harness.clip("next")
    assert failed.failure is not None
    assert (failed.failure.reason, ready.state) == ("media_unreadable", ClipState.READY)
    assert harness.objects() == ["next/1/clip.mp4"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StorageUnavailableError(), "storage_unavailable"),
        (OSError(errno.ENOSPC, "x"), "storage_full"),
        (KeyError("a bug"), "internal_error"),
    ],
)
def test_what_may_pass_is_tried_again_later(harness: PathHarness, error: Exception, reason: str) -> None:
    harness.cutter.on_step = raising(error, times=1)
    harness.submit()
    assert harness.work() == 1
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.QUEUED, reason)
    harness.pass_time(2)
    harness.work()
    clip = harness.clip("wave")
    assert (clip.state, clip.failure, clip.attempt) == (ClipState.READY, None, 2)
    assert harness.objects() == ["wave/2/clip.mp4"]


def exhaust(harness: PathHarness) -> None:
    for _ in range(harness.settings.max_tries):
        harness.work()
        harness.pass_time(30)


@pytest.mark.parametrize("error", [StorageUnavailableError("the store is away"), KeyError("a bug")])
def test_a_lasting_failure_fails_the_clip_and_leaves_a_dead_letter(harness: PathHarness, error: Exception) -> None:
    harness.cutter.on_step = raising(error)
    harness.submit()
    exhaust(harness)
    assert harness.clip("wave").state is ClipState.FAILED
    assert harness.depth() == (0, 0, 0, 1)
    assert len(harness.cutter.jobs) == harness.settings.max_tries

    harness.cutter.on_step = lambda _step: None
    assert accept.redrive(harness.services) == 1
    assert harness.clip("wave").state is ClipState.QUEUED
    harness.work()
    assert harness.clip("wave").state is ClipState.READY
    assert harness.depth() == (0, 0, 0, 0)


def test_a_dead_letter_redriven_by_other_means_is_retried_too(harness: PathHarness) -> None:
    harness.cutter.on_step = raising(StorageUnavailableError())
    harness.submit()
    exhaust(harness)
    harness.cutter.on_step = lambda _step: None
    assert harness.services.queue.redrive() == 1
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


class BrokenStore:
    """A clip store in which nothing can be put."""

    def __init__(self, store: Any, error: CutbackError) -> None:
        self._store, self._error = store, error

    def put(self, *_: Any, **__: Any) -> None:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.mark.parametrize("error", [StorageFullError(), StorageUnavailableError("read-only")])
def test_a_store_that_takes_nothing_delays_the_clip_and_loses_nothing(
    harness: PathHarness, error: CutbackError
) -> None:
    harness.submit()
    harness.work(harness.another(clips=BrokenStore(harness.services.clips, error)))
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason, harness.objects()) == (ClipState.QUEUED, error.reason, [])
    harness.pass_time(2)
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


@pytest.mark.parametrize("stage", ["received", "claimed", "rendered", "stored"])
def test_a_database_that_stays_locked_delays_the_clip_and_loses_nothing(harness: PathHarness, stage: str) -> None:
    harness.submit()
    path, short = harness.settings.database_path, timedelta(seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    impatient = harness.another(
        records=SqliteRecords(path, clock=harness.now, patience=short),
        queue=SqliteQueue(
            path, "clips", visibility=harness.settings.visibility_time, clock=harness.now, patience=short
        ),
    )

    def lock(reached: str) -> None:
        if reached == stage:
            other.execute("BEGIN IMMEDIATE")

    harness.at_stage = lock
    assert Worker(impatient).work_once(harness.stop, wait=timedelta())
    assert other.in_transaction
    harness.at_stage = lambda _stage: None
    other.execute("ROLLBACK")
    other.close()
    harness.pass_time(11)
    harness.work()
    clip = harness.clip("wave")
    assert clip.result is not None
    assert harness.objects() == [clip.result.key]
    assert harness.types().count("ready") == 1
    assert harness.depth() == (0, 0, 0, 0)


def test_an_object_at_an_attempts_key_is_not_taken_for_its_clip(harness: PathHarness) -> None:
    place = harness.settings.data / "clips" / "wave" / "1"
    place.mkdir(parents=True)
    (place / "clip.mp4").write_bytes(b"of an earlier database")
    harness.submit()
    harness.work()
    harness.pass_time(2)
    harness.work()
    clip = harness.clip("wave")
    assert clip.result is not None
    assert harness.objects() == [clip.result.key]
    assert clip.result.size == harness.cutter.size


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_that_dies_at_any_stage_leaves_one_clip_to_the_next(harness: PathHarness, stage: str) -> None:
    harness.submit()
    harness.die_at(stage)
    harness.pass_time(11)
    harness.work()
    clip = harness.clip("wave")
    assert clip.result is not None
    assert harness.objects() == [clip.result.key]
    assert harness.types().count("ready") == 1
    assert harness.depth() == (0, 0, 0, 0)


def test_a_store_that_stays_away_for_hours_costs_time_and_nothing_else(
    make_harness: Callable[..., PathHarness],
) -> None:
    harness = make_harness(retry_patience=12 * 3600, retry_delay_max=1800)
    harness.cutter.on_step = raising(StorageUnavailableError("the store is away"))
    harness.submit()
    for _ in range(16):  # half an hour each: eight hours
        harness.work()
        harness.pass_time(1800)
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.QUEUED, "storage_unavailable")
    assert len(harness.cutter.jobs) > harness.settings.max_tries
    assert harness.depth()[3] == 0

    harness.cutter.on_step = lambda _step: None
    harness.pass_time(1800)
    harness.work()
    assert harness.clip("wave").state is ClipState.READY
    assert harness.depth() == (0, 0, 0, 0)


@pytest.mark.parametrize("stage", ["claimed", "rendered"])
def test_a_clip_that_kills_every_worker_fails_with_its_own_reason(harness: PathHarness, stage: str) -> None:
    harness.submit()
    for _ in range(harness.settings.max_tries):
        harness.die_at(stage)
        harness.pass_time(11)
    harness.work()
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "gave_up")
    assert harness.depth() == (0, 0, 0, 1)
    accept.redrive(harness.services)
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


def test_a_worker_that_dies_while_moving_a_dead_letter_leaves_that_to_the_next(harness: PathHarness) -> None:
    harness.cutter.on_step = raising(StorageUnavailableError())
    harness.submit()
    for _ in range(harness.settings.max_tries - 1):
        harness.work()
        harness.pass_time(30)
    harness.die_at("failed")
    harness.pass_time(11)
    harness.work()
    assert harness.clip("wave").state is ClipState.FAILED
    assert harness.depth() == (0, 0, 0, 1)
    assert len(harness.cutter.jobs) == harness.settings.max_tries


def test_a_duplicate_of_a_clip_in_work_waits_for_the_lease_and_uses_up_no_tries(harness: PathHarness) -> None:
    harness.submit()
    seen: list[tuple[int, int, int, int]] = []

    def meanwhile(stage: str) -> None:
        if stage == "rendered":
            for _ in range(2 * harness.settings.max_tries):
                harness.services.queue.send(request().model_dump_json())
                harness.at_stage = lambda _stage: None
                harness.work(harness.another())
            seen.append(harness.depth())

    harness.at_stage = meanwhile
    harness.work()
    assert seen[0][0] == 0
    assert len(harness.cutter.jobs) == 1
    for _ in range(10):
        harness.pass_time(6)
        harness.work()
    assert harness.clip("wave").attempt == 1
    assert harness.depth() == (0, 0, 0, 0)


def test_a_duplicate_outlives_any_number_of_leases(make_harness: Callable[..., PathHarness]) -> None:
    harness = make_harness(max_tries=1)
    harness.submit()
    [held] = harness.services.queue.receive(limit=1)
    claimed = harness.clip("wave").claimed(worker="other", now=harness.now(), lease=harness.settings.lease_time)
    assert harness.services.records.commit(claimed)
    harness.services.queue.send(request().model_dump_json())
    for _ in range(8):
        harness.services.records.beat(
            "wave", 1, lease_until=harness.now() + harness.settings.lease_time, progress=claimed.progress
        )
        harness.services.queue.extend(held, harness.settings.visibility_time)
        harness.work()
        harness.pass_time(5.1)
    harness.services.queue.delete(held)
    harness.pass_time(10)
    harness.work()
    assert harness.dead_reasons() == []
    assert harness.clip("wave").state is ClipState.READY


@pytest.mark.parametrize("stage", ["resolved", "rendered", "stored"])
def test_a_late_worker_changes_nothing_and_leaves_nothing(harness: PathHarness, stage: str) -> None:
    harness.submit()

    def overtake(reached: str) -> None:
        if reached == stage:
            harness.at_stage = lambda _stage: None
            harness.pass_time(11)
            harness.work(harness.another())

    harness.at_stage = overtake
    harness.work()
    clip = harness.clip("wave")
    assert (clip.state, clip.attempt) == (ClipState.READY, 2)
    assert harness.objects() == ["wave/2/clip.mp4"]
    assert harness.types().count("ready") == 1
    assert harness.depth() == (0, 0, 0, 0)


def test_what_a_late_worker_stores_after_the_winner_is_done_is_removed_by_itself(harness: PathHarness) -> None:
    harness.submit()
    store = harness.services.clips

    class Slow:
        def put(self, key: str, chunks: Any, **options: Any) -> Any:
            harness.pass_time(11)
            harness.work(harness.another())
            info = store.put(key, chunks, **options)
            assert len(harness.objects()) == 2
            return info

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

    harness.work(harness.another(clips=Slow()))
    assert harness.clip("wave").attempt == 2
    assert harness.objects() == ["wave/2/clip.mp4"]
    assert harness.types().count("ready") == 1


def test_a_late_worker_does_not_remove_the_clip_it_had_made_itself(harness: PathHarness) -> None:
    """The commit went through but its answer was lost; what follows must not take it for another's."""
    harness.submit()

    def lose_the_answer(stage: str) -> None:
        if stage == "committed":
            raise StorageUnavailableError

    harness.at_stage = lose_the_answer
    harness.work()
    assert harness.clip("wave").state is ClipState.READY
    assert harness.objects() == ["wave/1/clip.mp4"]
    assert harness.depth() == (0, 0, 0, 0)


def slow(harness: PathHarness) -> threading.Event:
    """Let the next job take for ever, until it is told to stop; the event says that it has begun."""
    begun = threading.Event()
    harness.cutter.steps, harness.cutter.pause = 10_000, 0.02
    harness.cutter.on_step = lambda _step: begun.set()
    return begun


def test_cancelling_stops_the_work_within_a_second(harness: PathHarness) -> None:
    begun = slow(harness)
    harness.submit()
    working = threading.Thread(target=harness.work)
    working.start()
    assert begun.wait(PATIENCE)
    watch = Stopwatch()
    accept.cancel(harness.services, "wave")
    working.join(PATIENCE)
    assert watch.seconds() < 1
    assert harness.clip("wave").state is ClipState.CANCELLED
    assert (harness.objects(), harness.depth()) == ([], (0, 0, 0, 0))
    assert harness.types() == ["queued", "processing", "cancelled"]


def test_the_log_says_that_the_lease_was_lost_not_that_the_worker_stops(
    harness: PathHarness, caplog: pytest.LogCaptureFixture
) -> None:
    begun = slow(harness)
    harness.submit()
    working = threading.Thread(target=harness.work)
    with caplog.at_level("INFO"):
        working.start()
        assert begun.wait(PATIENCE)
        accept.cancel(harness.services, "wave")
        working.join(PATIENCE)
    [ended] = [record.getMessage() for record in caplog.records if "stage=ended" in record.getMessage()]
    assert "reason=lease_lost" in ended
    assert "stopping" not in caplog.text


def test_stopping_gives_the_job_in_hand_back_at_once(harness: PathHarness) -> None:
    begun = slow(harness)
    harness.submit()
    working = threading.Thread(target=Worker(harness.services).run, args=[harness.stop])
    working.start()
    assert begun.wait(PATIENCE)
    watch = Stopwatch()
    harness.stop.set()
    working.join(PATIENCE)
    assert watch.seconds() < 2
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.QUEUED, "stopped")
    assert harness.depth() == (1, 0, 0, 0)


def test_stopping_any_number_of_times_uses_up_no_tries(harness: PathHarness) -> None:
    harness.submit()
    harness.stop.set()
    worker = Worker(harness.services)
    for _ in range(3 * harness.settings.max_tries):
        assert worker.work_once(harness.stop)
    harness.stop.clear()
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


def test_progress_is_written_during_the_work(harness: PathHarness) -> None:
    begun = slow(harness)
    harness.submit()
    working = threading.Thread(target=harness.work)
    working.start()
    assert begun.wait(PATIENCE)
    fractions: set[float] = set()

    def three_were_written() -> bool:
        fractions.add(harness.clip("wave").progress.fraction)
        return len(fractions) >= 3

    eventually(three_were_written, "progress")
    harness.stop.set()
    working.join(PATIENCE)
    assert len(fractions) >= 3
    assert all(0 <= fraction <= 1 for fraction in fractions)


def test_a_recording_behind_a_link_out_of_the_store_fails_by_name(harness: PathHarness, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.mp4").write_bytes(b"x")
    (harness.settings.data / "recordings" / "link.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    harness.submit(source={"recording": "link.mp4", "start": 1, "end": 2})
    harness.work()
    failure = harness.clip("wave").failure
    assert failure is not None
    assert failure.reason == "symlink_outside"
    assert "CUTBACK_SOURCE_STORE" in failure.message
    assert "elsewhere" not in failure.message, "users need not know where it leads"
