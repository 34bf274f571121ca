"""Real worker processes, killed and paused: all that was accepted ends once, and nothing is left behind."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.yard import STAGES, Yard, eventually, keep_two_alive, paused, request

from cutback import accept
from cutback.clip import ClipState


def test_a_hundred_kills_lose_nothing_and_double_nothing(make_yard: Callable[..., Yard]) -> None:
    yard = make_yard()
    for stage in STAGES:
        yard.accident(stage, signal.SIGKILL, times=6)
    accepted: list[str] = []

    def feed() -> None:
        while yard.services.queue.depth().visible < 4:
            wanted = request(len(accepted))
            accepted.append(accept.submit(yard.services, wanted).id)
            if len(accepted) % 4 == 0:  # some messages come twice
                yard.services.queue.send(wanted.model_dump_json())

    ends = keep_two_alive(yard, random_kills=32, seconds=90, feed=feed)
    assert set(yard.stop()) == {0}

    assert ends[-signal.SIGKILL] >= 100
    assert set(ends) == {-signal.SIGKILL}
    clips = yard.clips()
    assert sorted(clip.id for clip in clips) == sorted(accepted)
    assert {clip.state for clip in clips} == {ClipState.READY}
    assert yard.services.queue.depth().dead == 0
    assert {clip_id: len(ids) for clip_id, ids in yard.event_ids().items()} == dict.fromkeys(
        (clip.id for clip in clips), 1
    )
    yard.sweep()
    assert yard.strays() == []
    assert yard.services.records.unannounced() == []


def test_clips_that_kill_their_workers_too_often_end_as_named_failures(
    make_yard: Callable[..., Yard],
) -> None:
    yard = make_yard(max_tries=2)
    yard.accident("rendering", signal.SIGKILL, times=5)
    for number in range(3):
        accept.submit(yard.services, request(number))
    keep_two_alive(yard, random_kills=0, seconds=60)
    yard.stop()
    failed = [clip for clip in yard.clips() if clip.state is ClipState.FAILED]
    ready = [clip for clip in yard.clips() if clip.state is ClipState.READY]
    assert (len(failed), len(ready)) == (2, 1)
    assert {clip.failure.reason for clip in failed if clip.failure} == {"gave_up"}
    assert yard.services.queue.depth().dead == 2

    assert accept.redrive(yard.services) == len(failed)
    list(map(Path.unlink, yard.plan.iterdir()))
    yard.start()
    eventually(yard.idle)
    yard.stop()
    assert {clip.state for clip in yard.clips()} == {ClipState.READY}
    yard.sweep()
    assert yard.strays() == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_paused_past_its_lease_changes_nothing_when_it_wakes(
    make_yard: Callable[..., Yard], stage: str
) -> None:
    yard = make_yard()
    yard.accident(stage, signal.SIGSTOP)
    accept.submit(yard.services, request(1))
    late = yard.start()
    eventually(lambda: paused(late))
    yard.start()
    eventually(yard.idle)
    [winner] = yard.clips()
    # Before it claimed the clip there is nothing to take over; after it committed, there is nothing to do.
    overtaken = STAGES.index("claimed") <= STAGES.index(stage) < STAGES.index("committed")
    assert (winner.state, winner.attempt) == (ClipState.READY, 2 if overtaken else 1)

    accept.submit(yard.services, request(2))
    eventually(yard.idle)
    late.send_signal(signal.SIGCONT)
    accept.submit(yard.services, request(3))
    eventually(yard.idle)
    assert yard.stop() == [0, 0]
    [again] = [clip for clip in yard.clips() if clip.id == winner.id]
    assert (again.state, again.attempt, again.result) == (winner.state, winner.attempt, winner.result)
    assert [len(ids) for ids in yard.event_ids().values()] == [1, 1, 1]
    assert yard.strays() == [], "gone before any sweep"
    assert yard.services.queue.depth().dead == 0


def test_twenty_messages_for_four_workers_have_one_effect(make_yard: Callable[..., Yard]) -> None:
    yard = make_yard()
    for _ in range(20):
        yard.services.queue.send(request(1).model_dump_json())
    for _ in range(4):
        yard.start()
    eventually(lambda: yard.clips() and yard.idle())
    assert yard.stop() == [0, 0, 0, 0]
    [clip] = yard.clips()
    assert (clip.state, clip.attempt) == (ClipState.READY, 1)
    assert [len(ids) for ids in yard.event_ids().values()] == [1]
    assert yard.services.queue.depth().dead == 0
    assert yard.strays() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_asked_to_stop_gives_its_job_back_at_once(make_yard: Callable[..., Yard], number: int) -> None:
    yard = make_yard(lease=30, visibility=60)
    accept.submit(yard.services, request(1))
    process = yard.start(STEP_SECONDS="0.2")
    eventually(lambda: yard.clips()[0].state is ClipState.PROCESSING)
    process.send_signal(number)
    assert process.wait(5) == 0
    [clip] = yard.clips()
    assert clip.state is ClipState.QUEUED
    depth = yard.services.queue.depth()
    assert (depth.visible, depth.in_flight) == (1, 0)
    assert yard.strays() == []
