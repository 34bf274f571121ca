"""The calls of one SQS queue and their answers, without any decisions."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cutback.adapters.aws.clients import READ_SECONDS, client, error_code, translating
from cutback.domain.errors import MessageRefusedError, QueueUnavailableError
from cutback.settings.addresses import QueueAddress

MAX_BATCH = 10
MAX_WAIT_SECONDS = 20
MAX_BYTES = 1024 * 1024
"""Maximum bytes of a body and its attributes. A queue may have a lower limit."""

ID, REASON, RECEIVES = "cutback.id", "cutback.reason", "cutback.receives"
"""The attributes of dead letters: SQS itself keeps nothing but the body."""

BATCH_BYTES = 256 * 1024
"""Maximum bytes of all bodies in one call, as every service allows. SQS itself allows as much as for one message."""

_REFUSED = {"InvalidMessageContents", "InvalidParameterValue"}
_NO_BATCH = {*_REFUSED, "BatchRequestTooLong", "UnsupportedOperation"}
_STALE = {"MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidIdFormat"}
LONGEST_HOLD = 11 * 3600
"""Seconds. SQS never hides a message for longer than 12 hours after it was received."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A received message, with Cutback's own attributes."""

    message_id: str
    receipt: str
    body: str
    receive_count: int
    sent_at: datetime
    marks: Mapping[str, str]
    moved: bool
    """Whether SQS itself moved it here from another queue. Not every service says so."""

    @property
    def id(self) -> str:
        """The id of the original message."""
        return self.marks.get(ID) or self.message_id


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients for SQS, created when they are first needed: one for long polling, one for all other calls."""

    address: QueueAddress
    _made: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asking(self) -> Any:
        """The client for calls that answer immediately."""
        return self._client("asking", READ_SECONDS)

    @property
    def receiving(self) -> Any:
        """The client for long polling."""
        return self._client("receiving", READ_SECONDS + MAX_WAIT_SECONDS)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for made in self._made.values():
                made.close()
            self._made.clear()

    def _client(self, name: str, read_seconds: float) -> Any:
        with self._lock:
            if name not in self._made:
                self._made[name] = client(
                    "sqs", region=self.address.region, endpoint=self.address.endpoint, read_seconds=read_seconds
                )
            return self._made[name]


class Wire:
    """The calls of one queue. All may raise `QueueUnavailableError`, or `SettingsError` without botocore."""

    def __init__(self, clients: Clients, url: str) -> None:
        """Prepare; nothing is sent yet."""
        self._clients = clients
        self.url = url

    def send(self, body: str, *, delay: int = 0, marks: Mapping[str, str] | None = None) -> str:
        """Send a message and return its id. `delay` is in seconds. If the body is too long, `marks` are omitted.

        Raises:
            MessageRefusedError: SQS rejects it.
        """
        if size(body) > MAX_BYTES:
            raise MessageRefusedError(f"It has {size(body)} bytes; the maximum is {MAX_BYTES}.")
        if size(body, marks) > MAX_BYTES:
            marks = None
        asking = self._clients.asking
        with translating(self.url, QueueUnavailableError):
            try:
                answer = asking.send_message(
                    QueueUrl=self.url,
                    MessageBody=body,
                    **({"DelaySeconds": delay} if delay else {}),
                    MessageAttributes={
                        name: {"DataType": "String", "StringValue": value} for name, value in (marks or {}).items()
                    },
                )
            except asking.exceptions.ClientError as error:
                if error_code(error) in _REFUSED:
                    raise MessageRefusedError(
                        f"{self.url} answered {error_code(error)} to {size(body)} bytes."
                    ) from error
                raise
        return str(answer["MessageId"])

    def send_all(self, bodies: Iterable[str]) -> list[str]:
        """Send messages in as few calls as possible, and return their ids in order.

        A message that SQS rejects in a batch is sent alone, to find out what is wrong with it.

        Raises:
            MessageRefusedError: SQS rejects one of them.
        """
        ids: list[str] = []
        for batch in _batches(bodies):
            taken = self._send_batch(batch) if len(batch) > 1 else {}
            ids += [taken.get(str(number)) or self.send(body) for number, body in enumerate(batch)]
        return ids

    def _send_batch(self, bodies: list[str]) -> dict[str, str]:
        asking = self._clients.asking
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        with translating(self.url, QueueUnavailableError):
            try:
                answer = asking.send_message_batch(QueueUrl=self.url, Entries=entries)
            except asking.exceptions.ClientError as error:
                if error_code(error) in _NO_BATCH:
                    return {}
                raise
        return {str(taken["Id"]): str(taken["MessageId"]) for taken in answer.get("Successful", ())}

    def receive(self, *, limit: int, wait: int, visibility: int) -> list[Delivery]:
        """Receive up to `limit` (1-10); `wait` (at most 20) and `visibility` in seconds."""
        receiving = self._clients.receiving
        with translating(self.url, QueueUnavailableError):
            answer = receiving.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait,
                VisibilityTimeout=visibility,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=[ID, REASON, RECEIVES],
            )
        return [_delivery(message) for message in answer.get("Messages", ())]

    def hide(self, receipt: str, seconds: int) -> bool:
        """Hide a received message for this many seconds from now, or until `LONGEST_HOLD` after its receipt.

        Returns False if the receipt is stale.
        """
        asking = self._clients.asking
        with translating(self.url, QueueUnavailableError):
            try:
                asking.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
            except asking.exceptions.ClientError as error:
                if error_code(error) in _STALE:
                    return False
                if error_code(error) != "InvalidParameterValue":
                    raise
                # Either the message is gone or it would be hidden for too long: SQS uses the same code for both.
                return seconds > LONGEST_HOLD and self.hide(receipt, LONGEST_HOLD)
        return True

    def give_back(self, receipts: Iterable[str]) -> None:
        """Make received messages visible immediately. Messages that are gone are ignored."""
        self._in_batches("change_message_visibility_batch", receipts, VisibilityTimeout=0)

    def delete(self, receipt: str) -> bool:
        """Delete a received message; False if SQS says that the receipt is stale."""
        asking = self._clients.asking
        with translating(self.url, QueueUnavailableError):
            try:
                asking.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)
            except asking.exceptions.ClientError as error:
                if error_code(error) in _STALE:
                    return False
                raise
        return True

    def delete_all(self, receipts: Iterable[str]) -> None:
        """Delete received messages, in batches. A message that SQS fails to delete is delivered again."""
        self._in_batches("delete_message_batch", receipts)

    def attributes(self, *names: str) -> dict[str, str]:
        """Return the queue's attributes with these names, as text, except those that it does not have."""
        asking = self._clients.asking
        with translating(self.url, QueueUnavailableError):
            answer = asking.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(names))
        return {str(name): str(value) for name, value in answer.get("Attributes", {}).items()}

    def counts(self) -> tuple[int, int, int]:
        """Return approximately how many messages are visible, in flight and delayed."""
        names = ("", "NotVisible", "Delayed")
        found = self.attributes(*(f"ApproximateNumberOfMessages{name}" for name in names))
        visible, in_flight, delayed = (int(found.get(f"ApproximateNumberOfMessages{name}", 0)) for name in names)
        return visible, in_flight, delayed

    def _in_batches(self, call: str, receipts: Iterable[str], **more: int) -> None:
        left = list(receipts)
        asking = self._clients.asking
        for start in range(0, len(left), MAX_BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, **more}
                for number, receipt in enumerate(left[start : start + MAX_BATCH])
            ]
            with translating(self.url, QueueUnavailableError):
                getattr(asking, call)(QueueUrl=self.url, Entries=entries)


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    left = BATCH_BYTES
    for body in bodies:
        if batch and (len(batch) == MAX_BATCH or size(body) > left):
            yield batch
            batch, left = [], BATCH_BYTES
        batch.append(body)
        left -= size(body)
    if batch:
        yield batch


