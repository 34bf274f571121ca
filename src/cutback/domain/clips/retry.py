"""Decides what to do after an error, given the number of tries so far. Pure; shared by all workers."""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from cutback.domain.errors import (
    PARKED_REASONS,
    CutbackError,
    InternalError,
    LeaseLostError,
    OutOfTimeError,
    StoppedError,
    StorageFullError,
    SurroundingsError,
    WorkersDiedError,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How often to try, and how long to wait between tries."""

    max_tries: int = 5
    """Total tries if the error is transient."""
    patience: timedelta = timedelta(hours=24)
    """How long to retry after a transient error, such as a full disk, however many tries that takes."""
    max_bug_tries: int = 3
    """Total tries if the error is unknown, most likely a bug."""
    first_delay: timedelta = timedelta(seconds=2)
    """The delay before the second try; doubled for each further one."""
    max_delay: timedelta = timedelta(seconds=1800)

    @property
    def max_receives(self) -> int:
        """The queue's own limit: a backstop for messages whose workers always die before they can decide."""
        return self.max_tries + 3


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same work again after `delay`."""

    delay: timedelta
    counts: bool = True
    """Whether this brings the message closer to the dead letters."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Consecutive tries that all failed with transient errors, including this one."""

    tries: int
    lasted: timedelta
    """The time since the first of them."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The work cannot succeed; the clip fails now."""


@dataclass(frozen=True, slots=True)
class MoveToDeadLetters:
    """All tries are used up: the clip fails, and its message moves to the dead letters with the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class HandBack:
    """Nothing is wrong with the work, but this worker can no longer do it; return the message to the queue."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The work takes longer than this worker may run; a worker without that limit does it."""


Decision: TypeAlias = Retry | Fail | MoveToDeadLetters | HandBack | HandOver


def decide(
    error: BaseException, tries: int, policy: Policy, *, trouble: Trouble | None = None, seed: str = ""
) -> Decision:
    """Decide what to do after `error` in the `tries`-th try (counted from 1).

    After a transient error, the work is retried until `trouble` has lasted longer than the policy's patience. Without
    `trouble`, its beginning is unknown because the records do not answer, and the work is retried without end. `seed`
    (an id) spreads the delays, so that clips that failed together are not all retried together. The same arguments
    always give the same decision.
    """
    known = as_cutback_error(error)
    if isinstance(known, LeaseLostError | StoppedError):
        return HandBack()
    if isinstance(known, OutOfTimeError):
        return HandOver()
    if isinstance(known, WorkersDiedError):
        return MoveToDeadLetters(known.message)
    if not is_transient(known):
        return Fail()
    if isinstance(known, SurroundingsError):
        if trouble is None:
            return Retry(backoff(tries, policy, seed), counts=False)
        if trouble.tries >= policy.max_tries and trouble.lasted >= policy.patience:
            return MoveToDeadLetters(known.message)
        return Retry(backoff(trouble.tries, policy, seed), counts=False)
    limit = policy.max_tries if known.transient else min(policy.max_tries, policy.max_bug_tries)
    if tries >= limit:
        return MoveToDeadLetters(known.message)
    return Retry(backoff(tries, policy, seed))


def backoff(tries: int, policy: Policy, seed: str) -> timedelta:
    """Return an exponential delay, shortened by up to half depending on `seed`; never above `policy.max_delay`."""
    doubled = policy.first_delay * 2.0 ** min(max(tries, 1) - 1, 30)
    digest = hashlib.sha256(f"{seed}:{tries}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    delay: timedelta = min(doubled, policy.max_delay) * (1 - share / 2)
    return delay


def as_cutback_error(error: BaseException) -> CutbackError:
    """Return the error as users may see it. An unknown one becomes `InternalError`; its text goes only to the log."""
    if isinstance(error, CutbackError) and type(error) is not CutbackError:
        return error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError()
    return InternalError()


def is_transient(error: CutbackError) -> bool:
    """Whether the same work may succeed later: the error is transient or an unknown bug."""
    return error.transient or isinstance(error, InternalError)


def is_parked(reason: str) -> bool:
    """Whether a clip that failed with `reason` has a dead letter, which can be redriven."""
    return reason in PARKED_REASONS
