"""Unwraps a message of the queue, whatever its envelope. Pure.

Accepted are a bare request, a list of requests, the older message format (as JSON or as a Python literal), Amazon SNS
notifications, Amazon EventBridge events, Amazon S3 event notifications, and the pointer that the SQS extended client
library sends in place of a message that is too large.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from cutback.domain.base import read_json
from cutback.domain.cameras.store_event import StoreEvent
from cutback.domain.errors import Fault, InvalidRequestError
from cutback.domain.requests import older_format

DEEPEST = 5
"""Most levels of nested envelopes; no real message has more."""

MOST_ITEMS = 1000
"""Most requests and events in one message."""

_LARGEST_LITERAL = 256 * 1024

_POINTERS = {
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
}


@dataclass(frozen=True, slots=True)
class RequestItem:
    """A request for a clip; `content` is not validated yet."""

    content: Any


@dataclass(frozen=True, slots=True)
class EventItem:
    """A store's event about an object."""

    event: StoreEvent


@dataclass(frozen=True, slots=True)
class PointerItem:
    """A pointer to the actual message, which is in a store."""

    bucket: str
    key: str


Item: TypeAlias = RequestItem | EventItem | PointerItem


def open_envelope(body: str | bytes) -> list[Item]:
    """Return what the message contains, in order; empty if it only tests a connection.

    Raises:
        InvalidRequestError: it is neither JSON nor a Python literal, or its envelope is malformed.
    """
    items = list(_open(_read(body), 0))
    if len(items) > MOST_ITEMS:
        raise InvalidRequestError([Fault("", f"contains {len(items)} requests; a message may contain {MOST_ITEMS}")])
    return items


def as_body(item: RequestItem) -> str:
    """Return an unwrapped request as a separate message. Numbers with a fraction become strings, to stay exact."""
    return json.dumps(item.content, default=_exact, ensure_ascii=False)


def _exact(value: object) -> str:
    assert isinstance(value, Decimal)
    return format(value, "f") if abs(value.adjusted()) < 30 else str(value)


def _read(body: str | bytes) -> Any:
    try:
        return read_json(body)
    except InvalidRequestError:
        literal = _read_literal(body)
        if literal is None:
            raise
        return literal


def _read_literal(body: str | bytes) -> dict[str, Any] | None:
    """Parse a Python dictionary as older pipelines print it, with single quotes; None if it is not one.

    `literal_eval` only builds constants and containers; it never calls or looks up anything.
    """
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    if not text.lstrip().startswith("{'") or len(text) > _LARGEST_LITERAL:
        return None
    try:
        content = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return None
    return content


def _open(content: Any, depth: int) -> list[Item]:
    if depth > DEEPEST:
        raise InvalidRequestError([Fault("", f"is wrapped more than {DEEPEST} times")])
    if isinstance(content, list):
        return _open_list(content, depth)
    if not isinstance(content, dict):
        return [RequestItem(content)]
    if content.get("Type") == "Notification" and "Message" in content:
        return _open_inner(content["Message"], depth)
    if content.get("Event") == "s3:TestEvent":
        return []
    if isinstance(content.get("Records"), list):
        return [item for number, record in enumerate(content["Records"]) for item in _record(record, number, depth)]
    if isinstance(content.get("detail-type"), str) and "detail" in content:
        return _open_bridge(content, depth)
    if older_format.is_legacy(content):
        return [RequestItem(older_format.as_request(content))]
    return [RequestItem(content)]


def _open_list(content: list[Any], depth: int) -> list[Item]:
    if len(content) == 2 and isinstance(content[0], str) and content[0] in _POINTERS and isinstance(content[1], dict):
        bucket, key = content[1].get("s3BucketName"), content[1].get("s3Key")
        if not isinstance(bucket, str) or not isinstance(key, str):
            raise InvalidRequestError([Fault("[1]", "needs s3BucketName and s3Key")])
        return [PointerItem(bucket, key)]
    return [item for each in content for item in _open_each(each, depth)]


def _open_each(content: Any, depth: int) -> list[Item]:
    """Unwrap one item of several. An invalid one is passed on as a request, so that only it fails, not the others."""
    try:
        return _open(content, depth + 1)
    except InvalidRequestError:
        return [RequestItem(content)]


def _open_inner(message: Any, depth: int) -> list[Item]:
    if isinstance(message, str):
        return _open(_read(message), depth + 1)
    return _open(message, depth + 1)


def _record(record: Any, number: int, depth: int) -> list[Item]:
    if isinstance(record, dict):
        if isinstance(record.get("s3"), dict):
            return _s3_record(record, f"Records[{number}]")
        sns = record.get("Sns")
        if isinstance(sns, dict):
            return _open_inner(sns.get("Message"), depth)
    raise InvalidRequestError([Fault(f"Records[{number}]", "is neither an S3 nor an SNS record")])


def _s3_record(record: dict[str, Any], path: str) -> list[Item]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html."""
    name = str(record.get("eventName", "")).removeprefix("s3:")
    kind = name.partition(":")[0]
    if kind not in {"ObjectCreated", "ObjectRemoved", "LifecycleExpiration"}:
        return []  # events about tags, restores and the like do not change a recording
    try:
        bucket, thing = record["s3"]["bucket"]["name"], record["s3"]["object"]
        # Keys are encoded like HTML forms: a space is a plus sign.
        key = unquote_plus(str(thing["key"]), errors="strict")
        when = _moment(record["eventTime"])
        sequencer, etag, size = str(thing.get("sequencer", "")), str(thing.get("eTag", "")), int(thing.get("size", 0))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequestError([Fault(path, f"is an S3 event with a missing or invalid field ({error})")]) from None
    created = kind == "ObjectCreated"
    return [
        EventItem(
            StoreEvent(
                kind="created" if created else "removed",
                bucket=str(bucket),
                key=key,
                sequencer=sequencer,
                time=when,
                etag=etag if created else "",
                size=size if created else 0,
            )
        )
    ]


def _open_bridge(content: dict[str, Any], depth: int) -> list[Item]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html; details of other sources are requests."""
    detail, kind = content["detail"], content["detail-type"]
    if content.get("source") != "aws.s3":
        return _open_inner(detail, depth)
    if kind not in {"Object Created", "Object Deleted"}:
        return []
    created = kind == "Object Created"
    try:
        thing = detail["object"]
        event = StoreEvent(
            kind="created" if created else "removed",
            bucket=str(detail["bucket"]["name"]),
            key=str(thing["key"]),  # not encoded here
            sequencer=str(thing.get("sequencer", "")),
            time=_moment(content["time"]),
            etag=str(thing.get("etag", "")) if created else "",
            size=int(thing.get("size", 0)) if created else 0,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidRequestError(
            [Fault("detail", f"is an S3 event with a missing or invalid field ({error})")]
        ) from None
    return [EventItem(event)]


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
