"""The Queue on SQS or a service that is compatible with it."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cutback.adapters.aws.dead_letters import DeadLetters
from cutback.adapters.aws.sqs_messages import MAX_BATCH, MAX_WAIT_SECONDS, Clients, Delivery, Wire, whole_seconds
from cutback.domain.base import utc_now
from cutback.domain.errors import QueueUnavailableError, SettingsError
from cutback.ports import DeadLetter, Message, QueueDepth
from cutback.settings.addresses import queue_address

log = logging.getLogger(__name__)

MAX_DELAY = timedelta(minutes=15)
MAX_VISIBILITY = timedelta(hours=12)
MAX_RETENTION = timedelta(days=14)

_ZERO = timedelta()
_MOVING = timedelta(minutes=1)
"""Seconds for which a message is hidden while it moves to the dead letters."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """The configuration of a queue."""

    arn: str
    dead_arn: str
    """Empty without a redrive policy."""
    max_receives: int


class SqsQueue:
    """A Queue: a standard SQS queue whose redrive policy names its dead-letter queue.

    Every method raises `QueueUnavailableError` if SQS fails; arguments outside the port's limits raise `ValueError`.
    Times are rounded up to whole seconds. SQS guarantees less than the port in these points:

    - Messages have no guaranteed order, and one may be delivered twice.
    - SQS decides whether a receipt is stale. `delete` also returns True for a message that is already deleted, and an
      older receipt may still extend or delete. `extend` may return False once the visibility timeout has passed, even
      if nobody else has received the message.
    - `extend` hides a message for at most 12 hours after its receipt.
    - The redrive policy decides how often a message may be received. A message that SQS itself moved to the dead
      letters has no time for that; the first listing adds one.
    - `depth` is approximate, and up to a minute old.
    """

    def __init__(
        self,
        url: str,
        *,
        visibility: timedelta = timedelta(seconds=60),
        max_receives: int = 8,
        setting: str = "CUTBACK_QUEUE_URL",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Prepare; nothing is sent before `check`.

        `visibility` is how long a received message stays hidden, whatever the queue's own timeout. `max_receives` is
        the number that its redrive policy should have; `setting` names the queue's variable in messages.
        """
        _check("visibility", visibility, MAX_VISIBILITY)
        self._address = queue_address(url)
        self._visibility = visibility
        self._max_receives = max_receives
        self._setting = setting
        self._clock = clock
        self._clients = Clients(self._address)
        self._wire = Wire(self._clients, url)
        self._known: _Facts | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close idle connections."""
        self._clients.close()

    def check(self) -> None:
        """Check that the queue exists and has a dead-letter queue.

        Raises:
            SettingsError: it has no dead-letter queue.
            QueueUnavailableError: it does not answer or does not exist; the message names the setting.
        """
        try:
            self._dead_letters()
        except QueueUnavailableError as error:
            raise QueueUnavailableError(f"{self._setting}: {error.detail}") from None
        allowed = self._facts().max_receives
        if allowed < self._max_receives:
            log.warning(
                "queue=%s maxReceiveCount=%d reason=messages may become dead letters too early; set it to %d",
                self._address.url, allowed, self._max_receives,
            )  # fmt: skip

    # --- messages --------------------------------------------------------------------------------

    def send(self, body: str, *, delay: timedelta = _ZERO) -> str:
        """Put a message in; durable on return. Returns its id. `delay` is at most 15 minutes.

        Raises:
            MessageRefusedError: it is larger than 1 MiB or the queue's limit, or has characters that SQS rejects.
        """
        _check("delay", delay, MAX_DELAY)
        return self._wire.send(body, delay=whole_seconds(delay))

    def send_all(self, bodies: Iterable[str]) -> list[str]:
        """Send messages, ten per call; they are durable on return. Returns their ids. After an error, some are sent.

        Raises:
            MessageRefusedError: like `send`.
        """
        return self._wire.send_all(bodies)

    def receive(self, *, limit: int = 1, wait: timedelta = _ZERO, visibility: timedelta | None = None) -> list[Message]:
        """Receive up to `limit` (1-10) messages, by long polling up to `wait` for the first one."""
        if not 1 <= limit <= MAX_BATCH:
            raise ValueError(f"limit must be 1 to {MAX_BATCH}")
        hidden = self._visibility if visibility is None else visibility
        _check("visibility", hidden, MAX_VISIBILITY)
        deadline = time.monotonic() + wait.total_seconds()
        while True:
            left = max(timedelta(seconds=deadline - time.monotonic()), _ZERO)
            found = self._wire.receive(
                limit=limit,
                wait=min(whole_seconds(left), MAX_WAIT_SECONDS) if wait else 0,
                visibility=whole_seconds(hidden),
            )
            if found or time.monotonic() >= deadline:
                return [_message(delivery) for delivery in found]

    def extend(self, message: Message, visibility: timedelta) -> bool:
        """Hide the message for `visibility` (0 to 12 hours) from now; False if SQS says that the receipt is stale."""
        _check("visibility", visibility, MAX_VISIBILITY)
        return self._wire.hide(message.receipt, whole_seconds(visibility))

    def delete(self, message: Message) -> bool:
        """Delete the message. Returns False only if SQS says that the receipt is stale."""
        return self._wire.delete(message.receipt)

    # --- dead letters ----------------------------------------------------------------------------

    def move_to_dead_letters(self, message: Message, reason: str) -> bool:
        """Send the message to the dead letters with the reason, then delete it. False if the receipt is stale.

        If this is interrupted between the two steps, the message is in both places; it returns and is moved again.

        Raises:
            SettingsError: the queue has no dead-letter queue.
        """
        letters = self._dead_letters()
        if not self.extend(message, _MOVING):
            return False
        letters.add(message.body, message.id, reason, message.receive_count)
        self.delete(message)
        return True

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """Return up to `limit` dead letters, newest first. SQS does not say which are the newest of all.

        Listing hides them for a moment, so two processes that list at the same time see different ones.
        """
        if limit < 1:
            raise ValueError("limit must be 1 or more")
        return self._dead_letters().look(limit) if self._facts().dead_arn else []

    def redrive(self, ids: Iterable[str] | None = None) -> int:
        """Send dead letters (None: all) back to the queue, with a receive count of 0. Returns how many.

        If `ids` is None, SQS's own redrive moves them; this waits for up to a minute, and does not count what SQS
        moves later. Messages that SQS itself had moved to the dead letters get new ids.
        """
        if not self._facts().dead_arn:
            return 0
        letters = self._dead_letters()
        return letters.bring_back_all() if ids is None else letters.bring_back(set(ids))

    def depth(self) -> QueueDepth:
        """Return approximately how many messages there are, by kind."""
        visible, in_flight, delayed = self._wire.counts()
        dead = sum(self._dead_letters().wire.counts()) if self._facts().dead_arn else 0
        return QueueDepth(visible=visible, in_flight=in_flight, delayed=delayed, dead=dead)

    def nothing_sent_before(self) -> datetime:
        """Return the moment 14 days ago: SQS keeps no message for longer, and does not tell the age of the oldest."""
        return self._clock() - MAX_RETENTION

    # --- internal --------------------------------------------------------------------------------

    def _facts(self) -> _Facts:
        with self._lock:
            if self._known is None:
                found = self._wire.attributes("QueueArn", "RedrivePolicy")
                policy = json.loads(found.get("RedrivePolicy") or "{}")
                self._known = _Facts(
                    arn=found.get("QueueArn", ""),
                    dead_arn=str(policy.get("deadLetterTargetArn", "")),
                    max_receives=int(policy.get("maxReceiveCount", 0)),
                )
            return self._known

    def _dead_letters(self) -> DeadLetters:
        facts = self._facts()
        if not facts.dead_arn:
            raise SettingsError(
                f"\n- {self._setting}: {self._address.url} has no dead-letter queue; give it a redrive policy with one"
            )
        return DeadLetters(
            source=self._wire,
            source_arn=facts.arn,
            # Only its name is needed: a dead-letter queue is always in the same account and region.
            wire=Wire(self._clients, self._address.beside(facts.dead_arn.rpartition(":")[2])),
            arn=facts.dead_arn,
            clients=self._clients,
            max_receives=facts.max_receives,
            clock=self._clock,
        )


def _message(delivery: Delivery) -> Message:
    return Message(delivery.id, delivery.receipt, delivery.body, delivery.receive_count, delivery.sent_at)


def _check(name: str, value: timedelta, most: timedelta) -> None:
    if not _ZERO <= value <= most:
        raise ValueError(f"{name} must be from 0 to {most}")
