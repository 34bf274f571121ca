"""Pure: an error and the number of tries so far become what is done next. Shared by every worker."""

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
    WorkersDiedError,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient to be."""

    max_tries: int = 5
    """Tries in all, when the surroundings are to blame."""
    max_bug_tries: int = 3
    """Tries in all, when the error is none that we know: a bug, most likely."""
    first_delay: timedelta = timedelta(seconds=2)
    """Before the second try; doubled for each one after."""
    max_delay: timedelta = timedelta(seconds=300)

    @property
    def max_receives(self) -> int:
        """The queue's own limit: a backstop for messages that no worker lives to judge."""
        return self.max_tries + 3


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same work again after `delay`."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class Fail:
    """The work cannot succeed; the clip fails now."""


@dataclass(frozen=True, slots=True)
class MoveToDeadLetters:
    """Enough has been tried: the clip fails, and its message moves to the dead letters with the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class HandBack:
    """Nothing is wrong with the work, but it is not this worker's any more."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The work takes longer than this worker may run: a worker without that limit does it."""


Decision: TypeAlias = Retry | Fail | MoveToDeadLetters | HandBack | HandOver


def decide(error: BaseException, tries: int, policy: Policy, *, seed: str = "") -> Decision:
    """What to do after `error` in the `tries`-th try (counted from 1).

    `seed` (an id) spreads delays, so that works that failed together do not all come back together; the
    same seed and try always give the same delay.
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
    limit = policy.max_tries if known.transient else min(policy.max_tries, policy.max_bug_tries)
    if tries >= limit:
        return MoveToDeadLetters(known.message)
    return Retry(backoff(tries, policy, seed))


def backoff(tries: int, policy: Policy, seed: str) -> timedelta:
    """Exponential, shortened by up to a half, by `seed`; never above `policy.max_delay`."""
    doubled = policy.first_delay * 2.0 ** min(max(tries, 1) - 1, 30)
    digest = hashlib.sha256(f"{seed}:{tries}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    delay: timedelta = min(doubled, policy.max_delay) * (1 - share / 2)
    return delay


def as_cutback_error(error: BaseException) -> CutbackError:
    """The error as users may see it. An unknown one becomes `InternalError`; its text goes to the log alone."""
    if isinstance(error, CutbackError) and type(error) is not CutbackError:
        return error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError()
    return InternalError()


def is_transient(error: CutbackError) -> bool:
    """Whether the same work may succeed later: the surroundings are to blame, or a bug that we do not know."""
    return error.transient or isinstance(error, InternalError)


def is_parked(reason: str) -> bool:
    """Whether a clip that failed for `reason` has a dead letter, which may be brought back to try again."""
    return reason in PARKED_REASONS
