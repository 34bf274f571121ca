"""Acknowledges, returns or moves a message after the work on it; the same for every kind of worker."""

from __future__ import annotations

import logging
from datetime import timedelta

from cutback.domain.clips.retry import HandOver, MoveToDeadLetters
from cutback.domain.errors import CutbackError
from cutback.lifecycle.attempt import Done, GiveBack, Outcome
from cutback.ports import Message, Queue
from cutback.services import Services

log = logging.getLogger(__name__)

LONGEST_DELAY = timedelta(minutes=15)
"""The longest delay with which a message can be sent."""


def give_back(queue: Queue, message: Message, delay: timedelta, *, most: int | None) -> bool:
    """Make a message visible again after `delay`. Returns whether this message is done.

    With `most`, this did not count as a try: a message that was received this often is replaced by a new copy, because
    SQS cannot lower a message's receive count.

    Raises:
        QueueUnavailableError: the queue does not answer.
    """
    if most is None or message.receive_count < most:
        queue.extend(message, delay)
        return False
    queue.send(message.body, delay=min(delay, LONGEST_DELAY))
    queue.delete(message)
    return True


def acknowledge(services: Services, message: Message, outcome: Outcome) -> bool:
    """Apply the outcome to the queue. Returns whether this message is done.

    A failure is only logged: the message returns when its visibility timeout ends, and is handled again.
    """
    queue = services.queue
    try:
        match outcome:
            case Done():
                queue.delete(message)
            case MoveToDeadLetters(reason):
                queue.move_to_dead_letters(message, reason)
            case HandOver():
                assert services.long_queue is not None
                services.long_queue.send(message.body)
                queue.delete(message)
            case GiveBack(delay, counts):
                return give_back(queue, message, delay, most=None if counts else services.policy.max_tries)
    except CutbackError as error:
        log.warning("stage=acknowledged message=%s outcome=%s reason=%s", message.id, outcome, error)
        return False
    return True
