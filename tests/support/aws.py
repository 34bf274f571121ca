"""SQS and SNS on this machine: moto on loopback, made as exact as the tests need it.

What is changed, each for something that SQS has and moto lacks:

- Calls take effect one after the other. Left alone, moto loses a message that is sent while another is deleted.
- Visibility and delay follow a clock that tests may move.
- A dead letter says from which queue SQS moved it, and message move tasks move dead letters back. They are played by a
  few lines here: what they prove is that our side of them is right.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

ACCOUNT, REGION = "123456789012", "eu-central-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a-secret-access-key",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}
CHANGING = [
    "send_message",
    "send_message_batch",
    "delete_message",
    "delete_message_batch",
    "change_message_visibility",
    "change_message_visibility_batch",
    "get_queue_attributes",
    "set_queue_attributes",
]
_PAUSE = 0.01


class Clock:
    """The stand-in's time: moves when told to, and by a microsecond whenever it is looked at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._micros = time.time_ns() // 1000

    def micros(self) -> int:
        with self._lock:
            self._micros += 1
            return self._micros

    def millis(self, _moment: object = None) -> float:
        return self.micros() / 1000

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.micros())

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._micros += round(seconds * 1_000_000)


class Aws:
    """The stand-in, running."""

    def __init__(self, endpoint: str, clock: Clock) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self.lock = threading.RLock()
        self.moves_messages = True
        """Whether message move tasks are known."""
        self.tasks: list[dict[str, Any]] = []

    def client(self, service: str) -> Any:
        from botocore.session import Session

        return Session().create_client(service, region_name=REGION, endpoint_url=self.endpoint)

    def make_queue(self, name: str = "", *, max_receives: int = 8, dead: bool = True, **attributes: str) -> str:
        """Make a queue, with one for its dead letters; returns its URL."""
        name = name or f"q-{uuid.uuid4().hex[:12]}"
        with self.client_of("sqs") as sqs:
            if dead:
                sqs.create_queue(QueueName=f"{name}-dead")
                policy = {"deadLetterTargetArn": arn(f"{name}-dead"), "maxReceiveCount": max_receives}
                attributes["RedrivePolicy"] = json.dumps(policy)
            return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def make_topic(self, queue_url: str = "", *, fifo: bool = False, **attributes: str) -> str:
        """Make a topic, perhaps with a subscribed queue that gets its messages as they are; returns its ARN."""
        name = f"t-{uuid.uuid4().hex[:12]}" + (".fifo" if fifo else "")
        with self.client_of("sns") as sns:
            kind = {"FifoTopic": "true"} if fifo else {}
            topic = str(sns.create_topic(Name=name, Attributes=kind)["TopicArn"])
            if queue_url:
                sns.subscribe(
                    TopicArn=topic,
                    Protocol="sqs",
                    Endpoint=arn(queue_url.rpartition("/")[2]),
                    Attributes={"RawMessageDelivery": "true", **attributes},
                )
        return topic

    @contextmanager
    def client_of(self, service: str) -> Iterator[Any]:
        client = self.client(service)
        try:
            yield client
        finally:
            client.close()

    # --- what moto lacks -------------------------------------------------------------------------

    def install(self, patch: pytest.MonkeyPatch) -> None:
        from moto.sqs import models
        from moto.sqs.responses import SQSResponse

        patch.setattr(models, "unix_time_millis", self.clock.millis)
        for name in CHANGING:
            patch.setattr(models.SQSBackend, name, self._alone(getattr(models.SQSBackend, name)))
        patch.setattr(models.SQSBackend, "receive_message", self._receiving(models.SQSBackend.receive_message))
        patch.setattr(SQSResponse, "receive_message", _telling(SQSResponse.receive_message))
        patch.setattr(SQSResponse, "start_message_move_task", self._start_task(), raising=False)
        patch.setattr(SQSResponse, "list_message_move_tasks", self._list_tasks(), raising=False)

    def _alone(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def locked(*args: Any, **named: Any) -> Any:
            with self.lock:
                return call(*args, **named)

        return locked

    def _receiving(self, receive: Callable[..., Any]) -> Callable[..., Any]:
        def received(backend: Any, name: str, count: int, wait: int, visibility: int, names: Any = None) -> Any:
            deadline, pause = time.monotonic() + wait, threading.Event()
            while True:
                with self.lock:
                    queue = backend.get_queue(name)
                    before = set(map(id, queue.dead_letter_queue._messages)) if queue.dead_letter_queue else set()
                    found = receive(backend, name, count, 0, visibility, names)
                    for message in queue.dead_letter_queue._messages if queue.dead_letter_queue else ():
                        if id(message) not in before:
                            message.moved_from = queue.queue_arn
                if found or time.monotonic() >= deadline:
                    return found
                pause.wait(_PAUSE)

        return received

    def _start_task(self) -> Callable[[Any], Any]:
        def start(response: Any) -> Any:
            from moto.core.responses import ActionResult
            from moto.sqs.exceptions import SQSException

            if not self.moves_messages:
                raise SQSException("AWS.SimpleQueueService.UnsupportedOperation", "There are no tasks here.")
            with self.lock:
                queues = {queue.queue_arn: queue for queue in response.sqs_backend.queues.values()}
                source, target = (queues[response._get_param(name)] for name in ("SourceArn", "DestinationArn"))
                moving = source.messages
                for message in moving:
                    source._messages.remove(message)
                    response.sqs_backend.send_message(target.name, message.body, message.message_attributes)
                self.tasks.append(
                    {
                        "Status": "COMPLETED",
                        "SourceArn": source.queue_arn,
                        "ApproximateNumberOfMessagesMoved": len(moving),
                        "StartedTimestamp": int(self.clock.millis()),
                    }
                )
            return ActionResult({"TaskHandle": "a-task"})

        return start

    def _list_tasks(self) -> Callable[[Any], Any]:
        def listed(response: Any) -> Any:
            from moto.core.responses import ActionResult

            source = response._get_param("SourceArn")
            return ActionResult({"Results": [task for task in reversed(self.tasks) if task["SourceArn"] == source][:1]})

        return listed


def arn(name: str, service: str = "sqs") -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def _telling(receive: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def told(response: Any) -> Any:
        answer = receive(response)
        queue = response.sqs_backend.get_queue(response._get_queue_name())
        moved = {message.id: message.moved_from for message in queue._messages if hasattr(message, "moved_from")}
        for message in answer.result.get("Messages", ()):
            if source := moved.get(message["MessageId"]):
                message["Attributes"]["DeadLetterQueueSourceArn"] = source
        return answer

    return told


@contextmanager
def running() -> Iterator[Aws]:
    """The stand-in, on a free port of loopback, with the environment that clients need."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                patch.delenv(name)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
        server.start()
        try:
            host, port = server.get_host_and_port()
            aws = Aws(f"http://{host}:{port}", Clock())
            aws.install(patch)
            yield aws
        finally:
            server.stop()