def size(body: str, marks: Mapping[str, str] | None = None) -> int:
    """Return a message's size in bytes as SQS counts it: its body, and its attributes' names, types and values."""
    counted = sum(len(name.encode()) + len("String") + len(value.encode()) for name, value in (marks or {}).items())
    return len(body.encode(errors="surrogatepass")) + counted


def whole_seconds(duration: timedelta) -> int:
    """Round up to whole seconds, as SQS requires, so that nothing happens early."""
    return math.ceil(duration.total_seconds())


def carried(text: str, most: int = 1000) -> str:
    """Turn `text` into an attribute's value: not empty, not too long, without characters that SQS rejects."""
    plain = "".join(sign if sign in "\t\n" or " " <= sign < "\ud800" or "\ue000" <= sign < "\ufffe" or sign > "\uffff"
                    else "\ufffd" for sign in text[:most])  # fmt: skip
    return plain or "?"


def _delivery(message: Mapping[str, Any]) -> Delivery:
    system = message.get("Attributes", {})
    own = message.get("MessageAttributes", {})
    return Delivery(
        message_id=str(message["MessageId"]),
        receipt=str(message["ReceiptHandle"]),
        body=str(message.get("Body", "")),
        receive_count=int(system.get("ApproximateReceiveCount", 1)),
        sent_at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(system.get("SentTimestamp", 0))),
        marks={name: str(own[name]["StringValue"]) for name in (ID, REASON, RECEIVES) if name in own},
        moved="DeadLetterQueueSourceArn" in system,
    )
