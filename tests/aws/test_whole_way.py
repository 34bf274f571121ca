"""The whole way on an applied stack: recordings and requests in, clips, records and announcements out; poison aside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from infra.lambda_zip import PYTHON, build, find_python
from tests.aws.mapping import Functions
from tests.aws.rights import forbidden, unused
from tests.aws.stack import Stack
from tests.support.decode import decode_presented
from tests.support.media import MediaSpec, cached_media
from tests.support.mongo_server import MongoServer, need_nx

from cutback.adapters.mongodb import Mongo
from cutback.adapters.records_mongodb import MongoRecords
from cutback.clip import Clip, ClipState

START = datetime.fromisoformat("2026-11-24T10:00:00+00:00")
KEY = "north.20261124T100000.mp4"
LOGS = {"logs:CreateLogStream": "Lambda itself writes logs", "logs:PutLogEvents": "the same"}
NOT_PLAYED: dict[str, dict[str, str]] = {
    "worker": {
        **LOGS,
        "sqs:ReceiveMessage": "the event source mapping polls under the function's role",
        "s3:AbortMultipartUpload": "only where an upload breaks off",
        "s3:ListBucket": "only where an attempt before left something; and S3 answers 404 instead of 403 by it",
        "s3:DeleteObject": "the same",
    },
    "housekeeping": {
        **LOGS,
        "sns:Publish": "only what a worker died before announcing",
        "sqs:SendMessage": "only clips whose message was lost, and waiting ones",
        "s3:ListBucket": "only clips that expire, and what dead workers left",
        "s3:DeleteObject": "the same",
    },
}
"""Rights for what does not happen in these tests, each with its reason."""
SPEC = MediaSpec(frames=240, gop=30)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An interpreter, and the folder of the zip that was built for it."""
    version = PYTHON if find_python(PYTHON) else f"{sys.version_info[0]}.{sys.version_info[1]}"
    out = tmp_path_factory.mktemp("lambda")
    folder = out / "unpacked"
    with zipfile.ZipFile(build("x86_64", version, out)) as archive:
        archive.extractall(folder)
    python = find_python(version)
    assert python is not None
    return python, folder


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a MongoDB."""
    need_nx()
    server = MongoServer(tmp_path_factory.mktemp("mongo"))
    server.start()
    yield server.url()
    server.kill()


@pytest.fixture(scope="module")
def functions(minimal: Stack, unpacked: tuple[str, Path], mongo: str) -> Functions:
    """The functions of examples/minimal, with records in that MongoDB."""
    python, folder = unpacked
    secrets = minimal.moto.client("secretsmanager")
    secrets.put_secret_value(SecretId=minimal.outputs["records_secret_arn"], SecretString=mongo)
    return Functions(minimal, python, folder)


@pytest.fixture(scope="module")
def listener(minimal: Stack) -> Iterator[str]:
    """The URL of a queue that hears of all that `video_production` carries; gone before the stack is."""
    sqs, sns = minimal.moto.client("sqs"), minimal.moto.client("sns")
    url = sqs.create_queue(QueueName="a-listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made = sns.subscribe(TopicArn=minimal.outputs["events_topic_arn"], Protocol="sqs", Endpoint=arn)
    yield str(url)
    sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def recorded(functions: Functions, listener: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in the source bucket, whose event has been dealt with."""
    path = cached_media(SPEC, tmp_path_factory.mktemp("media"))
    with path.open("rb") as content:
        functions.stack.moto.client("s3").put_object(
            Bucket=functions.stack.outputs["recordings_bucket"], Key=KEY, Body=content
        )
    assert functions.play() >= 1
    return path


@pytest.fixture
def clip_of(mongo: str) -> Iterator[Callable[[str], Clip | None]]:
    server = Mongo(mongo)
    records = MongoRecords(server)
    yield records.get_clip
    server.close()


