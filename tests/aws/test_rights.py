"""Policies are tested against recorded calls: forbidden calls and superfluous permissions are both found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.aws.calls import Call, read_calls
from tests.aws.rights import Right, forbidden, rights_of, unexplained, unused
from tests.aws.stack import running_moto

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:cutback-requests"
BUCKET = "arn:aws:s3:::waves"


def policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_call_without_a_right_is_seen() -> None:
    held = rights_of(policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}))
    read = Call("worker", "s3:GetObject", f"{BUCKET}/first-wave/1/clip.mp4")
    written = Call("worker", "s3:PutObject", f"{BUCKET}/first-wave/1/clip.mp4")
    elsewhere = Call("worker", "s3:GetObject", "arn:aws:s3:::waves-of-others/clip.mp4")
    assert forbidden(held, [read, written, elsewhere]) == sorted([written, elsewhere])


def test_a_right_without_a_call_is_seen() -> None:
    held = rights_of(policy({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{BUCKET}/*"}))
    read = Call("worker", "s3:GetObject", f"{BUCKET}/first-wave/1/clip.mp4")
    assert unused(held, [read]) == [Right("s3:PutObject", f"{BUCKET}/*")]


def test_a_right_without_a_call_needs_a_reason_for_that_resource_and_a_reason_needs_a_right() -> None:
    dead = f"{QUEUE}-dead"
    held = rights_of(policy({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": [QUEUE, dead]}))
    assert unexplained(held, [], {"sqs:SendMessage *": "both are never played"}) == []
    assert unexplained(held, [], {"sqs:SendMessage *-dead": "played by nobody"}) == ["sqs:SendMessage cutback-requests"]
    sent = [Call("worker", "sqs:SendMessage", QUEUE), Call("worker", "sqs:SendMessage", dead)]
    assert unexplained(held, sent, {}) == []
    assert unexplained(held, sent, {"sqs:DeleteMessage *": "no longer held"}) == ["sqs:DeleteMessage *"]


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(ValueError, match="understands"):
        rights_of(policy({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}))


def test_calls_are_recorded_by_caller_as_iam_names_them(tmp_path: Path) -> None:
    with running_moto(tmp_path) as moto:
        owner = moto.client("sqs")
        url = owner.create_queue(QueueName="cutback-requests")["QueueUrl"]
        moto.client("s3").create_bucket(
            Bucket="waves", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        topic = moto.client("sns").create_topic(Name="video_production")["TopicArn"]
        secret = moto.client("secretsmanager").create_secret(Name="url", SecretString="mongodb://")["ARN"]
        sqs, s3 = moto.client("sqs", "worker"), moto.client("s3", "worker")
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "{}"}])
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        s3.put_object(Bucket="waves", Key="a/1/clip.mp4", Body=b"wave")
        s3.head_object(Bucket="waves", Key="a/1/clip.mp4")
        s3.list_objects_v2(Bucket="waves", Prefix="a/")
        s3.delete_object(Bucket="waves", Key="a/1/clip.mp4")
        moto.client("sns", "worker").publish(TopicArn=topic, Message="{}")
        moto.client("secretsmanager", "worker").get_secret_value(SecretId=secret)
        made = moto.calls("worker")
    clip = f"{BUCKET}/a/1/clip.mp4"
    assert made == {
        Call("worker", "sqs:SendMessage", QUEUE),
        Call("worker", "sqs:ReceiveMessage", QUEUE),
        Call("worker", "sqs:DeleteMessage", QUEUE),
        Call("worker", "s3:PutObject", clip),
        Call("worker", "s3:GetObject", clip),
        Call("worker", "s3:DeleteObject", clip),
        Call("worker", "s3:ListBucket", BUCKET),
        Call("worker", "sns:Publish", topic),
        Call("worker", "secretsmanager:GetSecretValue", secret),
    }


def test_an_unknown_service_is_not_overlooked(tmp_path: Path) -> None:
    record = tmp_path / "calls.jsonl"
    signed = "AWS4-HMAC-SHA256 Credential=worker/20261125/eu-central-1/dynamodb/aws4_request, Signature=0"
    line = {
        "method": "POST",
        "path": "/",
        "query": "",
        "signed": signed,
        "target": "DynamoDB.GetItem",
        "copied": "",
        "body": "{}",
    }
    record.write_text(json.dumps(line) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="worker called dynamodb:GetItem"):
        read_calls(record, "worker")
