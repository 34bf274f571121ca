"""An attempt at a clip, as far as its record is concerned: how it is claimed, and how it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from cutback.domain.clips import retry
from cutback.domain.clips.clip import Clip, ClipResult, ClipState
from cutback.domain.clips.retry import HandOver, MoveToDeadLetters
from cutback.domain.errors import CutbackError, InternalError, LeaseLostError, StoppedError, SurroundingsError
from cutback.lifecycle.commit import announce_now, commit_change
from cutback.lifecycle.lookup import get_clip
from cutback.ports import Message
from cutback.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """The message is done: acknowledge it."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Make the message visible again after `delay`."""

    delay: timedelta = timedelta()
    counts: bool = True
    """Whether this counts as a try. If not, it must not bring the message closer to the dead letters."""


Outcome: TypeAlias = Done | GiveBack | MoveToDeadLetters | HandOver
"""What to do with a message."""


def prefix(clip_id: str, attempt: int) -> str:
    """Return the folder of an attempt's objects in the clip store; no two attempts share one."""
    return f"{clip_id}/{attempt}/"


def claim(services: Services, clip: Clip, message: Message) -> Clip | Outcome:
    """Begin the next attempt, or return what to do with the message if there is nothing to make.

    Raises:
        RecordsUnavailableError: the records do not answer, or other processes were faster every time.
    """

    def next_step(clip: Clip) -> Clip | Outcome:
        nothing_to_do = _nothing_to_do(services, clip, message)
        if nothing_to_do is not None:
            return nothing_to_do
        now = services.clock()
        if clip.state is ClipState.FAILED:  # its dead letter was redriven
            return clip.requeued(now=now)
        return clip.claimed(worker=services.worker, now=now, lease=services.settings.lease_time)

    while True:
        step: Clip | Outcome = commit_change(services, clip.id, next_step, known=clip)
        if not isinstance(step, Clip):
            return step
        announce_now(services, step)
        if step.state is ClipState.PROCESSING:
            return step
        clip = step


def _nothing_to_do(services: Services, clip: Clip, message: Message) -> Outcome | None:
    if clip.state is ClipState.FAILED and clip.failure is not None and retry.is_parked(clip.failure.reason):
        if message.receive_count > services.policy.max_tries:
            return MoveToDeadLetters(clip.failure.message)  # the worker that failed the clip died before doing this
        return None
    if clip.state.final:
        return Done()
    if clip.state is ClipState.PROCESSING and clip.lease_until is not None:
        left = clip.lease_until - services.clock()
        if left > timedelta():
            return GiveBack(left + timedelta(milliseconds=50), counts=False)
    return None


def finish(services: Services, attempt: Clip, result: ClipResult) -> Clip:
    """Commit the attempt's result as the clip.

    Raises:
        LeaseLostError: the attempt is no longer the current one.
        RecordsUnavailableError: the records do not answer.
    """
    now = services.clock()
    sweep_at = now + services.settings.sweep_delay if attempt.attempt > 1 else None
    return commit_change(
        services,
        attempt.id,
        lambda clip: clip.finished(result, attempt=attempt.attempt, now=now, sweep_at=sweep_at),
    )


def end_attempt(services: Services, attempt: Clip | None, message: Message, error: Exception) -> Outcome:
    """End an attempt that failed with `error` (None: before it was claimed). Raises no `CutbackError`."""
    trouble = None if attempt is None else _trouble(attempt, services.clock())
    decision = retry.decide(error, message.receive_count, services.policy, trouble=trouble, seed=message.id)
    known = retry.as_cutback_error(error)
    if isinstance(known, InternalError) and not known.detail:
        known = InternalError.with_id()  # the log has the id with the traceback, the clip's record has only the id
    log.log(
        logging.INFO if isinstance(decision, retry.HandBack) else logging.WARNING,
        "stage=ended clip=%s attempt=%d reason=%s decision=%s message=%r",
        attempt.id if attempt else "-",
        attempt.attempt if attempt else 0,
        known.reason,
        decision,
        known.message,
        exc_info=None if isinstance(error, CutbackError) else error,
    )
    try:
        return _apply(services, attempt, known, decision)
    except LeaseLostError:
        return _abandon(services, attempt)
    except CutbackError as trouble:
        log.warning("stage=ended decision=give_back reason=%s", trouble)
        counts = not isinstance(trouble, SurroundingsError)
        return GiveBack(retry.backoff(message.receive_count, services.policy, message.id), counts=counts)


