"""One worker process makes several clips at once, each with its own lease and name."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.path.harness import PathHarness
from tests.support.waiting import PATIENCE, eventually

from cutback.domain.clips.clip import ClipState
from cutback.lifecycle import accept
from cutback.worker import poll
from cutback.worker.jobs import Job, all_present, jobs_of, run_jobs
from cutback.worker.presence import running

JOBS = 3


@contextmanager
def at_work(harness: PathHarness, jobs: list[Job]) -> Iterator[None]:
    thread = threading.Thread(target=run_jobs, args=[jobs, harness.stop])
    thread.start()
    try:
        yield
    finally:
        harness.stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def jobs(harness: PathHarness) -> list[Job]:
    return jobs_of(harness.services, JOBS, lambda: harness.cutter)


def test_clips_are_made_at_the_same_time_by_workers_with_names_of_their_own(
    harness: PathHarness, jobs: list[Job]
) -> None:
    together, holders = threading.Barrier(JOBS), set[str]()
    ids = [harness.submit(id=f"wave-{number}").id for number in range(2 * JOBS)]

    def step(_number: int) -> None:
        together.wait(PATIENCE)
        holders.update(harness.clip(each).worker for each in ids)

    harness.cutter.on_step = step
    with at_work(harness, jobs):
        eventually(lambda: all(harness.clip(each).state is ClipState.READY for each in ids), "all clips")
    name = harness.services.worker
    assert holders - {""} == {name, f"{name}-2", f"{name}-3"}
    assert [job.counts.figures.made for job in jobs] == [2, 2, 2]
    assert Counter(harness.types())["ready"] == 2 * JOBS
    assert harness.depth() == (0, 0, 0, 0)


def test_all_jobs_return_their_clips_when_the_worker_is_told_to_stop(harness: PathHarness, jobs: list[Job]) -> None:
    harness.cutter.steps, harness.cutter.pause = 10_000, 0.05
    ids = [harness.submit(id=f"wave-{number}").id for number in range(JOBS)]
    with at_work(harness, jobs):
        eventually(lambda: len(harness.cutter.jobs) == JOBS, "a job in each thread")
    assert {harness.clip(each).state for each in ids} == {ClipState.QUEUED}
    assert harness.depth() == (JOBS, 0, 0, 0)
    assert harness.objects() == []


def test_a_job_whose_clip_is_cancelled_stops_alone(harness: PathHarness, jobs: list[Job]) -> None:
    go_on = threading.Event()

    def step(number: int) -> None:
        if number == 1:
            eventually(lambda: go_on.is_set() or harness.clip("wave-0").state.final, "the other clip")

    harness.cutter.steps, harness.cutter.on_step = 3, step
    ids = [harness.submit(id=f"wave-{number}").id for number in range(2)]
    with at_work(harness, jobs):
        eventually(lambda: len(harness.cutter.jobs) == len(ids), "a job for each clip")
        accept.cancel(harness.services, "wave-0")
        go_on.set()
        eventually(lambda: harness.clip("wave-1").state is ClipState.READY, "the other clip")
    assert harness.clip("wave-0").state is ClipState.CANCELLED


def test_one_job_at_a_time_asks_the_queue_and_one_keeps_house(
    harness: PathHarness, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, alone, houses = threading.Lock(), list[bool](), set[str]()
    receive = type(harness.services.queue).receive

    def asked(queue: object, **options: object) -> object:
        if queue is not harness.services.queue:  # that of webhooks
            return receive(queue, **options)  # type: ignore[arg-type]
        free = asking.acquire(blocking=False)
        alone.append(free)
        try:
            return receive(queue, **options)  # type: ignore[arg-type]
        finally:
            if free:
                asking.release()

    monkeypatch.setattr(type(harness.services.queue), "receive", asked)
    monkeypatch.setattr(poll, "housekeep", lambda services: houses.add(services.worker))
    ids = [harness.submit(id=f"wave-{number}").id for number in range(6)]
    with at_work(harness, jobs):
        eventually(lambda: all(harness.clip(each).state is ClipState.READY for each in ids), "all clips")
    assert all(alone), "nobody asked while another did"
    assert houses == {harness.services.worker}


def test_each_job_is_shown_as_a_worker_while_it_runs(harness: PathHarness, jobs: list[Job]) -> None:
    name = harness.services.worker
    with all_present(jobs):
        assert sorted(running(harness.settings.data)) == [name, f"{name}-2", f"{name}-3"]
    assert running(harness.settings.data) == []
