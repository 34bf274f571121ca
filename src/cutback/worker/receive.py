"""Handles a message of the queue, whatever its envelope: makes the clip of a single request, passes on all else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from cutback.domain.clips.retry import MoveToDeadLetters, is_transient
from cutback.domain.errors import CutbackError, Fault, InvalidRequestError, ObjectNotFoundError, StoppedError
from cutback.domain.requests.batch import single_requests
from cutback.domain.requests.envelope import (
    EventItem,
    Item,
    PointerItem,
    RequestItem,
    as_body,
    open_envelope,
    traceparent_of,
    with_traceparent,
)
from cutback.lifecycle.arrivals import note_event
from cutback.lifecycle.attempt import Done, Outcome, end_attempt
from cutback.make_clip import make_clip
from cutback.ports import Message
from cutback.services import Services

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 1024 * 1024
"""Maximum bytes of a message that is in a store."""


def receive(
    services: Services,
    message: Message,
    *,
    stopping: Callable[[], bool] = lambda: False,
    why: Callable[[], CutbackError] = StoppedError,
) -> Outcome:
    """Handle a message, and return what to do with it. Raises only what ends the process.

    A single request becomes a clip immediately. Several requests go back into the queue as separate messages, so that
    each has its own outcome; doing this twice has the same effect as once. Events of the source store change the
    catalogue, and send waiting clips back to the queue.
    """
    if not services.tracer.is_active:
        return _receive(services, message, stopping, why)
    waited = (services.clock() - message.sent_at).total_seconds()
    parent = traceparent_of(message.body)
    with services.tracer.span("receive", "consumer", parent=parent, tries=message.receive_count, waited=waited) as span:
        outcome = _receive(services, message, stopping, why)
        span.note(outcome=type(outcome).__name__)
        return outcome


def _receive(
    services: Services, message: Message, stopping: Callable[[], bool], why: Callable[[], CutbackError]
) -> Outcome:
    try:
        items = _unwrap(services, message.body)
        if len(items) == 1 and isinstance(items[0], RequestItem):
            requests = single_requests(items[0].content)
            if len(requests) == 1:
                single = replace(message, body=as_body(RequestItem(requests[0])))
                return make_clip(services, single, stopping=stopping, why=why)
            items = [RequestItem(request) for request in requests]
        return _pass_on(services, items, again=message.receive_count > 1)
    except Exception as error:  # noqa: BLE001 - a bug must not lose a message; end_attempt logs it whole
        return end_attempt(services, None, message, error)


def _unwrap(services: Services, body: str) -> list[Item]:
    items: list[Item] = []
    for item in open_envelope(body):
        if isinstance(item, PointerItem):
            found = open_envelope(_fetch(services, item))
            if any(isinstance(each, PointerItem) for each in found):
                raise InvalidRequestError([Fault("", "points to a message that is itself a pointer")])
            items += found
        else:
            items.append(item)
    return items


def _fetch(services: Services, item: PointerItem) -> bytes:
    """Read a message from the configured store only: a sender must not make Cutback read arbitrary objects."""
    if services.messages is None or urlsplit(services.settings.message_store).netloc != item.bucket:
        raise InvalidRequestError(
            [Fault("", f"points to the bucket {item.bucket[:63]!r}, which is not CUTBACK_MESSAGE_STORE")]
        )
    try:
        return services.messages.get_bytes(item.key, LARGEST_MESSAGE)
    except ObjectNotFoundError:
        raise InvalidRequestError([Fault("", f"points to {item.key[:200]!r}, which does not exist")]) from None


def _pass_on(services: Services, items: list[Item], *, again: bool) -> Outcome:
    failure: CutbackError | None = None
    for item in items:
        if isinstance(item, RequestItem):
            services.queue.send(with_traceparent(as_body(item), services.tracer.traceparent()))
        elif isinstance(item, EventItem):
            try:
                note_event(services, item.event, again=again)
            except CutbackError as error:
                if is_transient(error):
                    raise
                log.warning("stage=catalogued key=%r reason=%s message=%r", item.event.key, error.reason, error.message)
                failure = error
    return Done() if failure is None else MoveToDeadLetters(failure.message)
