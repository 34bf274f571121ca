"""The retry decision, as a table and by its properties."""

from __future__ import annotations

import errno
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain import errors
from cutback.domain.clips.retry import (
    Fail,
    HandBack,
    HandOver,
    MoveToDeadLetters,
    Policy,
    Retry,
    Trouble,
    as_cutback_error,
    backoff,
    decide,
    is_parked,
)

POLICY = Policy(max_tries=5, max_bug_tries=3)


def tree(kind: type[errors.CutbackError]) -> list[type[errors.CutbackError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in tree(child))]


@pytest.mark.parametrize(
    "error",
    [
        errors.MediaUnreadableError("x"),
        errors.RecordingNotFoundError("x"),
        errors.SourceChangedError(),
        errors.InvalidRequestError([errors.Fault("a", "b")]),
        errors.DifferentRequestError(),
    ],
)
@pytest.mark.parametrize("tries", [1, 5, 99])
def test_what_cannot_succeed_fails_at_once(error: errors.CutbackError, tries: int) -> None:
    assert decide(error, tries, POLICY) == Fail()


@pytest.mark.parametrize("error", [errors.LeaseLostError(), errors.StoppedError()])
@pytest.mark.parametrize("tries", [1, 99])
def test_work_that_is_not_ours_any_more_is_handed_back_and_never_judged(error: Exception, tries: int) -> None:
    assert decide(error, tries, POLICY) == HandBack()


def wait_out(policy: Policy, seed: str, tries: int) -> tuple[list[timedelta], MoveToDeadLetters]:
    """The delays of a clip whose store stays away, up to the decision that ends it. `tries` is the receive count."""
    error = errors.StorageUnavailableError("bucket b")
    delays: list[timedelta] = []
    while True:
        trouble = Trouble(len(delays) + 1, sum(delays, timedelta()))
        decision = decide(error, tries, policy, trouble=trouble, seed=seed)
        if isinstance(decision, MoveToDeadLetters):
            assert decision == MoveToDeadLetters(error.message)
            return delays, decision
        assert isinstance(decision, Retry)
        assert not decision.counts
        delays.append(decision.delay)


@given(seed=st.text(max_size=10), tries=st.integers(1, 1000))
def test_a_fault_of_the_surroundings_is_waited_for_until_patience_ends(seed: str, tries: int) -> None:
    policy = Policy()
    delays, _ = wait_out(policy, seed, tries)
    assert policy.patience <= sum(delays, timedelta()) < policy.patience + policy.max_delay
    assert all(later >= earlier / 2 for earlier, later in pairwise(delays))
    assert delays[0] <= policy.first_delay
    assert max(delays) >= policy.max_delay / 2
    assert len(delays) < 150


def test_without_patience_the_number_of_tries_decides() -> None:
    delays, _ = wait_out(Policy(max_tries=5, patience=timedelta()), "x", 1)
    assert len(delays) == 4


@given(tries=st.integers(1, 10_000))
def test_an_outage_whose_start_cannot_be_stored_is_retried_without_end(tries: int) -> None:
    decision = decide(errors.RecordsUnavailableError(), tries, POLICY)
    assert isinstance(decision, Retry)
    assert not decision.counts


def test_a_bug_is_tried_a_few_times_and_its_text_is_not_shown() -> None:
    decisions = [decide(ZeroDivisionError("secret"), tries, POLICY) for tries in range(1, 5)]
    assert [type(decision) for decision in decisions] == [Retry] * 2 + [MoveToDeadLetters] * 2
    assert "secret" not in repr(decisions)


def test_bugs_get_no_more_tries_than_the_policy_allows_in_all() -> None:
    assert isinstance(decide(ZeroDivisionError(), 1, Policy(max_tries=1)), MoveToDeadLetters)


def test_a_clip_that_killed_its_workers_fails() -> None:
    assert decide(errors.WorkersDiedError(), 1, POLICY) == MoveToDeadLetters(errors.WorkersDiedError().message)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_known_by_its_number(number: int) -> None:
    assert isinstance(as_cutback_error(OSError(number, "x")), errors.StorageFullError)
    assert isinstance(decide(OSError(number, "x"), 1, POLICY), Retry)


@pytest.mark.parametrize("kind", tree(errors.CutbackError), ids=lambda kind: kind.__name__)
def test_exactly_the_reasons_that_leave_a_dead_letter_count_as_parked(
    kind: type[errors.CutbackError],
) -> None:
    error = kind([]) if kind is errors.InvalidRequestError else kind()
    # If no other worker can take over, the message becomes a dead letter.
    assert is_parked(kind.reason) == isinstance(
        decide(error, 99, POLICY, trouble=Trouble(99, POLICY.patience)), MoveToDeadLetters | HandOver
    )


@given(tries=st.integers(-5, 10_000), seed=st.text())
def test_the_delay_is_bounded_and_always_the_same_for_the_same_try(tries: int, seed: str) -> None:
    delay = backoff(tries, POLICY, seed)
    assert timedelta() < delay <= POLICY.max_delay
    assert backoff(tries, POLICY, seed) == delay


@given(tries=st.integers(1, 6), seed=st.text())
def test_the_delay_is_between_half_and_whole_of_a_doubling_one(tries: int, seed: str) -> None:
    whole = POLICY.first_delay * 2 ** (tries - 1)
    assert whole / 2 <= backoff(tries, POLICY, seed) <= whole


def test_works_that_failed_together_come_back_apart() -> None:
    delays = {backoff(3, POLICY, str(seed)) for seed in range(100)}
    assert len(delays) > 90


def test_the_queue_lets_a_message_live_longer_than_the_worker_does() -> None:
    assert POLICY.max_receives > POLICY.max_tries
