"""A real worker with its queue on SQS and its events on SNS: killed on the way, and asked to stop."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.test_worker_kills import Yard, eventually, request
from tests.support.aws import Aws, running

from cutback import accept
from cutback.clip import ClipState

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        yield aws


class SqsYard(Yard):
    """A yard whose queue is on SQS. SQS's time passes while somebody waits."""

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

        eventually(waited, seconds=60)

    def told(self) -> list[str]:
        found: list[str] = []
        with self.aws.client_of("sqs") as sqs:
            while messages := sqs.receive_message(QueueUrl=self.told_url, MaxNumberOfMessages=10).get("Messages"):
                found += [json.loads(message["Body"])["id"] for message in messages]
        return found


@pytest.fixture
def yard(tmp_path: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsYard]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    yard = SqsYard(tmp_path, aws)
    yield yard
    for process in yard.processes:
        process.kill()
        process.wait()
    yard.services.close()


@pytest.mark.parametrize("stage", ["received", "rendering", "stored", "committed", "announced"])
def test_the_message_of_a_killed_worker_comes_back_and_its_clip_is_made_once(yard: SqsYard, stage: str) -> None:
    yard.accident(stage, signal.SIGKILL)
    accept.submit(yard.services, request(1))
    assert yard.start().wait(60) == -signal.SIGKILL
    yard.processes.clear()
    depth = yard.services.queue.depth()
    assert (depth.visible, depth.in_flight) == (0, 1)
    yard.start()
    yard.eventually(yard.idle)
    yard.eventually(lambda: not yard.services.records.unannounced())
    assert yard.stop() == [0]

    [clip] = yard.clips()
    assert (clip.state, yard.services.queue.depth().dead) == (ClipState.READY, 0)
    committed = [event.id for _, event in yard.services.records.events_after(0, limit=1000)]
    assert set(committed) == set(yard.told())
    assert [len(ids) for ids in yard.event_ids().values()] == [1]
    yard.sweep()
    assert yard.strays() == []


def test_a_worker_asked_to_stop_gives_its_message_back_at_once(yard: SqsYard) -> None:
    accept.submit(yard.services, request(1))
    process = yard.start(STEP_SECONDS="1")
    yard.eventually(lambda: yard.clips()[0].state is ClipState.PROCESSING)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    depth = yard.services.queue.depth()
    assert (depth.visible, depth.in_flight) == (1, 0)
    assert yard.clips()[0].state is ClipState.QUEUED


def test_poison_beside_good_messages_dies_with_its_reason_and_comes_back_by_redrive(yard: SqsYard) -> None:
    yard.services.queue.send('{"id": "poison", "source": []}')
    for number in range(3):
        accept.submit(yard.services, request(number))
    yard.start()
    yard.eventually(lambda: len(yard.clips()) == 3 and yard.idle() and yard.services.queue.depth().dead)
    (letter,) = yard.services.queue.dead_letters()
    assert "source" in letter.reason
    assert accept.redrive(yard.services) == 1
    yard.eventually(lambda: yard.idle() and yard.services.queue.depth().dead)
    assert yard.stop() == [0]
    (again,) = yard.services.queue.dead_letters()
    assert (letter.body, letter.reason) == (again.body, again.reason)
    assert {clip.state for clip in yard.clips()} == {ClipState.READY}
