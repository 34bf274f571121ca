"""Unwraps a message of the queue, whatever its envelope. Pure.

Accepted are a bare request, a list of requests, the older message format (as JSON or as a Python literal), Amazon SNS
notifications, Amazon EventBridge events, Amazon S3 event notifications, and the pointer that the SQS extended client
library sends in place of a message that is too large.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from cutback.domain.base import decode_text, read_json
from cutback.domain.cameras.store_event import StoreEvent
from cutback.domain.errors import Fault, InvalidRequestError
from cutback.domain.requests import older_format
from cutback.domain.requests.python_literal import is_python_dictionary, read_python_dictionary
from cutback.domain.wallclock import parse_moment

DEEPEST = 5
"""Most levels of nested envelopes; no real message has more."""

MOST_ITEMS = 1000
"""Most requests and events in one message."""

_LONGEST_TEXT = 10_000
"""Maximum characters of a text in a store's event: a key has at most 1024 bytes, with three characters for each."""

_LARGEST_OBJECT = 2**53
"""Bytes."""

_POINTERS = {
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
}


_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


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


class _TooManyItemsError(Exception):
    """Stops unwrapping a message, at any level of its envelopes."""


def open_envelope(body: str | bytes) -> list[Item]:
    """Return what the message contains, in order; empty if it only tests a connection.

    Raises:
        InvalidRequestError: it is neither JSON nor a Python literal, or its envelope is malformed. Nothing else is
            raised, whatever `body` is.
    """
    try:
        items = _open(_read(body), 0)
        _check_count(items)
    except _TooManyItemsError:
        problem = f"contains more than the {MOST_ITEMS} requests that a message may contain"
        raise InvalidRequestError([Fault("", problem)]) from None
    return items


def _check_count(items: list[Item]) -> None:
    if len(items) > MOST_ITEMS:
        raise _TooManyItemsError


def with_traceparent(body: str, traceparent: str | None) -> str:
    """Return a message that also tells of which trace it is a part.

    It has the form of an SNS notification with an attribute, which versions without traces read, too.
    """
    if traceparent is None:
        return body
    attributes = {"traceparent": {"Type": "String", "Value": traceparent}}
    content = {"Type": "Notification", "MessageAttributes": attributes, "Message": body}
    return json.dumps(content, ensure_ascii=False)


def traceparent_of(body: str) -> str | None:
    """Return the trace of a message, from `with_traceparent` or from an attribute of SNS; None if there is none."""
    if '"traceparent"' not in body:
        return None
    try:
        value = json.loads(body)["MessageAttributes"]["traceparent"]["Value"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return value if isinstance(value, str) and _TRACE.fullmatch(value) else None


def as_body(item: RequestItem) -> str:
    """Return an unwrapped request as a separate message. Numbers with a fraction become strings, to stay exact."""
    return json.dumps(item.content, default=_exact, ensure_ascii=False)


def _exact(value: object) -> str:
    assert isinstance(value, Decimal)
    return format(value, "f") if abs(value.adjusted()) < 30 else str(value)


def _read(body: str | bytes) -> Any:
    text = decode_text(body)
    if not is_python_dictionary(text):
        return read_json(text)
    content = read_python_dictionary(text)
    if not older_format.is_legacy(content):
        raise InvalidRequestError(
            [Fault("", "is a Python dictionary, which is allowed only in the older message format")]
        )
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
    items: list[Item] = []
    for each in content:
        items += _open_each(each, depth)
        _check_count(items)
    return items


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
    name = record.get("eventName")
    kind = name.removeprefix("s3:").partition(":")[0] if isinstance(name, str) else ""
    if kind not in {"ObjectCreated", "ObjectRemoved", "LifecycleExpiration"}:
        return []  # events about tags, restores and the like do not change a recording
    try:
        bucket, thing = _text(record["s3"]["bucket"]["name"]), record["s3"]["object"]
        # Keys are encoded like HTML forms: a space is a plus sign.
        key = unquote_plus(_text(thing["key"]), errors="strict")
        when = parse_moment(_text(record["eventTime"]))
        sequencer, etag, size = _text(thing.get("sequencer", "")), _text(thing.get("eTag", "")), _size(thing)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        problem = f"is an S3 event with a missing or invalid field ({_shown(error)})"
        raise InvalidRequestError([Fault(path, problem)]) from None
    created = kind == "ObjectCreated"
    return [
        EventItem(
            StoreEvent(
                kind="created" if created else "removed",
                bucket=bucket,
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
            bucket=_text(detail["bucket"]["name"]),
            key=_text(thing["key"]),  # not encoded here
            sequencer=_text(thing.get("sequencer", "")),
            time=parse_moment(_text(content["time"])),
            etag=_text(thing.get("etag", "")) if created else "",
            size=_size(thing) if created else 0,
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        problem = f"is an S3 event with a missing or invalid field ({_shown(error)})"
        raise InvalidRequestError([Fault("detail", problem)]) from None
    return [EventItem(event)]


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError("a text is missing or too long")
    return value


def _size(thing: dict[str, Any]) -> int:
    size = thing.get("size", 0)
    if isinstance(size, str) and len(size) < 20 and size.isascii() and size.isdigit():
        size = int(size)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= _LARGEST_OBJECT:
        raise ValueError("the size is not an integer")
    return size


def _shown(error: Exception) -> str:
    return str(error)[:200]
