"""SqsQueue over a real connection: the queue contract as far as SQS promises it, and what only this one does."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.contract.queue_contract import LONG, QueueContract, QueueFactory, drain, take
from tests.contract.racing import in_threads
from tests.support.aws import Aws, running
from tests.support.waiting import PATIENCE

from cutback.adapters.aws.queue import SqsQueue
from cutback.adapters.aws.sqs_messages import MAX_BYTES
from cutback.adapters.build import build
from cutback.domain.errors import MessageRefusedError, QueueUnavailableError, SettingsError
from cutback.ports import Queue, QueueDepth
from cutback.settings.settings import Settings, variable


class SqsQueueFactory(QueueFactory):
    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.urls: dict[str, str] = {}
        self.opened: list[SqsQueue] = []

    def url(self, name: str = "requests", *, max_receives: int = 8) -> str:
        if name not in self.urls:
            self.urls[name] = self.aws.make_queue(f"{name}-{uuid.uuid4().hex[:8]}", max_receives=max_receives)
        return self.urls[name]

    def open(self, name: str = "requests", *, visibility: float = 60, max_receives: int = 8) -> SqsQueue:
        url = self.url(name, max_receives=max_receives)
        self.opened.append(SqsQueue(url, visibility=timedelta(seconds=visibility), clock=self.aws.clock))
        return self.opened[-1]

    def opener(self) -> Callable[[], Queue]:
        return functools.partial(SqsQueue, self.url())

    def now(self) -> datetime:
        return self.aws.clock()

    def pass_time(self, seconds: float) -> None:
        self.aws.clock.advance(seconds)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        yield aws


@pytest.fixture
def queues(aws: Aws) -> Iterator[SqsQueueFactory]:
    queues = SqsQueueFactory(aws)
    yield queues
    aws.moves_messages = True
    for queue in queues.opened:
        queue.close()


class TestSqsQueue(QueueContract):
    """What SQS promises of the contract; SqsQueue's docstring says where it is less."""

    tells_age = False
    ordered = False
    exact_receipts = False
    exact_redrives = False
    accuracy = timedelta(milliseconds=50)
    longest_extension = timedelta(hours=11)
    crowd = 60


# --- dead letters ------------------------------------------------------------------------------------


def make_dead_letters(queue: SqsQueue, bodies: list[str]) -> list[str]:
    """Their ids, in order."""
    ids = []
    for body in bodies:
        ids.append(queue.send(body))
        assert queue.move_to_dead_letters(take(queue), f"no {body}")
    return ids


def test_listing_dead_letters_changes_nothing(queues: SqsQueueFactory) -> None:
    queue = queues.open()
    ids = make_dead_letters(queue, [str(number) for number in range(23)])
    first = queue.dead_letters()
    assert sorted(ids) == sorted(letter.id for letter in first)
    assert [f"no {letter.body}" for letter in first] == [letter.reason for letter in first]
    assert first == queue.dead_letters()
    assert first == queues.open().dead_letters()
    assert len(queue.dead_letters(limit=15)) == 15
    assert sum(in_threads(4, lambda _: len(queue.dead_letters()))) >= 23
    assert first == queue.dead_letters()
    assert QueueDepth(0, 0, 0, 23) == queue.depth()


def test_a_dead_letter_that_sqs_moved_gets_a_time_that_stays(queues: SqsQueueFactory) -> None:
    queue = queues.open(max_receives=2)
    message_id = queue.send("poison")
    for _ in range(2):
        assert queue.receive(visibility=timedelta(seconds=10))
        queues.pass_time(11)
    assert queue.receive() == []
    moved_at = queues.now()
    (letter,) = queue.dead_letters()
    assert (message_id, 2) == (letter.id, letter.receive_count)
    assert abs(letter.died_at - moved_at) <= TestSqsQueue.accuracy
    queues.pass_time(100)
    (again,) = queue.dead_letters()
    assert abs(letter.died_at - again.died_at) <= TestSqsQueue.accuracy
    assert (letter.id, letter.reason, letter.receive_count) == (again.id, again.reason, again.receive_count)
    assert queue.redrive([message_id]) == 1
    assert take(queue).id == message_id


def test_a_dead_letter_shows_its_latest_reason(queues: SqsQueueFactory) -> None:
    queue = queues.open(max_receives=2)
    make_dead_letters(queue, ["a"])
    assert queue.redrive() == 1
    for _ in range(2):
        take(queue)
        queues.pass_time(61)
    assert queue.receive() == []
    (letter,) = queue.dead_letters()
    assert (letter.reason, letter.receive_count) == ("It was received 2 times, but no worker finished it.", 2)


def test_dead_letters_are_sent_back_without_redrive_in_sqs(queues: SqsQueueFactory) -> None:
    queues.aws.moves_messages = False
    queue = queues.open()
    ids = make_dead_letters(queue, [str(number) for number in range(23)])
    assert queue.redrive() == 23
    received = [message for _ in range(3) for message in queue.receive(limit=10)]
    assert sorted(ids) == sorted(message.id for message in received)
    assert {1} == {message.receive_count for message in received}
    assert queue.dead_letters() == []


def test_redriving_waits_for_dead_letters_that_another_process_is_listing(queues: SqsQueueFactory) -> None:
    queue = queues.open()
    ids = make_dead_letters(queue, ["a", "b"])
    with queues.aws.client_of("sqs") as sqs, ThreadPoolExecutor(1) as pool:
        dead = f"{queues.url()}-dead"
        (held,) = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=1, VisibilityTimeout=600)["Messages"]
        redriving = pool.submit(queue.redrive, ids)
        assert take_waiting(queue) != held["Body"]
        sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0)
        assert redriving.result(PATIENCE) == 2
    assert take(queue).body == held["Body"]


