"""A real worker with its queue on SQS and its events on SNS: killed in the middle, and asked to stop."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.worker_processes import WorkerProcesses, request
from tests.support.aws import Aws, running
from tests.support.waiting import PATIENCE, Stopwatch, eventually, slowdown

from cutback.domain.clips.clip import ClipState
from cutback.lifecycle import accept

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        yield aws


class SqsWorkerProcesses(WorkerProcesses):
    """Worker processes whose queue is on SQS. SQS's time passes while the test waits."""

    def __init__(self, folder: Path, aws: Aws, **settings: Any) -> None:
        self.aws = aws
        self.told_url = aws.make_queue(dead=False)
        super().__init__(
            folder, queue_url=aws.make_queue(max_receives=63), announce_urls=aws.make_topic(self.told_url), **settings
        )

    def eventually(self, condition: Callable[[], object]) -> None:
        def waited() -> object:
            self.aws.clock.advance(0.1)
            return condition()

        eventually(waited, moves=self.state)

    def told(self) -> list[str]:
        found: list[str] = []
        with self.aws.client_of("sqs") as sqs:
            while messages := sqs.receive_message(QueueUrl=self.told_url, MaxNumberOfMessages=10).get("Messages"):
                found += [json.loads(message["Body"])["id"] for message in messages]
        return found


@pytest.fixture
def workers(tmp_path: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsWorkerProcesses]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    workers = SqsWorkerProcesses(tmp_path, aws)
    yield workers
    for process in workers.processes:
        process.kill()
        process.wait()
    workers.services.close()


@pytest.mark.parametrize("stage", ["received", "rendering", "stored", "committed", "announced"])
def test_the_message_of_a_killed_worker_comes_back_and_its_clip_is_made_once(
    workers: SqsWorkerProcesses, stage: str
) -> None:
    workers.accident(stage, signal.SIGKILL)
    accept.submit(workers.services, request(1))
    assert workers.start().wait(PATIENCE) == -signal.SIGKILL
    workers.processes.clear()
    depth = workers.services.queue.depth()
    assert (depth.visible, depth.in_flight) == (0, 1)
    workers.start()
    workers.eventually(workers.idle)
    workers.eventually(lambda: not workers.services.records.unannounced())
    assert workers.stop() == [0]

    [clip] = workers.clips()
    assert (clip.state, workers.services.queue.depth().dead) == (ClipState.READY, 0)
    committed = [event.id for _, event in workers.services.records.events_after(0, limit=1000)]
    assert set(committed) == set(workers.told())
    assert [len(ids) for ids in workers.event_ids().values()] == [1]
    workers.sweep()
    assert workers.strays() == []


def test_a_worker_asked_to_stop_gives_its_message_back_at_once(workers: SqsWorkerProcesses) -> None:
    accept.submit(workers.services, request(1))
    process = workers.start(STEP_SECONDS="1")
    workers.eventually(lambda: workers.clips()[0].state is ClipState.PROCESSING)
    watch = Stopwatch()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert watch.seconds() < 10 * slowdown()
    depth = workers.services.queue.depth()
    assert (depth.visible, depth.in_flight) == (1, 0)
    assert workers.clips()[0].state is ClipState.QUEUED


def test_poison_among_good_messages_becomes_a_dead_letter_that_can_be_redriven(
    workers: SqsWorkerProcesses,
) -> None:
    workers.services.queue.send('{"id": "poison", "source": []}')
    for number in range(3):
        accept.submit(workers.services, request(number))
    workers.start()
    workers.eventually(lambda: len(workers.clips()) == 3 and workers.idle() and workers.services.queue.depth().dead)
    (letter,) = workers.services.queue.dead_letters()
    assert "source" in letter.reason
    assert accept.redrive(workers.services) == 1
    workers.eventually(lambda: workers.idle() and workers.services.queue.depth().dead)
    assert workers.stop() == [0]
    (again,) = workers.services.queue.dead_letters()
    assert (letter.body, letter.reason) == (again.body, again.reason)
    assert {clip.state for clip in workers.clips()} == {ClipState.READY}
