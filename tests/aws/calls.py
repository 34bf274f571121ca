"""Reads which AWS calls were made, by which caller and on which resource, from the stand-in's log of requests.

A caller is identified by its access key, so a test gives each function its own key. Each call has its name in IAM
(`sqs:SendMessage`, also for a batch), with the ARN of the resource.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT = "123456789012"
_SIGNED = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")

_AS_IAM_HAS_IT = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One kind of call that was made."""

    caller: str
    """The access key that signed it."""
    action: str
    resource: str


def read_calls(path: Path, caller: str) -> set[Call]:
    """Every call of one caller on record.

    Raises:
        ValueError: a request to a service this does not know: teach it, or nothing is proven.
    """
    found: set[Call] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        request = json.loads(line)
        signed = _SIGNED.search(request["signed"])
        if signed and signed["key"] == caller:
            found |= {Call(signed["key"], action, arn) for action, arn in _calls(request, signed)}
    return found


def _calls(request: dict[str, Any], signed: re.Match[str]) -> set[tuple[str, str]]:
    service, region = signed["service"], signed["region"]
    if service == "s3":
        return _s3(request)
    fields = _fields(request)
    action = f"{service}:{request['target'].rpartition('.')[2] or fields.get('Action', '')}"
    match service:
        case "sqs":
            name = fields.get("QueueName") or urlsplit(fields.get("QueueUrl", "")).path.rpartition("/")[2]
            arn = fields.get("SourceArn") or f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
        case "sns":
            arn = fields.get("TopicArn", "*")
        case "secretsmanager":
            arn = fields.get("SecretId", "*")
        case _:
            raise ValueError(f"{signed['key']} called {action}, of which calls.py knows nothing")
    return {(_AS_IAM_HAS_IT.get(action, action), arn)}


def _fields(request: dict[str, Any]) -> dict[str, str]:
    if request["target"]:
        content = json.loads(request["body"] or "{}")
        return {name: value for name, value in content.items() if isinstance(value, str)}
    return {name: values[0] for name, values in parse_qs(request["body"] or request["query"]).items()}


def _s3(request: dict[str, Any]) -> set[tuple[str, str]]:
    bucket, _, key = unquote(request["path"]).removeprefix("/").partition("/")
    query = parse_qs(request["query"], keep_blank_values=True)
    of_bucket, of_object = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"
    match request["method"], bool(key):
        case "GET" | "HEAD", False:
            return {("s3:ListBucket", of_bucket)}
        case "POST", False if "delete" in query:
            return {("s3:DeleteObject", f"{of_bucket}/")}
        case "GET", True if "uploadId" in query:
            return {("s3:ListMultipartUploadParts", of_object)}
        case "GET" | "HEAD", True:
            return {("s3:GetObject", of_object)}
        case "DELETE", True:
            return {("s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject", of_object)}
        case "PUT" | "POST", True:
            read = unquote(request["copied"]).removeprefix("/")
            return {("s3:PutObject", of_object)} | ({("s3:GetObject", f"arn:aws:s3:::{read}")} if read else set())
        case _:
            raise ValueError(f"{request['method']} {request['path']}?{request['query']}: calls.py knows it not")
