"""The path as a whole: what becomes of a message, of its clip, and of what lies in the stores."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from tests.path.conftest import World, request

from cutback import accept
from cutback.adapters.queue_sqlite import SqliteQueue
from cutback.adapters.records_sqlite import SqliteRecords
from cutback.clip import ClipState
from cutback.errors import (
    CutbackError,
    DifferentRequestError,
    MediaUnreadableError,
    StorageFullError,
    StorageUnavailableError,
)
from cutback.worker import Worker

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


def test_a_request_becomes_a_clip_that_is_stored_recorded_and_announced(world: World) -> None:
    accepted = world.submit(title="A wave", tags=["surf"])
    assert accepted.state is ClipState.QUEUED
    assert world.work() == 1
    clip = world.clip("wave")
    assert clip.state is ClipState.READY
    assert clip.result is not None
    assert world.objects() == [clip.result.key] == ["wave/1/clip.mp4"]
    stored = (world.settings.data / "clips" / clip.result.key).read_bytes()
    assert stored == b"".join(world.cutter.renditions[0].chunks())
    assert clip.result.size == len(stored)
    assert clip.result.bytes_read > 0
    assert clip.result.requests > 0
    assert clip.result.source_size == (world.settings.data / "recordings" / "sea.mp4").stat().st_size
    assert (clip.result.spans[0].recording, clip.result.spans[0].start) == ("sea.mp4", Fraction(1))
    assert clip.result.etag
    assert world.types() == ["queued", "processing", "ready"]
    assert world.services.records.unannounced() == []
    assert world.depth() == (0, 0, 0, 0)
    assert world.cutter.renditions[0].closed


def test_asking_twice_is_asking_once(world: World) -> None:
    first = world.submit()
    assert world.submit().id == first.id
    world.work()
    assert world.submit().state is ClipState.READY
    assert world.work() == 0
    assert len(world.cutter.jobs) == 1


def test_an_id_of_another_request_is_refused_at_the_door_and_in_the_queue(world: World) -> None:
    world.submit()
    with pytest.raises(DifferentRequestError):
        world.submit(title="other")
    world.services.queue.send(request(title="other").model_dump_json())
    world.work()
    assert [clip.state for clip in [world.clip("wave")]] == [ClipState.READY]
    assert "already belongs to a different request" in world.dead_reasons()[0]


def test_a_message_that_came_many_times_has_one_effect(world: World) -> None:
    for _ in range(20):
        world.services.queue.send(request().model_dump_json())
    world.work()
    assert (len(world.cutter.jobs), world.types().count("ready")) == (1, 1)
    assert world.depth() == (0, 0, 0, 0)


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
    world: World, body: str, faults: list[str]
) -> None:
    world.services.queue.send(body)
    assert world.work() == 1
    assert world.depth() == (0, 0, 0, 1)
    assert [fault for fault in faults if fault not in world.dead_reasons()[0]] == []
    world.submit()
    world.work()
    assert world.clip("wave").state is ClipState.READY


def test_a_missing_recording_fails_the_clip_at_once_and_by_name(world: World) -> None:
    world.submit(source={"recording": "nothing.mp4", "start": 0, "end": 1})
    world.work()
    clip = world.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "recording_not_found")
    assert world.types() == ["queued", "processing", "failed"]
    assert world.depth() == (0, 0, 0, 0)


def test_bad_media_fails_one_clip_and_leaves_the_next_alone(world: World) -> None:
    world.cutter.on_step = raising(MediaUnreadableError("no moov"), times=1)
    world.submit()
    world.submit(id="next")
    world.work()
    failed, ready = world.clip("wave"), world.clip("next")
    assert failed.failure is not None
    assert (failed.failure.reason, ready.state) == ("media_unreadable", ClipState.READY)
    assert world.objects() == ["next/1/clip.mp4"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StorageUnavailableError(), "storage_unavailable"),
        (OSError(errno.ENOSPC, "x"), "storage_full"),
        (KeyError("a bug"), "internal_error"),
    ],
)
def test_what_may_pass_is_tried_again_later(world: World, error: Exception, reason: str) -> None:
    world.cutter.on_step = raising(error, times=1)
    world.submit()
    assert world.work() == 1
    clip = world.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.QUEUED, reason)
    world.pass_time(2)
    world.work()
    clip = world.clip("wave")
    assert (clip.state, clip.failure, clip.attempt) == (ClipState.READY, None, 2)
    assert world.objects() == ["wave/2/clip.mp4"]


def exhaust(world: World) -> None:
    for _ in range(world.settings.max_tries):
        world.work()
        world.pass_time(30)


@pytest.mark.parametrize("error", [StorageUnavailableError("the store is away"), KeyError("a bug")])
def test_what_does_not_pass_fails_the_clip_and_is_put_aside_to_be_brought_back(world: World, error: Exception) -> None:
    world.cutter.on_step = raising(error)
    world.submit()
    exhaust(world)
    assert world.clip("wave").state is ClipState.FAILED
    assert world.depth() == (0, 0, 0, 1)
    assert len(world.cutter.jobs) == world.settings.max_tries

    world.cutter.on_step = lambda _step: None
    assert accept.redrive(world.services) == 1
    assert world.clip("wave").state is ClipState.QUEUED
    world.work()
    assert world.clip("wave").state is ClipState.READY
    assert world.depth() == (0, 0, 0, 0)


def test_a_dead_letter_brought_back_by_other_means_is_tried_again_too(world: World) -> None:
    world.cutter.on_step = raising(StorageUnavailableError())
    world.submit()
    exhaust(world)
    world.cutter.on_step = lambda _step: None
    assert world.services.queue.redrive() == 1
    world.work()
    assert world.clip("wave").state is ClipState.READY


class BrokenStore:
    """A clip store in which nothing can be put."""

    def __init__(self, store: Any, error: CutbackError) -> None:
        self._store, self._error = store, error

    def put(self, *_: Any, **__: Any) -> None:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.mark.parametrize("error", [StorageFullError(), StorageUnavailableError("read-only")])
def test_a_store_that_takes_nothing_delays_the_clip_and_loses_nothing(world: World, error: CutbackError) -> None:
    world.submit()
    world.work(world.another(clips=BrokenStore(world.services.clips, error)))
    clip = world.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason, world.objects()) == (ClipState.QUEUED, error.reason, [])
    world.pass_time(2)
    world.work()
    assert world.clip("wave").state is ClipState.READY


@pytest.mark.parametrize("stage", ["received", "claimed", "rendered", "stored"])
def test_a_database_that_stays_locked_delays_the_clip_and_loses_nothing(world: World, stage: str) -> None:
    world.submit()
    path, short = world.settings.database_path, timedelta(seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    impatient = world.another(
        records=SqliteRecords(path, clock=world.now, patience=short),
        queue=SqliteQueue(path, "clips", visibility=world.settings.visibility_time, clock=world.now, patience=short),
    )

    def lock(reached: str) -> None:
        if reached == stage:
            other.execute("BEGIN IMMEDIATE")

    world.at_stage = lock
    assert Worker(impatient).work_once(world.stop, wait=timedelta())
    assert other.in_transaction
    world.at_stage = lambda _stage: None
    other.execute("ROLLBACK")
    other.close()
    world.pass_time(11)
    world.work()
    clip = world.clip("wave")
    assert clip.result is not None
    assert world.objects() == [clip.result.key]
    assert world.types().count("ready") == 1
    assert world.depth() == (0, 0, 0, 0)


def test_what_lies_where_an_attempt_would_store_its_clip_is_not_taken_for_it(world: World) -> None:
    place = world.settings.data / "clips" / "wave" / "1"
    place.mkdir(parents=True)
    (place / "clip.mp4").write_bytes(b"of an earlier database")
    world.submit()
    world.work()
    world.pass_time(2)
    world.work()
    clip = world.clip("wave")
    assert clip.result is not None
    assert world.objects() == [clip.result.key]
    assert clip.result.size == world.cutter.size


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_that_dies_at_any_stage_leaves_one_clip_to_the_next(world: World, stage: str) -> None:
    world.submit()
    world.die_at(stage)
    world.pass_time(11)
    world.work()
    clip = world.clip("wave")
    assert clip.result is not None
    assert world.objects() == [clip.result.key]
    assert world.types().count("ready") == 1
    assert world.depth() == (0, 0, 0, 0)


@pytest.mark.parametrize("stage", ["claimed", "rendered"])
def test_a_clip_that_kills_every_worker_is_given_up_by_name(world: World, stage: str) -> None:
    world.submit()
    for _ in range(world.settings.max_tries):
        world.die_at(stage)
        world.pass_time(11)
    world.work()
    clip = world.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "gave_up")
    assert world.depth() == (0, 0, 0, 1)
    accept.redrive(world.services)
    world.work()
    assert world.clip("wave").state is ClipState.READY


def test_a_worker_that_dies_while_giving_up_leaves_the_letter_to_the_next(world: World) -> None:
    world.cutter.on_step = raising(StorageUnavailableError())
    world.submit()
    for _ in range(world.settings.max_tries - 1):
        world.work()
        world.pass_time(30)
    world.die_at("failed")
    world.pass_time(11)
    world.work()
    assert world.clip("wave").state is ClipState.FAILED
    assert world.depth() == (0, 0, 0, 1)
    assert len(world.cutter.jobs) == world.settings.max_tries


def test_a_duplicate_of_a_clip_in_work_waits_for_the_lease_and_uses_up_no_tries(world: World) -> None:
    world.submit()
    seen: list[tuple[int, int, int, int]] = []

    def meanwhile(stage: str) -> None:
        if stage == "rendered":
            for _ in range(2 * world.settings.max_tries):
                world.services.queue.send(request().model_dump_json())
                world.at_stage = lambda _stage: None
                world.work(world.another())
            seen.append(world.depth())

    world.at_stage = meanwhile
    world.work()
    assert seen[0][0] == 0
    assert len(world.cutter.jobs) == 1
    for _ in range(10):
        world.pass_time(6)
        world.work()
    assert world.clip("wave").attempt == 1
    assert world.depth() == (0, 0, 0, 0)


def test_a_duplicate_outlives_any_number_of_leases(make_world: Callable[..., World]) -> None:
    world = make_world(max_tries=1)
    world.submit()
    [held] = world.services.queue.receive(limit=1)
    claimed = world.clip("wave").claimed(worker="other", now=world.now(), lease=world.settings.lease_time)
    assert world.services.records.commit(claimed)
    world.services.queue.send(request().model_dump_json())
    for _ in range(8):
        world.services.records.beat(
            "wave", 1, lease_until=world.now() + world.settings.lease_time, progress=claimed.progress
        )
        world.services.queue.extend(held, world.settings.visibility_time)
        world.work()
        world.pass_time(5.1)
    world.services.queue.delete(held)
    world.pass_time(10)
    world.work()
    assert world.dead_reasons() == []
    assert world.clip("wave").state is ClipState.READY


@pytest.mark.parametrize("stage", ["resolved", "rendered", "stored"])
def test_a_late_worker_changes_nothing_and_leaves_nothing(world: World, stage: str) -> None:
    world.submit()

    def overtake(reached: str) -> None:
        if reached == stage:
            world.at_stage = lambda _stage: None
            world.pass_time(11)
            world.work(world.another())

    world.at_stage = overtake
    world.work()
    clip = world.clip("wave")
    assert (clip.state, clip.attempt) == (ClipState.READY, 2)
    assert world.objects() == ["wave/2/clip.mp4"]
    assert world.types().count("ready") == 1
    assert world.depth() == (0, 0, 0, 0)


def test_what_a_late_worker_stores_after_the_winner_is_done_is_removed_by_itself(world: World) -> None:
    world.submit()
    store = world.services.clips

    class Slow:
        def put(self, key: str, chunks: Any, **options: Any) -> Any:
            world.pass_time(11)
            world.work(world.another())
            info = store.put(key, chunks, **options)
            assert len(world.objects()) == 2
            return info

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

    world.work(world.another(clips=Slow()))
    assert world.clip("wave").attempt == 2
    assert world.objects() == ["wave/2/clip.mp4"]
    assert world.types().count("ready") == 1


def test_a_late_worker_does_not_remove_the_clip_it_had_made_itself(world: World) -> None:
    """The commit went through but its answer was lost; what follows must not take it for another's."""
    world.submit()

    def lose_the_answer(stage: str) -> None:
        if stage == "committed":
            raise StorageUnavailableError

    world.at_stage = lose_the_answer
    world.work()
    assert world.clip("wave").state is ClipState.READY
    assert world.objects() == ["wave/1/clip.mp4"]
    assert world.depth() == (0, 0, 0, 0)


