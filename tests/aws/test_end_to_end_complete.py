"""What only examples/complete has: webhooks, jobs handed over to long-running workers, and its roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook
from tests.aws.end_to_end import KEY, cutback, die_at_it, is_empty, keep_records_in, record, send, stored_counters
from tests.aws.image import Image
from tests.aws.mapping import Functions
from tests.aws.rights import forbidden, rights_of, unexplained
from tests.aws.service import environment_of, running_service
from tests.aws.stack import Stack
from tests.support.memcached import Memcached
from tests.support.mongo_server import MongoServer
from tests.support.receiver import Receiver
from tests.support.waiting import eventually

from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.records import MongoRecords
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import OutOfTimeError, WorkersDiedError

KEYS = {
    "kms:Decrypt *": "SQS, S3, SNS and Secrets Manager ask KMS in the caller's name",
    "kms:GenerateDataKey *": "the same",
}
LAMBDA = {
    **KEYS,
    "logs:* /aws/lambda/*": "Lambda itself writes logs",
    "xray:* *": "Lambda itself sends traces",
    "ec2:* *": "Lambda itself joins the VPC",
}
UPLOADS = {
    "s3:AbortMultipartUpload *clips*": "only where an upload breaks off",
    "s3:GetObject *clips*": "only clips above 32 MiB, which S3 copies to their key, and puts whose answer was lost",
}
STORE = {
    "s3:ListBucket *": "only where an attempt before left something; and S3 answers 404 instead of 403 by it",
    "s3:DeleteObject *clips*": "only then, and when a clip expires",
}
NOT_PLAYED: dict[str, dict[str, str]] = {
    "worker": {
        **LAMBDA,
        **STORE,
        **UPLOADS,
        "sqs:ReceiveMessage *-requests": "the event source mapping polls under the function's role",
        "sqs:ChangeMessageVisibility *-requests": "only what is given back, in examples/minimal",
        "sqs:SendMessage *-requests": "only what was received too often and may be tried again all the same",
    },
    "housekeeping": {
        **LAMBDA,
        **STORE,
        "sns:Publish *": "only what a worker died before announcing",
        "sqs:SendMessage *-requests": "only clips whose message was lost, and waiting ones",
        "sqs:SendMessage *-webhooks": "the same",
        "sqs:SendMessage *-requests-dead": "only what SQS itself moved there, in examples/minimal",
        "sqs:DeleteMessage *-requests-dead": "the same",
        "s3:AbortMultipartUpload *recordings*": "only uploads to the API that nobody completed within a day",
    },
    "webhooks": {
        **LAMBDA,
        "sqs:ReceiveMessage *-webhooks": "the event source mapping polls under the function's role",
    },
    "service": {
        **KEYS,
        **STORE,
        **UPLOADS,
        "s3:AbortMultipartUpload *recordings*": "only uploads to the API that nobody completed within a day",
        "sqs:SendMessage *-long": "only clips whose message was lost, and what was received too often",
        "ecs:UpdateTaskProtection *": "the ECS agent calls under the task's role",
    },
    "start": {
        "kms:Decrypt *": "Secrets Manager and ECR ask KMS in the caller's name",
        "logs:* /ecs/*": "ECS itself writes logs",
        "ecr:* *": "ECS itself fetches the image",
    },
}
"""Rights for what does not happen in these tests, each with its reason."""


@pytest.fixture(scope="module")
def records_url(complete: Stack, mongo: MongoServer) -> str:
    """Where examples/complete keeps its records."""
    return keep_records_in(complete, mongo)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What is set for the stand-in's sake: a receiver on loopback, no waiting between tries, a cache that has nodes."""
    cache = Memcached()
    yield {
        "CUTBACK_CACHE_URL": "memcached://{}:{}".format(*cache.node),
        "CUTBACK_DATA": str(tmp_path_factory.mktemp("data")),
        "CUTBACK_WEBHOOK_PRIVATE": "true",
        "CUTBACK_WEBHOOK_DELAYS": "0,0",
    }
    cache.kill()


