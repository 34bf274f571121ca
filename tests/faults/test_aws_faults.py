"""Faults injected between Cutback and SQS and SNS: nothing is lost, nothing is done twice, nothing blocks for ever."""

from __future__ import annotations

import dataclasses
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import faulty_proxy as faults
from tests.support.aws import ENVIRONMENT, Aws, running
from tests.support.fake_cutter import FakeCutter
from tests.support.faulty_proxy import FaultyProxy

from cutback.adapters.aws import clients as shared
from cutback.adapters.aws import sqs_messages
from cutback.adapters.aws.announcer import SnsAnnouncer
from cutback.adapters.aws.queue import SqsQueue
from cutback.adapters.build import build
from cutback.domain.base import utc_now
from cutback.domain.clips.clip import ClipState
from cutback.domain.clips.event import Event
from cutback.domain.errors import CutbackError, QueueUnavailableError, SurroundingsError
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.lifecycle import accept
from cutback.lifecycle.housekeeping import housekeep
from cutback.ports import ClipQuery, Message, QueueDepth
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.worker.poll import Worker

pytestmark = pytest.mark.slow

NOTHING = QueueDepth(0, 0, 0, 0)
QUICK = [fault for fault in faults.FAULTS if fault not in {faults.HANG, faults.HANG_AFTER}]
"""To a caller, silence is a dropped connection that takes longer."""


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        yield aws


