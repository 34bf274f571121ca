"""Dead letters for people and programs: what each is about, and which ones a name means."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from cutback.domain.base import iso, read_json
from cutback.domain.errors import DeadLetterNotFoundError, InvalidRequestError, SettingsError
from cutback.domain.requests.batch import requests_in
from cutback.domain.requests.rules import RequestRules
from cutback.lifecycle import accept
from cutback.ports import DeadLetter, Queue
from cutback.services import Services


class QueueName(StrEnum):
    """The queues."""

    CLIPS = "clips"
    WEBHOOKS = "webhooks"


def redrive(services: Services, name: QueueName, ids: Iterable[str] | None = None) -> int:
    """Send dead letters (by their own ids or their clips'; None: all) back to their queue. Returns how many.

    Raises:
        DeadLetterNotFoundError: an id is neither.
        SettingsError: webhooks are not available with these settings.
        SurroundingsError: queue or records do not answer.
    """
    queue = queue_of(services, name)
    wanted = None if ids is None else chosen(queue.dead_letters(limit=1000), list(ids), services.settings.request_rules)
    return accept.redrive(services, wanted) if name is QueueName.CLIPS else queue.redrive(wanted)


def chosen(letters: Iterable[DeadLetter], names: list[str], rules: RequestRules | None = None) -> set[str]:
    """Return the ids of dead letters, given their own ids or their clips'.

    Raises:
        DeadLetterNotFoundError: a name is neither.
    """
    known = list(letters)
    ids: set[str] = set()
    for name in names:
        found = {letter.id for letter in known if name in {letter.id, subject(letter, rules)}}
        if not found:
            raise DeadLetterNotFoundError(f"The id is {name}. To list them: cutback dead-letters")
        ids |= found
    return ids


def queue_of(services: Services, name: QueueName) -> Queue:
    """Return the queue with that name.

    Raises:
        SettingsError: webhooks are not available with these settings.
    """
    found = services.queue if name is QueueName.CLIPS else services.webhooks
    if found is None:
        raise SettingsError("\n- CUTBACK_WEBHOOK_QUEUE_URL is not set, so there is no queue for webhooks")
    return found


def subject(letter: DeadLetter, rules: RequestRules | None = None) -> str | None:
    """Return the id of the clip or event that a dead letter is about; None if it cannot be read.

    For `rules`, see `validate_request`.
    """
    try:
        content = read_json(letter.body)
        if isinstance(content, dict) and "event" in content:
            return str(content.get("id", ""))[:200]
        requests = requests_in(letter.body, rules)
        return requests[0].id if len(requests) == 1 else None
    except InvalidRequestError:
        return None


def as_dict(letter: DeadLetter, rules: RequestRules | None = None) -> dict[str, Any]:
    """Return a dead letter in the form for programs."""
    return {
        "id": letter.id,
        "subject": subject(letter, rules),
        "reason": letter.reason,
        "receive_count": letter.receive_count,
        "died_at": iso(letter.died_at),
        "body": letter.body,
    }
