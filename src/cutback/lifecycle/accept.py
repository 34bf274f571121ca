"""What users do with clips, whatever the interface: submit, cancel, retry, redrive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from cutback.domain.clips.clip import Clip, ClipState, new_clip
from cutback.domain.errors import (
    DifferentRequestError,
    Fault,
    InvalidRequestError,
    PreconditionFailedError,
    WrongStateError,
)
from cutback.domain.requests.envelope import with_traceparent
from cutback.domain.requests.request import ClipDescription, ClipRequest
from cutback.lifecycle.attempt import clear
from cutback.lifecycle.commit import announce_now, commit_change
from cutback.lifecycle.dead_letter_index import DeadLetterIndex, fingerprint
from cutback.lifecycle.lookup import get_clip
from cutback.services import Services

RESEND_AFTER = timedelta(seconds=60)
"""A retried clip that is still queued after this time has lost its message."""


def submit(services: Services, request: ClipRequest) -> Clip:
    """Accept a request. Return its clip: a new one, or the one that the same request made before.

    Raises like `submit_or_find`.
    """
    return submit_or_find(services, request)[0]


def submit_or_find(services: Services, request: ClipRequest) -> tuple[Clip, bool]:
    """Like `submit`; also return whether the clip is new, or deleted and requested again.

    The message is sent first. A crash between the two steps then leaves a message, whose worker makes the record. The
    other order would leave a clip that no worker knows about.

    Raises:
        DifferentRequestError: the id belongs to a different request.
        InvalidRequestError: it names a webhook, but webhooks are not available with these settings.
        MessageRefusedError: it is too large for the queue.
        SurroundingsError: it was not accepted; submit it again.
    """
    _check_webhook(services, request)
    known = services.records.get_clip(request.stored_id)
    if known is not None:
        known = _same(known, request)
        return (known, False) if known.delete_at is None else _revive(services, known)
    with services.tracer.span("accept", "producer", clip=request.stored_id):
        _send(services, request)
        return record(services, request), True


def record(services: Services, request: ClipRequest) -> Clip:
    """Return the request's clip, after making its record if there is none yet.

    Raises:
        DifferentRequestError: the id belongs to a different request.
        InvalidRequestError: it names a webhook, but webhooks are not available with these settings.
        RecordsUnavailableError: the records do not answer.
    """
    while (known := services.records.get_clip(request.stored_id)) is None:
        _check_webhook(services, request)
        clip = new_clip(request, now=services.clock())
        if services.records.put_clip(clip):
            announce_now(services, clip)
            return clip
    return _same(known, request)


def cancel(services: Services, clip_id: str) -> Clip:
    """Cancel a clip. An attempt in progress notices within a second and stops.

    Raises:
        ClipNotFoundError: there is no such clip.
        WrongStateError: it is finished.
        RecordsUnavailableError: the records do not answer.
    """
    now = services.clock()
    sweep_at = now + services.settings.sweep_delay
    clip = commit_change(services, clip_id, lambda clip: clip.cancelled(now=now, sweep_at=sweep_at))
    announce_now(services, clip)
    return clip


def delete(services: Services, clip_id: str) -> Clip:
    """Remove the files of a finished clip now. Its record stays, as expired, so that no late message makes it again.

    Housekeeping removes files that cannot be removed now.

    Raises:
        ClipNotFoundError: there is no such clip.
        WrongStateError: it is not finished, or was deleted before.
        RecordsUnavailableError: the records do not answer.
    """
    now = services.clock()
    clip = commit_change(services, clip_id, lambda clip: clip.deleted(now=now))
    services.checkpoint("deleted")
    announce_now(services, clip)
    if clear(services, clip):
        services.records.commit(clip.swept(now=now), announce=False)
    return clip


def delete_later(services: Services, clip_id: str) -> Clip:
    """Hide a clip, and delete its files after CUTBACK_DELETE_GRACE. Until then, `restore` brings it back.

    A clip that is not finished is cancelled. Housekeeping removes the files.

    Raises:
        ClipNotFoundError: there is no such clip.
        WrongStateError: it is deleted already.
        RecordsUnavailableError: the records do not answer.
    """
    now = services.clock()
    at = now + timedelta(seconds=services.settings.delete_grace)
    sweep_at = now + services.settings.sweep_delay
    before = get_clip(services, clip_id)
    clip = commit_change(
        services,
        clip_id,
        lambda clip: clip.to_be_deleted(now=now, at=at, sweep_at=sweep_at),
        known=before,
    )
    announce_now(services, clip)
    return clip


def restore(services: Services, clip_id: str) -> Clip:
    """Take the deletion of a clip back. A clip that it cancelled stays cancelled.

    Raises:
        ClipNotFoundError: there is no such clip.
        WrongStateError: it is not deleted, or it is too late.
        RecordsUnavailableError: the records do not answer.
    """
    now = services.clock()
    clip = commit_change(services, clip_id, lambda clip: clip.restored(now=now))
    announce_now(services, clip)
    return clip


def describe(services: Services, clip: Clip, description: ClipDescription) -> Clip:
    """Change title, tags or labels of a clip that was just read.

    Raises:
        PreconditionFailedError: it has changed since.
        RecordsUnavailableError: the records do not answer.
    """
    changed = clip.described(now=services.clock(), **description.given())
    if not services.records.commit(changed):
        raise PreconditionFailedError
    announce_now(services, changed)
    return changed


def _send(services: Services, request: ClipRequest) -> None:
    services.queue.send(with_traceparent(request.model_dump_json(), services.tracer.traceparent()))


def _revive(services: Services, clip: Clip) -> tuple[Clip, bool]:
    """Bring a deleted clip back, because it was requested again; also return whether it must be made again."""
    now = services.clock()
    if not clip.is_deleted(now):
        return restore(services, clip.id), False
    clip = commit_change(services, clip.id, lambda clip: clip.revived(now=now, sweep_at=now + RESEND_AFTER))
    _send(services, clip.request)
    announce_now(services, clip)
    return clip, True


def retry(services: Services, clip_id: str) -> Clip:
    """Retry a failed or cancelled clip, with as many tries as a new one has.

    The record is changed first: an earlier message would find a finished clip and be acknowledged. A crash between
    the two steps leaves a queued clip without a message; housekeeping finds it by its `sweep_at`.

    Raises:
        ClipNotFoundError: there is no such clip.
        WrongStateError: it is neither failed nor cancelled.
        SurroundingsError: records or queue do not answer.
    """
    now = services.clock()
    clip = commit_change(services, clip_id, lambda clip: clip.requeued(now=now, sweep_at=now + RESEND_AFTER))
    services.checkpoint("requeued")
    _send(services, clip.request)
    announce_now(services, clip)
    return clip


def redrive(services: Services, ids: Iterable[str] | None = None) -> int:
    """Send dead letters (by message id; None: all) back to the queue, and queue their failed clips again.

    Messages are sent first: a worker that receives one whose clip is still `failed` queues the clip itself.
    Returns how many messages were sent back.

    Raises:
        SurroundingsError: queue or records do not answer; messages that were sent back stay in the queue.
    """
    wanted = None if ids is None else set(ids)
    letters = [letter for letter in services.queue.dead_letters(limit=1000) if wanted is None or letter.id in wanted]
    count = services.queue.redrive(wanted)
    index, zones = DeadLetterIndex(), services.settings.request_rules
    for letter in letters:
        for wish in index.wanted(letter, zones):  # an invalid request never had a clip, and will be rejected again
            clip = services.records.get_clip(wish.clip_id)
            if clip is not None and clip.state is ClipState.FAILED:
                _bring_back(services, clip.id)
    return count


def _bring_back(services: Services, clip_id: str) -> None:
    now = services.clock()
    try:
        clip = commit_change(services, clip_id, lambda clip: clip.requeued(now=now, sweep_at=now + RESEND_AFTER))
    except WrongStateError:
        return  # a worker already has the message and was faster
    announce_now(services, clip)


def is_same(one: ClipRequest, other: ClipRequest) -> bool:
    """Whether two requests mean the same, even if they are written differently."""
    return fingerprint(one) == fingerprint(other)


def _check_webhook(services: Services, request: ClipRequest) -> None:
    if request.webhook is not None and services.webhooks is None:
        raise InvalidRequestError([Fault("webhook", "is not available: CUTBACK_WEBHOOK_QUEUE_URL is not set")])


def _same(known: Clip, request: ClipRequest) -> Clip:
    if not is_same(known.request, request):
        raise DifferentRequestError(f"The id is {request.id}.")
    return known
