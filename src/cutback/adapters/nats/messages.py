"""What is in a message on JetStream: the names of subjects and headers, and what a receipt contains. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.aio.msg import Msg

from cutback.ports import Message

ID = "Cutback-Id"
SENT = "Cutback-Sent"
DIED = "Cutback-Died"
REASON = "Cutback-Reason"
RECEIVES = "Cutback-Receives"
DEDUPLICATION = "Nats-Msg-Id"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHORT_RECEIPT = 9


@dataclass(frozen=True, slots=True)
class Names:
    """The names of what belongs to one queue."""

    stream: str

    @property
    def consumer(self) -> str:
        """The consumer that all workers share."""
        return "workers"

    @property
    def new(self) -> str:
        """The subject of messages that can be received."""
        return f"cutback.queue.{self.stream}.new"

    @property
    def again(self) -> str:
        """The subjects of messages that became receivable later than they were sent; see `again_at`."""
        return f"cutback.queue.{self.stream}.again.*"

    @property
    def later(self) -> str:
        """The subjects of messages with a delay that is not over."""
        return f"cutback.queue.{self.stream}.later.*"

    @property
    def dead_stream(self) -> str:
        """The stream of dead letters."""
        return f"{self.stream}-dead"

    @property
    def dead(self) -> str:
        """The subjects of dead letters."""
        return f"cutback.dead.{self.stream}.*"

    def again_at(self, sent_at: datetime) -> str:
        """Return the subject of such a message. It tells in which second the message was sent."""
        return self.again.replace("*", str(int(sent_at.timestamp())))

    def later_with(self, message_id: str) -> str:
        """Return the subject of one message with a delay."""
        return self.later.replace("*", message_id)

    def dead_with(self, message_id: str) -> str:
        """Return the subject of one dead letter, of which there is at most one for each id."""
        return self.dead.replace("*", message_id)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What JetStream's subject for acknowledgements says about a delivery."""

    stream: str
    consumer: str
    delivered: int
    """How often the message was delivered, including this time."""
    sequence: int
    """The message's place in its stream, which no other message ever has."""
    stored_at: datetime

    @classmethod
    def parse(cls, subject: str) -> Receipt | None:
        """Return what it says; None if it is no such subject."""
        words = subject.split(".")
        if words[:2] != ["$JS", "ACK"] or len(words) < _SHORT_RECEIPT:
            return None
        stream, consumer, delivered, sequence, _, nanoseconds = (
            words[2:8] if len(words) == _SHORT_RECEIPT else words[4:10]
        )
        try:
            stored_at = datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC)
            return cls(stream, consumer, int(delivered), int(sequence), stored_at)
        except ValueError:
            return None


def is_id(text: str) -> bool:
    """Whether a text may be a message's id, and so part of a subject."""
    return bool(_TOKEN.fullmatch(text))


def identity(headers: Mapping[str, str], sequence: int) -> str:
    """Return a message's id. Messages that other programs sent have their number in the stream."""
    given = headers.get(ID, "")
    return given if is_id(given) else str(sequence)


def moment(text: str | None, otherwise: datetime) -> datetime:
    """Return the moment that a header contains."""
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except ValueError:
        return otherwise


def received(message: Msg, receipt: Receipt) -> Message:
    """Return a delivery as the port's message."""
    headers = message.headers or {}
    return Message(
        id=identity(headers, receipt.sequence),
        receipt=message.reply,
        body=message.data.decode("utf-8", "replace"),
        receive_count=receipt.delivered,
        sent_at=moment(headers.get(SENT), receipt.stored_at),
    )
