"""What the end-to-end tests share: requests, announcements and the content of the clip bucket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.aws.mapping import Functions
from tests.aws.stack import Stack
from tests.support.decode import decode_presented
from tests.support.media import MediaSpec, cached_media
from tests.support.mongo_server import MongoServer

from cutback.domain.clips.clip import Clip, ClipState

START = datetime.fromisoformat("2026-11-24T10:00:00+00:00")
KEY = "north.20261124T100000.mp4"
SPEC = MediaSpec(frames=240, gop=30)


def at(seconds: float) -> str:
    """A moment of the recording, on the wall clock."""
    return (START + timedelta(seconds=seconds)).isoformat()


def keep_records_in(stack: Stack, mongo: MongoServer) -> str:
    """Let the stack's records be in a database of their own. Returns its URL."""
    url = mongo.url()
    secrets = stack.moto.client("secretsmanager")
    secrets.put_secret_value(SecretId=stack.outputs["records_secret_arn"], SecretString=url)
    return url


def record(functions: Functions, folder: Path) -> None:
    """Put a recording into the source bucket, and have its event dealt with."""
    with cached_media(SPEC, folder).open("rb") as content:
        functions.stack.moto.client("s3").put_object(
            Bucket=functions.stack.outputs["recordings_bucket"], Key=KEY, Body=content
        )
    assert functions.play() >= 1


def send(stack: Stack, body: Any, *, queue: str = "queue_url") -> None:
    """Send what asks for clips, or anything else, to a queue."""
    text = body if isinstance(body, str) else json.dumps(body)
    stack.moto.client("sqs").send_message(QueueUrl=stack.outputs[queue], MessageBody=text)


def die_at_it(stack: Stack, *, queue: str = "queue_url") -> int:
    """Take all messages again and again and never finish, until SQS moves them away. Returns how often that was."""
    sqs, count = stack.moto.client("sqs"), 0
    url = stack.outputs[queue]
    while found := sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0).get("Messages"):
        count += len(found)
    return count


def is_empty(stack: Stack, queue: str) -> bool:
    """Whether a queue has no messages, visible or in flight."""
    kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.moto.client("sqs").get_queue_attributes(QueueUrl=stack.outputs[queue], AttributeNames=kinds)
    return set(answer["Attributes"].values()) == {"0"}


def told(stack: Stack, url: str) -> list[dict[str, Any]]:
    """What a queue was told by SNS."""
    sqs, made = stack.moto.client("sqs"), []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            made.append(json.loads(message["Body"]))
    return made


def stored_counters(stack: Stack, clip: Clip | None) -> list[int]:
    """The numbers in the frames of a clip in the clip bucket."""
    assert clip is not None
    assert (clip.state, clip.failure) == (ClipState.READY, None)
    assert clip.result is not None
    answer = stack.moto.client("s3").get_object(Bucket=stack.outputs["clips_bucket"], Key=clip.result.key)
    return decode_presented(answer["Body"].read()).counters


def cutback(functions: Functions, *arguments: str, **settings: str) -> Any:
    """The command line as people have it: the worker's settings, rights of their own.

    Who lists dead letters and redrives them is known to the stand-in as `operator`, who does anything else as
    `administrator`.
    """
    person = "operator" if arguments[0] in {"dead-letters", "redrive"} else "administrator"
    variables = functions.stack.function("worker")["Environment"]["Variables"]
    told = {name: value for name, value in variables.items() if name.startswith("CUTBACK_")}
    own = {**functions.settings, **settings, **functions.stack.moto.environment(person)}
    done = subprocess.run(
        [sys.executable, "-m", "cutback", *arguments],
        env={"PATH": os.environ["PATH"], **told, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