def _apply(services: Services, attempt: Clip | None, error: CutbackError, decision: retry.Decision) -> Outcome:
    match decision:
        case retry.HandBack():
            if attempt is not None and isinstance(error, StoppedError):
                _give_back(services, attempt, error)
                return GiveBack(counts=False)
            return _abandon(services, attempt)
        case HandOver():
            if attempt is None or services.long_queue is None:
                if attempt is not None:
                    _fail(services, attempt, error)
                return MoveToDeadLetters(error.message)
            _give_back(services, attempt, error)
            return HandOver()
        case retry.Retry(delay, counts):
            if attempt is not None:
                _give_back(services, attempt, error)
            return GiveBack(delay, counts=counts)
        case retry.Fail():
            if attempt is None:
                return MoveToDeadLetters(error.message)
            _fail(services, attempt, error)
            return Done()
        case MoveToDeadLetters():
            if attempt is not None:
                _fail(services, attempt, error)
            return decision


def _trouble(attempt: Clip, now: datetime) -> retry.Trouble:
    """Return the clip's trouble after this attempt, if it fails with a transient error too."""
    since = attempt.troubled_since or now
    return retry.Trouble(attempt.troubled_tries + 1, max(now - since, timedelta()))


def _give_back(services: Services, attempt: Clip, error: CutbackError) -> None:
    now = services.clock()
    clip = commit_change(services, attempt.id, lambda clip: clip.given_back(error, attempt=attempt.attempt, now=now))
    announce_now(services, clip)
    clear(services, clip, [attempt.attempt])


def _fail(services: Services, attempt: Clip, error: CutbackError) -> None:
    now = services.clock()
    sweep_at = now + services.settings.sweep_delay
    clip = commit_change(
        services,
        attempt.id,
        lambda clip: clip.failed(error, attempt=attempt.attempt, now=now, sweep_at=sweep_at),
    )
    services.checkpoint("failed")
    announce_now(services, clip)
    clear(services, clip)


def _abandon(services: Services, attempt: Clip | None) -> Outcome:
    """Remove this attempt's objects, because it is no longer the current one; its message may still be needed."""
    if attempt is None:
        return GiveBack(counts=False)
    try:
        clip = get_clip(services, attempt.id)
    except CutbackError as error:
        log.warning("clip=%s attempt=%d removed=no reason=%s", attempt.id, attempt.attempt, error)
        return GiveBack(counts=False)
    if clip.state is not ClipState.PROCESSING or clip.attempt != attempt.attempt:
        clear(services, clip, [attempt.attempt])
    if clip.state.final:
        return Done()
    left = clip.lease_until - services.clock() if clip.lease_until else timedelta()
    return GiveBack(max(left, timedelta()), counts=False)


def clear(services: Services, clip: Clip, attempts: list[int] | None = None) -> bool:
    """Remove what attempts (None: all of them) left in the clip store, but never the clip itself.

    Only attempts that `clip` counts are affected, so a newer one is safe. Returns whether everything was removed.
    """
    kept = clip.result.key if clip.state is ClipState.READY and clip.result else None
    clean = True
    for number in attempts or range(1, clip.attempt + 1):
        folder = prefix(clip.id, number)
        if kept is not None and kept.startswith(folder):
            continue
        try:
            services.clips.delete_prefix(folder)
        except CutbackError as error:
            clean = False
            log.warning("clip=%s attempt=%d removed=no reason=%s", clip.id, number, error)
    return clean
