"""End to end on an applied stack: from recordings and requests to clips, records, announcements and dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.aws.end_to_end import KEY, at, cutback, die_at_it, keep_records_in, record, send, stored_counters, told
from tests.aws.mapping import Functions
from tests.aws.rights import forbidden, rights_of, unexplained
from tests.aws.stack import Stack
from tests.support.mongo_server import MongoServer

from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.records import MongoRecords
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import WorkersDiedError
from cutback.settings.settings import FOR_THE_WORKER

LOGS = {"logs:* /aws/lambda/*": "Lambda itself writes logs"}
NOT_PLAYED: dict[str, dict[str, str]] = {
    "worker": {
        **LOGS,
        "sqs:ReceiveMessage *-requests": "the event source mapping polls under the function's role",
        "sqs:SendMessage *-requests": "only what was received too often and may be tried again all the same",
        "s3:AbortMultipartUpload *clips*": "only where an upload breaks off",
        "s3:GetObject *clips*": "only clips above 32 MiB, which S3 copies to their key, and puts whose answer was lost",
        "s3:ListBucket *": "only where an attempt before left something; and S3 answers 404 instead of 403 by it",
        "s3:DeleteObject *clips*": "the same",
    },
    "housekeeping": {
        **LOGS,
        "sns:Publish *": "only what a worker died before announcing",
        "sqs:SendMessage *-requests": "only clips whose message was lost, and waiting ones",
        "s3:ListBucket *clips*": "only clips that expire, and what dead workers left",
        "s3:DeleteObject *clips*": "the same",
    },
}
"""Rights for what does not happen in these tests, each with its reason."""


@pytest.fixture(scope="module")
def records_url(minimal: Stack, mongo: MongoServer) -> str:
    """Where examples/minimal keeps its records."""
    return keep_records_in(minimal, mongo)


@pytest.fixture(scope="module")
def functions(minimal: Stack, unpacked: tuple[str, Path], records_url: str) -> Functions:
    """The functions of examples/minimal."""
    return Functions(minimal, *unpacked)


@pytest.fixture(scope="module")
def listener(minimal: Stack) -> Iterator[str]:
    """The URL of a queue that receives everything from `video_production`; removed before the stack."""
    sqs, sns = minimal.moto.client("sqs"), minimal.moto.client("sns")
    url = sqs.create_queue(QueueName="a-listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made = sns.subscribe(TopicArn=minimal.outputs["events_topic_arn"], Protocol="sqs", Endpoint=arn)
    yield str(url)
    sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def recorded(functions: Functions, listener: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A recording in the source bucket, whose event has been dealt with."""
    record(functions, tmp_path_factory.mktemp("media"))


@pytest.fixture
def clip_of(records_url: str) -> Iterator[Callable[[str], Clip | None]]:
    server = Mongo(records_url)
    yield MongoRecords(server).get_clip
    server.close()


def test_requests_by_sqs_and_by_sns_become_clips_records_and_announcements(
    functions: Functions, recorded: None, listener: str, clip_of: Callable[[str], Clip | None]
) -> None:
    send(functions.stack, {"id": "by-sqs", "source": {"recording": KEY, "start": 1.5, "end": 4}})
    span = {"camera": "north", "from": at(2), "to": at(5)}
    functions.stack.moto.client("sns").publish(
        TopicArn=functions.stack.outputs["requests_topic_arn"], Message=json.dumps({"id": "by-sns", "source": span})
    )
    listed = [{"id": f"listed-{n}", "source": {"recording": KEY, "start": n, "end": n + 1}} for n in range(2)]
    send(functions.stack, listed)
    assert functions.play() >= 5
    assert [len(stored_counters(functions.stack, clip_of(f"listed-{n}"))) for n in range(2)] == [30, 30]
    assert stored_counters(functions.stack, clip_of("by-sqs")) == list(range(45, 120))
    assert stored_counters(functions.stack, clip_of("by-sns")) == list(range(60, 150))
    events = [json.loads(each["Message"]) for each in told(functions.stack, listener)]
    assert {event["subject"] for event in events if event["type"] == "clip.ready"} >= {"by-sqs", "by-sns"}
    ready = next(event for event in events if event["type"] == "clip.ready")
    assert ready["data"]["result"]["posters"]


