"""Announces events by publishing to an SNS topic: CloudEvents with attributes for filters."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from cutback.adapters.aws.clients import client, translating
from cutback.adapters.event_message import attributes, event_text
from cutback.domain.clips.event import Event
from cutback.domain.errors import SurroundingsError
from cutback.settings.addresses import topic_address

MAX_BYTES = 256 * 1024
"""Maximum bytes of body and attributes that every topic accepts."""

_MAX_DEDUPLICATION_ID = 128


class SnsAnnouncer:
    """An Announcer. A message is the event as JSON, with the attributes `type`, `state` and, if known, `camera`.

    On a FIFO topic, the events of one clip keep their order, and an event that is announced again within five minutes
    is delivered once.
    """

    def __init__(self, arn: str) -> None:
        """Prepare; nothing is sent yet."""
        self._topic = topic_address(arn)
        self._client: Any = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def announce(self, event: Event) -> None:
        """Publish the event. On return, SNS has accepted it.

        Raises:
            SurroundingsError: SNS did not confirm it; announce it again.
        """
        group = {"MessageGroupId": event.subject, "MessageDeduplicationId": short_id(event.id)}
        publishing = self._publishing()
        with translating(self._topic.arn, SurroundingsError):
            publishing.publish(
                TopicArn=self._topic.arn,
                Message=message(event),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes(event).items()
                },
                **(group if self._topic.fifo else {}),
            )

    def _publishing(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = client("sns", region=self._topic.region)
            return self._client


def message(event: Event, *, most: int = MAX_BYTES) -> str:
    """Return the event as JSON, shortened if it has more than `most` bytes together with its attributes."""
    used = sum(len(name) + len("String") + len(value.encode()) for name, value in attributes(event).items())
    return event_text(event, most=most - used)


def short_id(event_id: str) -> str:
    """Return an event's id as a deduplication id for SNS: at most 128 characters, equal for equal ids."""
    if len(event_id) <= _MAX_DEDUPLICATION_ID:
        return event_id
    return hashlib.sha256(event_id.encode()).hexdigest()
