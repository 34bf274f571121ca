"""The dead letters of an SQS queue: stored with their reasons, listed without loss, sent back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cutback.adapters.aws.clients import error_status, is_refusal, translating
from cutback.adapters.aws.sqs_messages import (
    ID,
    MAX_BATCH,
    MAX_BYTES,
    REASON,
    RECEIVES,
    Clients,
    Delivery,
    Wire,
    carried,
    size,
)
from cutback.domain.errors import CutbackError, QueueUnavailableError
from cutback.ports import DeadLetter

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60
"""Seconds for which listing hides dead letters from others; it makes them visible as soon as it is done."""
_PATIENCE = 10.0
"""Seconds to wait for dead letters with certain ids, while another process is listing them."""
_SKEW = timedelta(seconds=5)
"""How much this machine's clock may differ from SQS's."""
_NOT_IMPLEMENTED = 501
_TASK_PATIENCE = 60.0
_TASK_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead-letter queue `wire` of the queue `source`."""

    source: Wire
    source_arn: str
    wire: Wire
    arn: str
    clients: Clients
    max_receives: int
    clock: Callable[[], datetime]

    def add(self, body: str, message_id: str, reason: str, receives: int) -> None:
        """Send a message to the dead letters, with its reason and history."""
        self.wire.send(body, marks=_story(message_id, reason, receives))

    def look(self, limit: int) -> list[DeadLetter]:
        """Return up to `limit` dead letters, newest first; all of them become visible again."""
        held: list[str] = []
        letters: dict[str, DeadLetter] = {}
        try:
            for batch in self._batches():
                held += [delivery.receipt for delivery in batch]
                for delivery in batch:
                    if delivery.id not in letters:
                        letters[delivery.id] = self._letter(delivery)
                if len(letters) >= limit:
                    break
        finally:
            self.wire.give_back(held)
        return sorted(letters.values(), key=lambda letter: letter.died_at, reverse=True)[:limit]

    def bring_back_all(self) -> int:
        """Move all dead letters back. Returns how many."""
        asking = self.clients.asking
        with translating(self.wire.url, QueueUnavailableError):
            try:
                asking.start_message_move_task(SourceArn=self.arn, DestinationArn=self.source_arn)
            except asking.exceptions.ClientError as error:
                # Only one such task may run at a time, some services lack them, and not every role may start one.
                if not is_refusal(error) and error_status(error) != _NOT_IMPLEMENTED:
                    raise
                log.info("queue=%s redrive=one by one reason=%s", self.wire.url, error)
                return self.bring_back(None)
        return self._wait_for_task()

    def bring_back(self, ids: set[str] | None) -> int:
        """Send dead letters (with these ids; None: all) back to the queue, then delete them. Returns how many.

        If this is interrupted between the two steps, a message is in both places. It still has only one effect.
        """
        if ids == set():
            return 0
        deadline = time.monotonic() + _PATIENCE
        born_before = self.clock() + _SKEW
        found: set[str] = set()
        count = 0
        while True:
            held: list[str] = []
            try:
                for batch in self._batches(to_the_last=ids is None):
                    # Do not send a message back twice if it became a dead letter again meanwhile.
                    wanted = [one for one in batch if (one.sent_at < born_before if ids is None else one.id in ids)]
                    held += [one.receipt for one in batch if one not in wanted]
                    for one in wanted:
                        self.source.send(one.body, marks={ID: one.id})
                    # In batches: a dead letter that is held for too long would be received and sent again.
                    self.wire.delete_all(one.receipt for one in wanted)
                    found.update(one.id for one in wanted)
                    count += len(wanted)
                    if ids is not None and found >= ids:
                        break
            finally:
                self.wire.give_back(held)
            if ids is None or found >= ids or time.monotonic() >= deadline or not self._others_look():
                return count

    # --- internal --------------------------------------------------------------------------------

    def _batches(self, *, to_the_last: bool = False) -> Iterator[list[Delivery]]:
        """Yield every dead letter once, as far as SQS returns them. The caller deletes them or makes them visible."""
        expected = sum(self.wire.counts())
        seen: set[str] = set()
        while True:
            # Long polling queries all of SQS's servers, but takes a whole second if nothing is left.
            batch = self.wire.receive(limit=MAX_BATCH, wait=1 if expected else 0, visibility=_LOOK_SECONDS)
            if batch:
                yield batch
            ids = {delivery.message_id for delivery in batch}
            if ids <= seen or (not to_the_last and len(seen | ids) >= expected):
                return
            seen |= ids

    def _letter(self, delivery: Delivery) -> DeadLetter:
        if REASON in delivery.marks and not delivery.moved:
            return DeadLetter(
                id=delivery.id,
                body=delivery.body,
                receive_count=int(delivery.marks.get(RECEIVES, "0")),
                reason=delivery.marks[REASON],
                died_at=delivery.sent_at,
            )
        letter = DeadLetter(
            id=delivery.id,
            body=delivery.body,
            receive_count=self.max_receives,
            reason=f"It was received {self.max_receives} times, but no worker finished it.",
            died_at=self.clock(),
        )
        if size(letter.body, _story(letter.id, letter.reason, letter.receive_count)) > MAX_BYTES:
            return replace(letter, died_at=delivery.sent_at)
        try:
            # SQS does not say when it moved a message. Send it again with a time that then stays the same.
            self.add(letter.body, letter.id, letter.reason, letter.receive_count)
        except CutbackError as error:
            log.warning("letter=%s died_at=unknown reason=%s", letter.id, error)
            return replace(letter, died_at=delivery.sent_at)
        self.wire.delete(delivery.receipt)
        return letter

    def _others_look(self) -> bool:
        _, in_flight, _ = self.wire.counts()
        return in_flight > 0

    def _wait_for_task(self) -> int:
        asking = self.clients.asking
        deadline = time.monotonic() + _TASK_PATIENCE
        pause = threading.Event()
        while True:
            with translating(self.wire.url, QueueUnavailableError):
                tasks = asking.list_message_move_tasks(SourceArn=self.arn, MaxResults=1).get("Results", [])
            task = tasks[0] if tasks else {"Status": "COMPLETED"}
            moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
            if task["Status"] == "FAILED":
                raise QueueUnavailableError(f"{self.wire.url}: {moved} messages were sent back, the others were not.")
            if task["Status"] != "RUNNING" or time.monotonic() >= deadline:
                return moved
            pause.wait(_TASK_PAUSE)


def _story(message_id: str, reason: str, receives: int) -> dict[str, str]:
    return {ID: carried(message_id, 128), REASON: carried(reason), RECEIVES: str(receives)}