def slow(world: World) -> threading.Event:
    """Let the next job take for ever, until it is told to stop; the event says that it has begun."""
    begun = threading.Event()
    world.cutter.steps, world.cutter.pause = 10_000, 0.02
    world.cutter.on_step = lambda _step: begun.set()
    return begun


def test_cancelling_stops_the_work_within_a_second(world: World) -> None:
    begun = slow(world)
    world.submit()
    working = threading.Thread(target=world.work)
    working.start()
    assert begun.wait(5)
    before = time.monotonic()
    accept.cancel(world.services, "wave")
    working.join(5)
    assert time.monotonic() - before < 1
    assert world.clip("wave").state is ClipState.CANCELLED
    assert (world.objects(), world.depth()) == ([], (0, 0, 0, 0))
    assert world.types() == ["queued", "processing", "cancelled"]


def test_stopping_gives_the_job_in_hand_back_at_once(world: World) -> None:
    begun = slow(world)
    world.submit()
    working = threading.Thread(target=Worker(world.services).run, args=[world.stop])
    working.start()
    assert begun.wait(5)
    before = time.monotonic()
    world.stop.set()
    working.join(5)
    assert time.monotonic() - before < 2
    clip = world.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.QUEUED, "stopped")
    assert world.depth() == (1, 0, 0, 0)


def test_stopping_any_number_of_times_uses_up_no_tries(world: World) -> None:
    world.submit()
    world.stop.set()
    worker = Worker(world.services)
    for _ in range(3 * world.settings.max_tries):
        assert worker.work_once(world.stop)
    world.stop.clear()
    world.work()
    assert world.clip("wave").state is ClipState.READY


def test_progress_is_written_while_the_work_goes_on(world: World) -> None:
    begun = slow(world)
    world.submit()
    working = threading.Thread(target=world.work)
    working.start()
    assert begun.wait(5)
    deadline = time.monotonic() + 5
    fractions: set[float] = set()
    while len(fractions) < 3 and time.monotonic() < deadline:
        fractions.add(world.clip("wave").progress.fraction)
        threading.Event().wait(0.05)
    world.stop.set()
    working.join(5)
    assert len(fractions) >= 3
    assert all(0 <= fraction <= 1 for fraction in fractions)
