"""The Lambda handlers before they can work: a cold start while the database is away, or with a wrong setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.aws import ENVIRONMENT, Aws, running

from cutback.adapters.aws.queue import SqsQueue
from cutback.domain.errors import SettingsError
from cutback.ports import Message
from cutback.settings.settings import load_settings
from cutback.worker import aws_lambda

HALF_AN_HOUR = timedelta(minutes=30)
CONTEXT: Any = SimpleNamespace(
    aws_request_id="1",
    function_name="cutback-worker",
    function_version="1",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:cutback-worker",
    get_remaining_time_in_millis=lambda: 300_000,
)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        yield aws


@pytest.fixture
def queue(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsQueue]:
    """The queue of both handlers; the database does not answer."""
    url, other = aws.make_queue(), aws.make_queue()
    for name, value in {
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "CUTBACK_DATA": str(tmp_path),
        "CUTBACK_QUEUE_URL": url,
        "CUTBACK_WEBHOOK_QUEUE_URL": other,
        "CUTBACK_RECORDS_URL": "mongodb://127.0.0.1:1/cutback?serverSelectionTimeoutMS=100",
        "POWERTOOLS_SERVICE_NAME": "cutback",
        "POWERTOOLS_METRICS_NAMESPACE": "Cutback",
    }.items():
        monkeypatch.setenv(name, value)
    aws_lambda._services.cache_clear()
    queue = SqsQueue(url, visibility=HALF_AN_HOUR, clock=aws.clock)
    yield queue
    queue.close()


def record(message: Message) -> dict[str, Any]:
    """A message as the event source mapping hands it over."""
    attributes = {"ApproximateReceiveCount": str(message.receive_count), "SentTimestamp": "1764000000000"}
    return {
        "messageId": message.id, "receiptHandle": message.receipt, "body": message.body, "attributes": attributes,
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "eu-central-1",
    }  # fmt: skip


def receive(queue: SqsQueue) -> list[Message]:
    return queue.receive(limit=10, visibility=HALF_AN_HOUR)


def test_messages_come_back_after_a_minute_while_the_database_is_away(queue: SqsQueue, aws: Aws) -> None:
    ids = {queue.send("one"), queue.send("two")}
    answer = aws_lambda.handler({"Records": [record(each) for each in receive(queue)]}, CONTEXT)
    assert {each["itemIdentifier"] for each in answer["batchItemFailures"]} == ids
    aws.clock.advance(55)
    assert receive(queue) == []
    aws.clock.advance(10)
    assert {message.id for message in receive(queue)} == ids


def test_an_outage_does_not_bring_messages_closer_to_the_dead_letters(queue: SqsQueue, aws: Aws) -> None:
    queue.send("patient")
    counts = []
    for _ in range(12):
        (message,) = receive(queue)
        counts.append(message.receive_count)
        aws_lambda.handler({"Records": [record(message)]}, CONTEXT)
        aws.clock.advance(61)
    assert max(counts) <= 5
    assert len(counts) == 12
    assert queue.dead_letters() == []


def test_deliveries_come_back_after_a_minute_and_keep_their_count(queue: SqsQueue, aws: Aws) -> None:
    webhooks = SqsQueue(load_settings().webhook_queue_url, visibility=HALF_AN_HOUR, clock=aws.clock)
    webhooks.send("delivery")
    for count in range(1, 8):
        (message,) = receive(webhooks)
        assert message.receive_count == count
        assert aws_lambda.webhooks({"Records": [record(message)]}, CONTEXT)["batchItemFailures"]
        aws.clock.advance(61)
    webhooks.close()


@pytest.mark.parametrize("handler", [aws_lambda.handler, aws_lambda.webhooks])
def test_a_wrong_setting_is_named_and_counts_as_an_error(
    queue: SqsQueue, aws: Aws, handler: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUTBACK_RECORDS_URL", "mongodb://u:p@127.0.0.1:1/x?tls=true&tlsCAFile=/opt/global-bundle.pem")
    queue.send("one")
    (message,) = receive(queue)
    with pytest.raises(SettingsError, match="CUTBACK_RECORDS_URL"):
        handler({"Records": [record(message)]}, CONTEXT)
    if handler is aws_lambda.handler:
        aws.clock.advance(61)
        assert len(receive(queue)) == 1


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_the_next_call_after_an_outage_works(queue: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.send("no request")
    (message,) = receive(queue)
    assert aws_lambda.handler({"Records": [record(message)]}, CONTEXT)["batchItemFailures"]
    monkeypatch.delenv("CUTBACK_RECORDS_URL")
    assert aws_lambda.handler({"Records": [record(message)]}, CONTEXT) == {"batchItemFailures": []}
    aws_lambda._services().close()
    aws_lambda._services.cache_clear()
    assert [letter.body for letter in queue.dead_letters()] == ["no request"]
