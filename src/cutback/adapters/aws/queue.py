"""The Queue on SQS, or on a service that speaks its protocol."""

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

_ZERO = timedelta()
_MOVING = timedelta(minutes=1)
"""How long a message is held while it is moved to the dead letters."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a queue's owner has said of it."""

    arn: str
    dead_arn: str
    """Empty without a redrive policy."""
    max_receives: int


class SqsQueue:
    """A Queue: a standard SQS queue whose redrive policy names its dead-letter queue.

    Every method raises `QueueUnavailableError` when SQS does not answer as it should; arguments outside the port's
    limits are `ValueError`s. Times are rounded up to whole seconds. Where SQS promises less than the port:

    - Messages come in no certain order, and one may be delivered twice.
    - A receipt is as stale as SQS says. `delete` returns True also for a message that is deleted already, and an
      older receipt may still extend or delete; `extend` may return False once the visibility has passed, although
      nobody else has received the message.
    - `extend` hides a message for no longer than 12 hours from its receipt.
    - How often a message may be received is the redrive policy's to say. A message that SQS itself moved to the dead
      letters tells no time of death; the first look at it gives it one.
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
        """Nothing is asked yet; `check` does.

        `visibility` hides a received message, whatever the queue's own is. `max_receives` is what its redrive policy
        should say; `setting` names the queue's variable in messages.
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
        """See that the queue is there, and that it has a dead-letter queue.

        Raises:
            SettingsError: it has no dead-letter queue.
            QueueUnavailableError: it does not answer, or is not there; naming the setting.
        """
        try:
            self._dead_letters()
        except QueueUnavailableError as error:
            raise QueueUnavailableError(f"{self._setting}: {error.detail}") from None
        allowed = self._facts().max_receives
        if allowed < self._max_receives:
            log.warning(
                "queue=%s maxReceiveCount=%d reason=a message may die before it has had its tries; make it %d",
                self._address.url, allowed, self._max_receives,
            )  # fmt: skip

    # --- messages --------------------------------------------------------------------------------

    def send(self, body: str, *, delay: timedelta = _ZERO) -> str:
        """Put a message in; durable on return. Returns its id. `delay` is at most 15 minutes.

        Raises:
            MessageRefusedError: it has more than 1 MiB (or than this queue allows), or signs that SQS refuses.
        """
        _check("delay", delay, MAX_DELAY)
        return self._wire.send(body, delay=whole_seconds(delay))

    def send_all(self, bodies: Iterable[str]) -> list[str]:
        """Put messages in, ten to a call; durable on return. Returns their ids. Broken off by an error, some are in.

        Raises:
            MessageRefusedError: as `send`.
        """
        return self._wire.send_all(bodies)

    def receive(self, *, limit: int = 1, wait: timedelta = _ZERO, visibility: timedelta | None = None) -> list[Message]:
        """Take up to `limit` (1-10) messages, by long polling up to `wait` for a first one."""
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
        """Hide the message for `visibility` (0 to 12 hours) from now; False when SQS says the receipt is stale."""
        _check("visibility", visibility, MAX_VISIBILITY)
        return self._wire.hide(message.receipt, whole_seconds(visibility))

    def delete(self, message: Message) -> bool:
        """The message is done with. Returns False only when SQS says the receipt is stale."""
        return self._wire.delete(message.receipt)

    # --- dead letters ----------------------------------------------------------------------------

    def move_to_dead_letters(self, message: Message, reason: str) -> bool:
        """Send the message to the dead letters with the reason, then delete it. False when the receipt is stale.

        Broken off between the two, it is in both places: it comes back, and is moved again.

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
        """Up to `limit` dead letters, of these the newest first; SQS does not say which are the newest of all.

        It hides them for the time of looking, so two who look at once see some each.
        """
        if limit < 1:
            raise ValueError("limit must be 1 or more")
        return self._dead_letters().look(limit) if self._facts().dead_arn else []

    def redrive(self, ids: Iterable[str] | None = None) -> int:
        """Bring dead letters (all, when `ids` is None) back with a receive count of 0. Returns how many.

        All of them: by SQS's own redrive, waited for as long as it takes up to a minute; what is left then follows by
        itself, not counted. Messages that SQS itself had moved get new ids by it.
        """
        if not self._facts().dead_arn:
            return 0
        letters = self._dead_letters()
        return letters.bring_back_all() if ids is None else letters.bring_back(set(ids))

    def depth(self) -> QueueDepth:
        """About how many messages there are, by kind."""
        visible, in_flight, delayed = self._wire.counts()
        dead = sum(self._dead_letters().wire.counts()) if self._facts().dead_arn else 0
        return QueueDepth(visible=visible, in_flight=in_flight, delayed=delayed, dead=dead)

    # --- within ----------------------------------------------------------------------------------

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
            # Its name is all we need: a dead-letter queue is always of the same account and region.
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