def take_waiting(queue: SqsQueue) -> str:
    (message,) = queue.receive(wait=LONG)
    return message.body


def test_without_a_dead_letter_queue_no_work_begins(queues: SqsQueueFactory) -> None:
    queue = SqsQueue(queues.aws.make_queue(dead=False), setting="CUTBACK_WEBHOOK_QUEUE_URL")
    queues.opened.append(queue)
    with pytest.raises(SettingsError, match=r"CUTBACK_WEBHOOK_QUEUE_URL: .* has no dead-letter queue"):
        queue.check()
    queue.send("one")
    message = take(queue)
    with pytest.raises(SettingsError):
        queue.move_to_dead_letters(message, "enough")
    assert QueueDepth(0, 1, 0, 0) == queue.depth()
    assert queue.dead_letters() == []
    assert queue.redrive() == 0
    assert queue.delete(message)


def test_every_queue_named_is_looked_at_before_work_begins(aws: Aws, tmp_path: Path) -> None:
    names = ("queue_url", "long_queue_url", "webhook_queue_url")
    with build(Settings.model_validate({"data": tmp_path, **{name: aws.make_queue() for name in names}})) as services:
        services.check()
    for name in names:
        queues = {other: aws.make_queue(dead=other != name) for other in names}
        without = Settings.model_validate({"data": tmp_path, **queues})
        gone = Settings.model_validate({"data": tmp_path, **queues, name: f"{queues[name]}-gone"})
        with (
            build(without) as services,
            pytest.raises(SettingsError, match=f"{variable(name)}: .* has no dead-letter queue"),
        ):
            services.check()
        with (
            build(gone) as services,
            pytest.raises(QueueUnavailableError, match=f"{variable(name)}: .*-gone: it does not exist"),
        ):
            services.check()


def test_a_redrive_policy_more_impatient_than_the_settings_is_warned_of(
    queues: SqsQueueFactory, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "cutback"):
        queues.open("patient", max_receives=8).check()
        assert caplog.messages == []
        queues.open("hasty", max_receives=3).check()
    (warning,) = caplog.messages
    assert "maxReceiveCount=3" in warning
    assert "set it to 8" in warning


# --- limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["x" * MAX_BYTES, "波" * (MAX_BYTES // 3)], ids=["letters", "three-byte characters"])
def test_a_body_of_a_mebibyte_is_carried_and_buried(queues: SqsQueueFactory, body: str) -> None:
    queue = queues.open()
    queue.send(body)
    assert queue.move_to_dead_letters(take(queue), "r" * 5000)
    (letter,) = queue.dead_letters()
    assert body == letter.body
    assert [letter] == queue.dead_letters()
    assert queue.redrive([letter.id]) == 1
    assert body == take(queue).body


def test_a_body_of_more_is_refused(queues: SqsQueueFactory) -> None:
    queue = queues.open()
    with pytest.raises(MessageRefusedError, match=str(MAX_BYTES)):
        queue.send("波" * (MAX_BYTES // 3 + 1))
    small = SqsQueue(queues.aws.make_queue(MaximumMessageSize="1024"))
    queues.opened.append(small)
    with pytest.raises(MessageRefusedError, match="1025 bytes"):
        small.send("x" * 1025)
    assert QueueDepth(0, 0, 0, 0) == queue.depth()


def test_ten_are_sent_in_a_call_and_what_is_not_taken_in_company_alone(
    queues: SqsQueueFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = queues.open()
    asking = queue._clients.asking
    send, sizes = asking.send_message_batch, []

    def half_taken(*, Entries: list[dict[str, str]], **rest: str) -> dict[str, object]:  # noqa: N803 - botocore's
        sizes.append(len(Entries))
        answer = send(Entries=Entries[::2], **rest)
        return {**answer, "Failed": [{"Id": each["Id"], "SenderFault": False} for each in Entries[1::2]]}

    monkeypatch.setattr(asking, "send_message_batch", half_taken)
    sent = [str(number) for number in range(24)]
    ids = queue.send_all(sent)
    assert sizes == [10, 10, 4]
    received = [message for _ in range(3) for message in queue.receive(limit=10)]
    assert dict(zip(ids, sent, strict=True)) == {message.id: message.body for message in received}


def test_of_many_it_is_named_what_is_wrong_with_one(queues: SqsQueueFactory) -> None:
    small = SqsQueue(queues.aws.make_queue(MaximumMessageSize="1024"))
    queues.opened.append(small)
    with pytest.raises(MessageRefusedError, match="1025 bytes"):
        small.send_all(["x", "y" * 1025])


def test_fractions_of_seconds_are_rounded_up(queues: SqsQueueFactory) -> None:
    queue = queues.open()
    queue.send("later", delay=timedelta(seconds=0.2))
    queues.pass_time(0.9)
    assert queue.receive() == []
    queues.pass_time(0.2)
    message = take(queue)
    assert queue.extend(message, timedelta(seconds=1.2))
    queues.pass_time(1.9)
    assert queue.receive() == []
    queues.pass_time(0.2)
    assert drain(queue) == ["later"]


def test_a_queue_that_is_not_there_is_unavailable_by_name(queues: SqsQueueFactory) -> None:
    queue = SqsQueue(f"{queues.url()}-gone")
    queues.opened.append(queue)
    with pytest.raises(QueueUnavailableError, match="-gone: it does not exist"):
        queue.check()
    with pytest.raises(QueueUnavailableError, match="-gone: it does not exist"):
        queue.send("one")
