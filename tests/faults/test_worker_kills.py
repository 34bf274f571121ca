"""Real worker processes, killed and paused: everything accepted is done once, and nothing is left behind."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.worker_processes import STAGES, THREE_OUTPUTS, WorkerProcesses, keep_two_alive, paused, request
from tests.support.sampling import slow_except
from tests.support.waiting import PATIENCE, Stopwatch, eventually, slowdown

from cutback.domain.clips.clip import ClipState
from cutback.lifecycle import accept


@pytest.mark.parametrize(
    ("at_each_stage", "at_random", "jobs"),
    [
        pytest.param(1, 2, 1, id="a dozen"),
        pytest.param(6, 32, 1, id="a hundred", marks=pytest.mark.slow),
        pytest.param(1, 3, 3, id="three jobs in each process", marks=pytest.mark.slow),
    ],
)
def test_kills_lose_nothing_and_double_nothing(
    at_each_stage: int, at_random: int, jobs: int, make_workers: Callable[..., WorkerProcesses]
) -> None:
    workers = make_workers()
    for stage in STAGES:
        workers.accident(stage, signal.SIGKILL, times=at_each_stage)
    accepted: list[str] = []

    def feed() -> None:
        while workers.services.queue.depth().visible < 3 + jobs:
            wanted = request(len(accepted), outputs=THREE_OUTPUTS)
            accepted.append(accept.submit(workers.services, wanted).id)
            if len(accepted) % 4 == 0:  # some messages come twice
                workers.services.queue.send(wanted.model_dump_json())

    ends = keep_two_alive(workers, random_kills=at_random, feed=feed, WORKER_JOBS=str(jobs))
    assert set(workers.stop()) <= {0}

    assert ends == {-signal.SIGKILL: len(STAGES) * at_each_stage + at_random}
    clips = workers.clips()
    assert sorted(clip.id for clip in clips) == sorted(accepted)
    assert {clip.state for clip in clips} == {ClipState.READY}
    assert {len(clip.result.outputs) for clip in clips if clip.result} == {3}
    assert workers.services.queue.depth().dead == 0
    assert {clip_id: len(ids) for clip_id, ids in workers.event_ids().items()} == dict.fromkeys(
        (clip.id for clip in clips), 1
    )
    workers.sweep()
    assert workers.strays() == []
    assert workers.services.records.unannounced() == []


def test_clips_that_kill_their_workers_too_often_end_as_named_failures(
    make_workers: Callable[..., WorkerProcesses],
) -> None:
    workers = make_workers(max_tries=2)
    workers.accident("rendering", signal.SIGKILL, times=5)
    for number in range(3):
        accept.submit(workers.services, request(number))
    keep_two_alive(workers, random_kills=0)
    workers.stop()
    failed = [clip for clip in workers.clips() if clip.state is ClipState.FAILED]
    ready = [clip for clip in workers.clips() if clip.state is ClipState.READY]
    assert (len(failed), len(ready)) == (2, 1)
    assert {clip.failure.reason for clip in failed if clip.failure} == {"gave_up"}
    assert workers.services.queue.depth().dead == 2

    assert accept.redrive(workers.services) == len(failed)
    list(map(Path.unlink, workers.plan.iterdir()))
    workers.start()
    eventually(workers.idle)
    workers.stop()
    assert {clip.state for clip in workers.clips()} == {ClipState.READY}
    workers.sweep()
    assert workers.strays() == []


@pytest.mark.parametrize("stage", slow_except(STAGES, "claimed", "rendered", "committed"))
def test_a_worker_paused_past_its_lease_changes_nothing_when_it_wakes(
    make_workers: Callable[..., WorkerProcesses], stage: str
) -> None:
    workers = make_workers()
    workers.accident(stage, signal.SIGSTOP)
    accept.submit(workers.services, request(1, outputs=THREE_OUTPUTS))
    late = workers.start()
    eventually(lambda: paused(late))
    workers.start()
    eventually(workers.idle)
    [winner] = workers.clips()
    # Before it claimed the clip there is nothing to take over; after it committed, there is nothing to do.
    overtaken = STAGES.index("claimed") <= STAGES.index(stage) < STAGES.index("committed")
    assert (winner.state, winner.attempt) == (ClipState.READY, 2 if overtaken else 1)

    accept.submit(workers.services, request(2))
    eventually(workers.idle)
    late.send_signal(signal.SIGCONT)
    accept.submit(workers.services, request(3))
    eventually(workers.idle)
    assert workers.stop() == [0, 0]
    [again] = [clip for clip in workers.clips() if clip.id == winner.id]
    assert (again.state, again.attempt, again.result) == (winner.state, winner.attempt, winner.result)
    assert [len(ids) for ids in workers.event_ids().values()] == [1, 1, 1]
    assert workers.strays() == [], "gone before any sweep"
    assert workers.services.queue.depth().dead == 0


def test_twenty_messages_for_four_workers_have_one_effect(make_workers: Callable[..., WorkerProcesses]) -> None:
    workers = make_workers(lease=20, visibility=30)  # a lease that runs out makes a second attempt
    for _ in range(20):
        workers.services.queue.send(request(1).model_dump_json())
    for _ in range(4):
        workers.start()
    eventually(lambda: workers.clips() and workers.idle())
    assert workers.stop() == [0, 0, 0, 0]
    [clip] = workers.clips()
    assert (clip.state, clip.attempt) == (ClipState.READY, 1)
    assert [len(ids) for ids in workers.event_ids().values()] == [1]
    assert workers.services.queue.depth().dead == 0
    assert workers.strays() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_asked_to_stop_gives_its_job_back_at_once(
    make_workers: Callable[..., WorkerProcesses], number: int
) -> None:
    workers = make_workers(lease=30, visibility=60)
    accept.submit(workers.services, request(1))
    process = workers.start(STEP_SECONDS="0.2")
    eventually(lambda: workers.clips()[0].state is ClipState.PROCESSING)
    watch = Stopwatch()
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert watch.seconds() < 5 * slowdown()
    [clip] = workers.clips()
    assert clip.state is ClipState.QUEUED
    depth = workers.services.queue.depth()
    assert (depth.visible, depth.in_flight) == (1, 0)
    assert workers.strays() == []