@pytest.fixture(scope="module")
def functions(
    complete: Stack, unpacked: tuple[str, Path], records_url: str, settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Functions:  # fmt: skip
    """The functions of examples/complete, with a recording in the source bucket."""
    functions = Functions(complete, *unpacked, settings)
    record(functions, tmp_path_factory.mktemp("media"))
    return functions


@pytest.fixture
def heard(functions: Functions, receiver: Receiver) -> Receiver:
    """The receiver, which accepts everything, without any earlier or pending deliveries."""
    receiver.statuses = [204]
    functions.play("webhooks", batch_size=10)
    receiver.came.clear()
    return receiver


@pytest.fixture
def clip_of(records_url: str) -> Iterator[Callable[[str], Clip | None]]:
    server = Mongo(records_url)
    yield MongoRecords(server).get_clip
    server.close()


def span(name: str, start: float, end: float) -> dict[str, object]:
    return {"id": name, "source": {"recording": KEY, "start": start, "end": end}}


def letters(functions: Functions, **settings: str) -> list[dict[str, object]]:
    """The dead letters of webhooks."""
    found = cutback(functions, "dead-letters", "--queue", "webhooks", "--json", **settings)["dead_letters"]
    return list(found)


def test_the_webhooks_function_delivers_every_event_signed_by_the_stacks_secret(
    functions: Functions, heard: Receiver, clip_of: Callable[[str], Clip | None]
) -> None:
    send(functions.stack, span("heard", 1, 2))
    functions.play()
    assert functions.play("webhooks") >= 2
    assert len(stored_counters(functions.stack, clip_of("heard"))) == 30
    secret = functions.stack.moto.client("secretsmanager").get_secret_value(
        SecretId=functions.stack.outputs["webhooks_secret_arn"]
    )["SecretString"]
    events = [Webhook(secret).verify(body, headers) for _, headers, body in heard.came]
    assert {path for path, _, _ in heard.came} == {"/heard"}
    assert [headers["webhook-id"] for _, headers, _ in heard.came] == [event["id"] for event in events]
    assert len({event["id"] for event in events}) == len(events)
    assert {event["subject"] for event in events} == {"heard"}
    assert "clip.ready" in {event["type"] for event in events}


def test_of_a_batch_of_deliveries_only_the_refused_one_comes_again(functions: Functions, heard: Receiver) -> None:
    send(functions.stack, span("batch", 2, 3))
    functions.play()
    heard.statuses = [503, 204]
    handed_over = functions.play("webhooks", batch_size=10)
    ids = [headers["webhook-id"] for _, headers, _ in heard.came]
    assert len(set(ids)) >= 2
    assert handed_over == len(ids) == len(set(ids)) + 1
    assert [ids.count(each) for each in dict.fromkeys(ids)] == [2] + [1] * (len(set(ids)) - 1)


def test_a_delivery_that_always_fails_becomes_a_dead_letter_and_can_be_redriven(
    functions: Functions, heard: Receiver
) -> None:
    send(functions.stack, span("refused", 3, 4))
    functions.play()
    heard.statuses = [503]
    functions.play("webhooks", batch_size=10)
    refused = {headers["webhook-id"] for _, headers, _ in heard.came}
    assert len(heard.came) == 3 * len(refused)
    found = letters(functions)
    assert {letter["subject"] for letter in found} == refused
    assert {letter["reason"] for letter in found} == {"the receiver answered 503 (3 tries)"}
    heard.statuses = [204]
    heard.came.clear()
    assert cutback(functions, "redrive", "--all", "--queue", "webhooks", "--json")["redriven"] == len(refused)
    functions.play("webhooks", batch_size=10)
    assert {headers["webhook-id"] for _, headers, _ in heard.came} == refused
    assert letters(functions) == []


def test_a_job_that_does_not_fit_into_the_function_is_finished_by_the_long_running_workers(
    functions: Functions, heard: Receiver, settings: dict[str, str], tmp_path: Path,
    clip_of: Callable[[str], Clip | None], workers_image: Image | None,
) -> None:  # fmt: skip
    send(functions.stack, span("long", 0.5, 7.5))
    send(functions.stack, "this is no request")
    functions.play(seconds=10)  # all of it margin: nothing may be begun
    handed = clip_of("long")
    assert handed is not None
    assert (handed.state, handed.failure and handed.failure.reason) == (ClipState.QUEUED, OutOfTimeError.reason)
    functions.play("webhooks", batch_size=10)
    heard.came.clear()

    # What the long-running workers must survive: a message that kills its workers, and one that is nonsense.
    url = functions.stack.outputs["long_queue_url"]
    long = {"CUTBACK_QUEUE_URL": url, "CUTBACK_LONG_QUEUE_URL": ""}
    (message,) = functions.stack.moto.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=0)["Messages"]
    cutback(functions, "submit", "--recording", KEY, "--range", "1..2", "--id", "deadly", "--json", **long)
    assert die_at_it(functions.stack, queue="long_queue_url") >= 5
    functions.stack.moto.client("sqs").change_message_visibility(
        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    send(functions.stack, "this is none either", queue="long_queue_url")
    heard.statuses = [410, 204]

    def over() -> bool:
        clips = [clip_of("long"), clip_of("deadly")]
        types = {json.loads(body)["type"] for _, _, body in heard.came}
        ended = all(clip and clip.state.final for clip in clips) and is_empty(functions.stack, "long_queue_url")
        return ended and {"clip.ready", "clip.failed"} <= types

    with running_service(functions.stack, tmp_path / "service.log", settings, workers_image):
        eventually(over, "a clip is not finished, or not heard of")
    assert stored_counters(functions.stack, clip_of("long")) == list(range(15, 225))
    deadly = clip_of("deadly")
    assert deadly is not None
    assert deadly.failure is not None
    assert deadly.failure.reason == WorkersDiedError.reason
    dead = cutback(functions, "dead-letters", "--json", **long)["dead_letters"]
    assert len(dead) == 2  # listing them does not create copies
    assert any("JSON" in letter["reason"] for letter in dead)
    assert [letter["reason"] for letter in letters(functions)] == ["the receiver answered 410"]


def test_ecs_finds_the_secrets_that_the_container_is_told_of(functions: Functions) -> None:
    told = environment_of(functions.stack)
    assert told["CUTBACK_RECORDS_URL_SECRET"] == functions.stack.outputs["records_secret_arn"]
    assert told["CUTBACK_WEBHOOK_SECRET"].startswith("whsec_")
    assert told["CUTBACK_QUEUE_URL"] == functions.stack.outputs["long_queue_url"]
    assert "CUTBACK_LONG_QUEUE_URL" not in told


def test_redriving_needs_only_the_operators_policy(functions: Functions) -> None:
    """The tests before this one called the command line."""
    operator = rights_of(functions.stack.outputs["operator_policy"])
    made = functions.stack.moto.calls("operator")
    assert made
    assert forbidden(operator, made) == []
    assert unexplained(operator, made, {
        "kms:* *": "Secrets Manager and SQS ask KMS in the caller's name",
        "sqs:* *-long*": "the long queue's letters are looked at in another test",
        "sqs:* *-requests*": "only deliveries are redriven here",
        "sqs:DeleteMessage *-webhooks-dead": "only letters that SQS itself moved, and those brought back one by one",
        "sqs:SendMessage *-webhooks-dead": "the same",
        "sqs:ListMessageMoveTasks *-webhooks-dead": "the stand-in refuses to begin a task, so nobody asks how it goes",
    }) == []  # fmt: skip


def test_housekeeping_runs_on_its_schedule(functions: Functions) -> None:
    assert functions.call("housekeeping", {"source": "aws.events"}) == {}


@pytest.mark.parametrize("role", sorted(NOT_PLAYED))
def test_every_call_is_allowed_by_its_role(functions: Functions, role: str) -> None:
    calls = functions.stack.moto.calls(role)
    assert calls
    assert forbidden(functions.stack.rights(role), calls) == []


@pytest.mark.parametrize("role", sorted(NOT_PLAYED))
def test_no_role_allows_calls_that_are_never_made(functions: Functions, role: str) -> None:
    made = functions.stack.moto.calls(role)
    assert unexplained(functions.stack.rights(role), made, NOT_PLAYED[role]) == []