def send(functions: Functions, body: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    functions.stack.moto.client("sqs").send_message(QueueUrl=functions.stack.outputs["queue_url"], MessageBody=text)


def told(functions: Functions, url: str) -> list[dict[str, Any]]:
    """What a queue was told by SNS."""
    sqs, made = functions.stack.moto.client("sqs"), []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            made.append(json.loads(message["Body"]))
    return made


def stored_counters(functions: Functions, clip: Clip | None) -> list[int]:
    """The numbers in the frames of a clip in the clip bucket."""
    assert clip is not None
    assert (clip.state, clip.failure) == (ClipState.READY, None)
    assert clip.result is not None
    bucket = functions.stack.outputs["clips_bucket"]
    answer = functions.stack.moto.client("s3").get_object(Bucket=bucket, Key=clip.result.key)
    return decode_presented(answer["Body"].read()).counters


def test_requests_by_sqs_and_by_sns_become_clips_records_and_announcements(
    functions: Functions, recorded: Path, listener: str, clip_of: Callable[[str], Clip | None]
) -> None:
    send(functions, {"id": "by-sqs", "source": {"recording": KEY, "start": 1.5, "end": 4}})
    span = {"camera": "north", "from": at(2), "to": at(5)}
    functions.stack.moto.client("sns").publish(
        TopicArn=functions.stack.outputs["requests_topic_arn"], Message=json.dumps({"id": "by-sns", "source": span})
    )
    listed = [{"id": f"listed-{n}", "source": {"recording": KEY, "start": n, "end": n + 1}} for n in range(2)]
    send(functions, listed)
    assert functions.play() >= 5
    assert [len(stored_counters(functions, clip_of(f"listed-{n}"))) for n in range(2)] == [30, 30]
    assert stored_counters(functions, clip_of("by-sqs")) == list(range(45, 120))
    assert stored_counters(functions, clip_of("by-sns")) == list(range(60, 150))
    events = [json.loads(each["Message"]) for each in told(functions, listener)]
    assert {event["subject"] for event in events if event["type"] == "clip.ready"} >= {"by-sqs", "by-sns"}
    ready = next(event for event in events if event["type"] == "clip.ready")
    assert ready["data"]["result"]["posters"]


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def test_the_same_message_again_makes_nothing_again(
    functions: Functions, recorded: Path, listener: str, clip_of: Callable[[str], Clip | None]
) -> None:
    request = {"id": "twice", "source": {"recording": KEY, "start": 0, "end": 1}}
    for _ in range(3):
        send(functions, request)
    functions.play()
    clip = clip_of("twice")
    assert clip is not None
    assert clip.attempt == 1
    events = [json.loads(each["Message"]) for each in told(functions, listener)]
    ids = {event["id"] for event in events if event["subject"] == "twice" and event["type"] == "clip.ready"}
    assert len(ids) == 1


def test_poison_beside_good_ones_becomes_a_dead_letter_with_its_reason_and_can_be_brought_back(
    functions: Functions, recorded: Path, clip_of: Callable[[str], Clip | None]
) -> None:
    good = [{"id": f"good-{n}", "source": {"recording": KEY, "start": n, "end": n + 1}} for n in range(2)]
    for body in (good[0], "this is no request", {"id": "bad", "source": {"recording": "../x"}}, good[1]):
        send(functions, body)
    functions.play()
    for each in good:
        assert len(stored_counters(functions, clip_of(str(each["id"])))) == 30
    letters = cutback(functions, "dead-letters", "--json")["dead_letters"]
    assert any("source" in letter["reason"] for letter in letters)
    assert any("JSON" in letter["reason"] for letter in letters)
    brought = cutback(functions, "redrive", "--all", "--json")
    assert brought
    assert functions.play() >= 2  # refused again, and so dead again
    assert len(cutback(functions, "dead-letters", "--json")["dead_letters"]) == len(letters)


def cutback(functions: Functions, *arguments: str) -> Any:
    """The command line as an administrator has it: the worker's settings, rights of their own."""
    variables = functions.stack.function("worker")["Environment"]["Variables"]
    mine = {name: value for name, value in variables.items() if name.startswith("CUTBACK_")}
    environment = {"PATH": os.environ["PATH"], **mine, **functions.stack.moto.environment("administrator")}
    done = subprocess.run(
        [sys.executable, "-m", "cutback", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_work_that_does_not_fit_is_given_up_early_and_says_why(
    functions: Functions, recorded: Path, clip_of: Callable[[str], Clip | None]
) -> None:
    send(functions, {"id": "late", "source": {"recording": KEY, "start": 0.5, "end": 7.5}})
    functions.play(seconds=10)  # all of it margin: nothing may be begun
    clip = clip_of("late")
    assert clip is not None
    assert clip.failure is not None
    assert clip.failure.reason == "out_of_time"


def test_housekeeping_runs_on_its_schedule(functions: Functions, recorded: Path) -> None:
    assert functions.call("housekeeping", {"source": "aws.events"}) == {}


def test_logs_name_clip_and_request_and_metrics_are_embedded(functions: Functions, recorded: Path) -> None:
    send(functions, {"id": "logged", "source": {"recording": KEY, "start": 3, "end": 4}})
    functions.play()
    lines = [json.loads(line) for line in functions.lines if line.startswith("{")]
    assert any(line.get("clip_id") == "logged" and line.get("request_id") for line in lines)
    metrics = [line for line in lines if "_aws" in line]
    assert any(line.get("ClipsReady") for line in metrics)
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Cutback" for line in metrics)


@pytest.mark.parametrize("role", ["worker", "housekeeping"])
def test_each_function_calls_only_what_its_role_allows(functions: Functions, recorded: Path, role: str) -> None:
    calls = functions.stack.moto.calls(role)
    assert calls
    assert forbidden(functions.stack.rights(role), calls) == []


@pytest.mark.parametrize("role", ["worker", "housekeeping"])
def test_each_role_allows_nothing_that_its_function_does_not_call(
    functions: Functions, recorded: Path, role: str
) -> None:
    left = unused(functions.stack.rights(role), functions.stack.moto.calls(role))
    assert {right.action for right in left} - set(NOT_PLAYED[role]) == set()