@pytest.fixture
def proxy(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    with faults.between(aws.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        for module in (shared, sqs_messages):
            monkeypatch.setattr(module, "READ_SECONDS", 4)
        monkeypatch.setattr(sqs_messages, "MAX_WAIT_SECONDS", 1)
        yield proxy


@pytest.fixture
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "ATTEMPTS", 1)


@pytest.fixture
def queue(aws: Aws, proxy: FaultyProxy) -> Iterator[SqsQueue]:
    queue = SqsQueue(aws.make_queue(), clock=aws.clock)
    yield queue
    queue.close()


def event(number: int = 1, **data: Any) -> Event:
    return Event(
        id=f"wave.{number}", type="clip.ready", subject="wave", time=utc_now(), data={"state": "ready", **data}
    )


def calls(queue: SqsQueue, message: Message) -> dict[str, Callable[[], object]]:
    """The calls that reach SQS, by the action they fail at."""
    return {
        "SendMessage": lambda: queue.send("one"),
        "SendMessageBatch": lambda: queue.send_all(["one", "other"]),
        "ReceiveMessage": queue.receive,
        "ChangeMessageVisibility": lambda: queue.extend(message, timedelta(seconds=60)),
        "GetQueueAttributes": queue.depth,
        "StartMessageMoveTask": queue.redrive,
        "ListMessageMoveTasks": queue.redrive,
        "DeleteMessage": lambda: queue.delete(message),
    }


@pytest.mark.usefixtures("no_second_try")
@pytest.mark.parametrize("fault", faults.FAULTS)
def test_every_failure_of_sqs_is_an_unavailable_queue_without_secrets_in_the_message(
    proxy: FaultyProxy, queue: SqsQueue, fault: str
) -> None:
    queue.check()
    queue.send("in hand")
    (message,) = queue.receive()
    for action, call in calls(queue, message).items():
        proxy.fail(action, fault)
        while (action, fault) not in proxy.seen:  # on a busy machine a call that is made before it can fail, too
            with pytest.raises(QueueUnavailableError) as caught:
                call()
            told = str(caught.value)
            assert "/q-" in told
            assert ENVIRONMENT["AWS_ACCESS_KEY_ID"] not in told
            assert ENVIRONMENT["AWS_SECRET_ACCESS_KEY"] not in told


@pytest.mark.usefixtures("no_second_try")
@pytest.mark.parametrize("fault", QUICK)
@pytest.mark.parametrize("action", ["ChangeMessageVisibility", "SendMessage", "DeleteMessage"])
def test_giving_up_broken_off_anywhere_loses_no_message(
    aws: Aws, proxy: FaultyProxy, queue: SqsQueue, action: str, fault: str
) -> None:
    queue.check()
    queue.send("hopeless")
    (message,) = queue.receive()
    proxy.fail(action, fault)
    with pytest.raises(QueueUnavailableError):
        queue.move_to_dead_letters(message, "enough")
    aws.clock.advance(120)
    for again in queue.receive():
        assert queue.move_to_dead_letters(again, "enough")
    letters = queue.dead_letters()
    assert {"hopeless"} == {letter.body for letter in letters}
    assert {message.id} == {letter.id for letter in letters}
    assert {"enough"} == {letter.reason for letter in letters}


@pytest.mark.usefixtures("no_second_try")
@pytest.mark.parametrize("fault", QUICK)
@pytest.mark.parametrize("action", ["ReceiveMessage", "SendMessage", "DeleteMessageBatch"])
def test_an_interrupted_redrive_loses_no_dead_letter(
    aws: Aws, proxy: FaultyProxy, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch, action: str, fault: str
) -> None:
    monkeypatch.setattr(aws, "moves_messages", False)
    for body in "abc":
        queue.send(body)
        assert queue.move_to_dead_letters(queue.receive()[0], "enough")
    proxy.fail(action, fault)
    while (action, fault) not in proxy.seen:  # a machine that is too busy can interrupt it earlier
        with pytest.raises(QueueUnavailableError):
            queue.redrive()
        aws.clock.advance(120)
    queue.redrive()
    assert {*"abc"} == {message.body for message in queue.receive(limit=10)}
    assert queue.dead_letters() == []


@pytest.mark.parametrize("fault", [fault for fault in faults.FAULTS if fault != faults.CUT])
def test_one_fault_is_got_over_by_asking_again(proxy: FaultyProxy, queue: SqsQueue, fault: str) -> None:
    queue.check()
    proxy.fail("SendMessage", fault)
    queue.send("one")
    assert proxy.count("SendMessage") == 2
    sent = 2 if fault in {faults.ERROR_AFTER, faults.DROP_AFTER, faults.HANG_AFTER} else 1
    assert QueueDepth(sent, 0, 0, 0) == queue.depth()


@pytest.mark.usefixtures("no_second_try")
@pytest.mark.parametrize("fault", faults.FAULTS)
def test_every_fault_of_sns_leaves_the_event_to_be_announced_later(aws: Aws, proxy: FaultyProxy, fault: str) -> None:
    url = aws.make_queue(dead=False)
    topic = aws.make_topic(url)
    announcer = SnsAnnouncer(topic)
    proxy.fail("Publish", fault)
    with pytest.raises(SurroundingsError, match="arn:aws:sns:"):
        announcer.announce(event())
    announcer.announce(event())
    announcer.close()
    assert {"wave.1"} == {told["id"] for told in heard(aws, url)}


def heard(aws: Aws, url: str) -> list[dict[str, Any]]:
    """What a topic told its queue, once; it is taken away."""
    found = []
    with aws.client_of("sqs") as sqs:
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


# --- the whole way -----------------------------------------------------------------------------------


class AwsHarness:
    """Services on SQS and SNS behind the proxy, their time and SQS's passing together."""

    def __init__(self, folder: Path, aws: Aws, **settings: Any) -> None:
        self.aws = aws
        self.told_url = aws.make_queue(dead=False)
        self.offset = timedelta()
        (folder / "recordings").mkdir(parents=True)
        (folder / "recordings" / "sea.mp4").write_bytes(b"bytes of the sea" * 500)
        self.settings = Settings(
            data=folder,
            queue_url=aws.make_queue(max_receives=33),
            announce_urls=aws.make_topic(self.told_url),
            lease=5,
            visibility=10,
            max_tries=30,
            retry_delay=1,
            retry_patience=0,
            **settings,
        )
        self.services: Services = build(self.settings, cutter=FakeCutter(), clock=lambda: utc_now() + self.offset)

    def pass_time(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)
        self.aws.clock.advance(seconds)

    def work(self, *, turns: int = 400) -> None:
        """Work and keep house until all clips are final and no message is left."""
        worker, stop = Worker(self.services), threading.Event()
        patient = dataclasses.replace(self.services)
        for _ in range(turns):
            if not worker.work_once(stop, wait=timedelta()):
                housekeep(patient)
                self.pass_time(11)
                if self.idle():
                    return
        raise AssertionError(f"not done in {turns} turns: {self.services.queue.depth()}")

    def idle(self) -> bool:
        try:
            depth = self.services.queue.depth()
        except QueueUnavailableError:
            return False
        waiting = depth.visible + depth.in_flight + depth.delayed
        return not waiting and all(clip.state.final for clip in self.clips()) and not self.unannounced()

    def clips(self) -> list[Any]:
        return list(self.services.records.list_clips(ClipQuery(), limit=100).clips)

    def unannounced(self) -> list[Event]:
        return self.services.records.unannounced()

    def committed(self) -> list[Event]:
        return [event for _, event in self.services.records.events_after(0, limit=1000)]


@pytest.fixture
def harness(tmp_path: Path, aws: Aws, proxy: FaultyProxy) -> Iterator[AwsHarness]:
    harness = AwsHarness(tmp_path / "data", aws)
    with harness.services:
        yield harness


def request(number: int) -> ClipRequest:
    source = {"recording": "sea.mp4", "start": number, "end": number + 2}
    return validate_request({"id": f"wave-{number}", "source": source})


@pytest.mark.usefixtures("no_second_try")
def test_with_every_fourth_call_failing_all_that_was_accepted_is_made_once(
    harness: AwsHarness, proxy: FaultyProxy
) -> None:
    chance, lock = random.Random(20261125), threading.Lock()

    def plan(_action: str) -> str:
        with lock:
            return chance.choice(QUICK) if chance.random() < 0.25 else faults.PASS

    proxy.plan = plan
    wanted = [request(number) for number in range(12)]
    for each in chance.sample([*wanted, *wanted], 24):  # everything twice, in any order
        for _ in range(20):
            try:
                accept.submit(harness.services, each)
                break
            except CutbackError:
                continue
    harness.work()
    proxy.plan = lambda _action: faults.PASS

    assert Counter(fault for _, fault in proxy.seen).keys() >= set(QUICK)
    assert {each.id: ClipState.READY for each in wanted} == {clip.id: clip.state for clip in harness.clips()}
    ready = [event.subject for event in harness.committed() if event.type == "clip.ready"]
    assert sorted(each.id for each in wanted) == sorted(ready)
    told = heard(harness.aws, harness.told_url)
    assert {event.id for event in harness.committed()} == {each["id"] for each in told}
    assert harness.services.queue.depth() == NOTHING
    harness.pass_time(harness.settings.sweep_delay.total_seconds() + 7200)
    housekeep(harness.services)
    made = sorted(path.parent.parent.name for path in (harness.settings.data / "clips").rglob("clip.mp4"))
    assert sorted(each.id for each in wanted) == made


def test_sns_down_for_a_minute_holds_no_clip_up_and_loses_no_event(harness: AwsHarness, proxy: FaultyProxy) -> None:
    proxy.plan = lambda action: faults.ERROR if action == "Publish" else faults.PASS
    accept.submit(harness.services, request(1))
    Worker(harness.services).work_once(threading.Event(), wait=timedelta())
    (clip,) = harness.clips()
    assert clip.state is ClipState.READY
    assert harness.services.queue.depth() == NOTHING
    harness.pass_time(60)
    housekeep(harness.services)
    assert heard(harness.aws, harness.told_url) == []
    events = harness.committed()
    assert [event.id for event in events] == [event.id for event in harness.unannounced()]

    proxy.plan = lambda _action: faults.PASS
    housekeep(harness.services)
    assert [event.id for event in events] == [each["id"] for each in heard(harness.aws, harness.told_url)]
    assert harness.unannounced() == []