def test_the_same_message_again_makes_nothing_again(
    functions: Functions, recorded: None, listener: str, clip_of: Callable[[str], Clip | None]
) -> None:
    request = {"id": "twice", "source": {"recording": KEY, "start": 0, "end": 1}}
    for _ in range(3):
        send(functions.stack, request)
    functions.play()
    clip = clip_of("twice")
    assert clip is not None
    assert clip.attempt == 1
    events = [json.loads(each["Message"]) for each in told(functions.stack, listener)]
    ids = {event["id"] for event in events if event["subject"] == "twice" and event["type"] == "clip.ready"}
    assert len(ids) == 1


def test_poison_in_a_batch_becomes_a_dead_letter_that_can_be_redriven(
    functions: Functions, recorded: None, clip_of: Callable[[str], Clip | None]
) -> None:
    good = [{"id": f"good-{n}", "source": {"recording": KEY, "start": n, "end": n + 1}} for n in range(2)]
    for body in (good[0], "this is no request", {"id": "bad", "source": {"recording": "../x"}}, good[1]):
        send(functions.stack, body)
    functions.play()
    for each in good:
        assert len(stored_counters(functions.stack, clip_of(str(each["id"])))) == 30
    letters = cutback(functions, "dead-letters", "--json")["dead_letters"]
    assert any("source" in letter["reason"] for letter in letters)
    assert any("JSON" in letter["reason"] for letter in letters)
    brought = cutback(functions, "redrive", "--all", "--json")
    assert brought
    assert functions.play() >= 2  # refused again, and so dead again
    assert len(cutback(functions, "dead-letters", "--json")["dead_letters"]) == len(letters)


def test_work_that_does_not_fit_stops_early_and_says_why(
    functions: Functions, recorded: None, clip_of: Callable[[str], Clip | None]
) -> None:
    send(functions.stack, {"id": "late", "source": {"recording": KEY, "start": 0.5, "end": 7.5}})
    functions.play(seconds=10)  # all of it margin: nothing may be begun
    clip = clip_of("late")
    assert clip is not None
    assert clip.failure is not None
    assert clip.failure.reason == "out_of_time"


def test_housekeeping_fails_a_clip_whose_message_no_worker_survived(
    functions: Functions, recorded: None, clip_of: Callable[[str], Clip | None]
) -> None:
    cutback(functions, "submit", "--recording", KEY, "--range", "1..2", "--id", "deadly", "--json")
    assert die_at_it(functions.stack) >= 5
    assert functions.call("housekeeping", {"source": "aws.events"}) == {}
    clip = clip_of("deadly")
    assert clip is not None
    assert (clip.state, clip.failure and clip.failure.reason) == (ClipState.FAILED, WorkersDiedError.reason)


def test_logs_name_clip_and_request_and_metrics_are_embedded(functions: Functions, recorded: None) -> None:
    send(functions.stack, {"id": "logged", "source": {"recording": KEY, "start": 3, "end": 4}})
    functions.play()
    lines = [json.loads(line) for line in functions.lines if line.startswith("{")]
    assert any(line.get("clip_id") == "logged" and line.get("request_id") for line in lines)
    metrics = [line for line in lines if "_aws" in line]
    assert any(line.get("ClipsReady") for line in metrics)
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Cutback" for line in metrics)


def test_a_function_takes_no_more_than_a_job_leaves_it(functions: Functions, recorded: None) -> None:
    send(functions.stack, {"id": "room", "source": {"recording": KEY, "start": 1, "end": 4}})
    functions.play()
    assert 0 < functions.memory < FOR_THE_WORKER // 2  # the rest is for a process that waits, and for buffers


@pytest.mark.parametrize("role", ["worker", "housekeeping"])
def test_each_function_calls_only_what_its_role_allows(functions: Functions, recorded: None, role: str) -> None:
    calls = functions.stack.moto.calls(role)
    assert calls
    assert forbidden(functions.stack.rights(role), calls) == []


@pytest.mark.parametrize("role", ["worker", "housekeeping"])
def test_each_role_allows_nothing_that_its_function_does_not_call(
    functions: Functions, recorded: None, role: str
) -> None:
    made = functions.stack.moto.calls(role)
    assert unexplained(functions.stack.rights(role), made, NOT_PLAYED[role]) == []


def test_the_operators_policy_allows_redriving(functions: Functions, recorded: None) -> None:
    """The tests before this one called the command line."""
    calls = functions.stack.moto.calls("operator")
    assert calls
    assert forbidden(rights_of(functions.stack.outputs["operator_policy"]), calls) == []
