"""Housekeeping: lost announcements, lost messages, leftovers, expiry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.path.harness import Died, PathHarness, request
from tests.support.waiting import PATIENCE

from cutback.domain.clips.clip import ClipState
from cutback.domain.clips.event import Event
from cutback.domain.errors import (
    QueueUnavailableError,
    RecordsUnavailableError,
    StorageUnavailableError,
    WrongStateError,
)
from cutback.lifecycle import accept
from cutback.lifecycle.housekeeping import announce, fail_clips_of_dead_letters, housekeep, tidy
from cutback.lifecycle.lease import Lease


class CollectingAnnouncer:
    """An announcer that fails as often as it is told, and remembers the rest."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.heard: list[Event] = []

    def close(self) -> None:
        """Nothing to close."""

    def announce(self, event: Event) -> None:
        if self.failures:
            self.failures -= 1
            raise QueueUnavailableError
        self.heard.append(event)


def test_an_event_whose_worker_died_is_announced_by_another(harness: PathHarness) -> None:
    harness.submit()
    harness.die_at("committed")
    announcer = CollectingAnnouncer()
    finder = harness.another(announcers=(announcer,))
    assert announce(finder) == 0, "a young event is left to its own worker"
    harness.pass_time(1.5)
    assert announce(finder) == 1
    assert announce(finder) == 0
    assert [event.id for event in announcer.heard] == [harness.events()[-1].id]
    assert announcer.heard[0].type == "clip.ready"


def test_an_announcer_that_fails_half_the_time_hears_everything_in_the_end(harness: PathHarness) -> None:
    announcer = CollectingAnnouncer(failures=2)
    services = harness.another(announcers=(announcer,))
    accept.submit(services, request())
    harness.work(services)
    assert len(announcer.heard) == 1
    harness.pass_time(2)
    housekeep(services)
    assert {event.type for event in announcer.heard} == {"clip.queued", "clip.processing", "clip.ready"}
    assert harness.services.records.unannounced() == []


def test_an_expired_clip_is_removed_and_announced(harness: PathHarness) -> None:
    harness.submit(expires_in=60)
    harness.work()
    harness.pass_time(59)
    tidy(harness.services)
    assert harness.objects() == ["wave/1/clip.mp4"]
    harness.pass_time(2)
    tidy(harness.services)
    clip = harness.clip("wave")
    assert (clip.state, clip.sweep_at, harness.objects()) == (ClipState.EXPIRED, None, [])
    assert harness.types()[-1] == "expired"


def test_dying_between_expiry_and_removal_leaves_the_rest_to_the_next_round(harness: PathHarness) -> None:
    harness.submit(expires_in=60)
    harness.work()
    harness.pass_time(61)

    def die(stage: str) -> None:
        if stage == "expired":
            raise Died

    harness.at_stage = die
    with pytest.raises(Died):
        tidy(harness.services)
    harness.at_stage = lambda _stage: None
    assert harness.objects() == ["wave/1/clip.mp4"]
    tidy(harness.services)
    assert harness.objects() == []


def write_late(harness: PathHarness, attempt: int) -> None:
    place = harness.settings.data / "clips" / "wave" / str(attempt)
    place.mkdir(parents=True, exist_ok=True)
    (place / "clip.mp4").write_bytes(b"late")


def test_what_a_dead_worker_wrote_late_is_swept_but_the_clip_stays(harness: PathHarness) -> None:
    harness.submit()
    harness.die_at("resolved")
    harness.pass_time(11)
    harness.work()
    write_late(harness, 1)
    assert len(harness.objects()) == 2
    tidy(harness.services)
    assert len(harness.objects()) == 2, "it may still be writing"
    harness.pass_time(harness.settings.sweep_delay.total_seconds() + 1)
    tidy(harness.services)
    assert harness.objects() == ["wave/2/clip.mp4"]
    assert harness.clip("wave").sweep_at is None
    assert harness.types().count("ready") == 1


def test_deleting_a_clip_removes_its_files_and_keeps_its_record(harness: PathHarness) -> None:
    harness.submit()
    harness.work()
    assert harness.objects() == ["wave/1/clip.mp4"]
    accept.delete(harness.services, "wave")
    assert harness.objects() == []
    clip = harness.clip("wave")
    assert (clip.state, clip.result, clip.sweep_at) == (ClipState.EXPIRED, None, None)
    assert harness.types()[-1] == "expired"
    harness.services.queue.send(clip.request.model_dump_json())
    harness.work()
    assert harness.objects() == [], "a late message makes nothing"
    with pytest.raises(WrongStateError):
        accept.delete(harness.services, "wave")


def test_files_that_cannot_be_removed_with_their_clip_are_removed_later(harness: PathHarness) -> None:
    harness.submit()
    harness.work()

    class Away:
        def delete_prefix(self, *_: object, **__: object) -> int:
            raise StorageUnavailableError

    accept.delete(harness.another(clips=Away()), "wave")
    assert harness.objects() == ["wave/1/clip.mp4"]
    tidy(harness.services)
    assert harness.objects() == []


def test_an_unfinished_clip_is_not_deleted(harness: PathHarness) -> None:
    harness.submit()
    with pytest.raises(WrongStateError, match="Cancel it first"):
        accept.delete(harness.services, "wave")
    assert harness.clip("wave").state is ClipState.QUEUED


def test_a_cancelled_attempt_that_wrote_late_is_swept(harness: PathHarness) -> None:
    harness.submit()
    harness.die_at("resolved")
    accept.cancel(harness.services, "wave")
    write_late(harness, 1)
    harness.pass_time(harness.settings.sweep_delay.total_seconds() + 1)
    tidy(harness.services)
    assert harness.objects() == []


def test_a_sweep_that_fails_is_made_again(harness: PathHarness) -> None:
    harness.submit()
    harness.die_at("stored")
    accept.cancel(harness.services, "wave")
    harness.pass_time(harness.settings.sweep_delay.total_seconds() + 1)

    class Away:
        def delete_prefix(self, *_: object, **__: object) -> int:
            raise StorageUnavailableError

    tidy(harness.another(clips=Away()))
    assert harness.objects() == ["wave/1/clip.mp4"]
    tidy(harness.services)
    assert harness.objects() == []


def test_dying_between_retry_and_its_message_loses_nothing(harness: PathHarness) -> None:
    harness.submit()
    accept.cancel(harness.services, "wave")
    harness.work()

    def die(stage: str) -> None:
        if stage == "requeued":
            raise Died

    harness.at_stage = die
    with pytest.raises(Died):
        accept.retry(harness.services, "wave")
    harness.at_stage = lambda _stage: None
    assert harness.work() == 0
    with pytest.raises(WrongStateError):
        accept.retry(harness.services, "wave")
    harness.pass_time(accept.RESEND_AFTER.total_seconds() + 1)
    housekeep(harness.services)
    assert harness.work() == 1
    assert harness.clip("wave").state is ClipState.READY


def test_a_retried_clip_is_made_with_fresh_tries(harness: PathHarness) -> None:
    harness.submit(source={"recording": "later.mp4", "start": 0, "end": 1})
    harness.work()
    assert harness.clip("wave").state is ClipState.FAILED
    (harness.settings.data / "recordings" / "later.mp4").write_bytes(b"here now" * 100)
    accept.retry(harness.services, "wave")
    harness.work()
    assert harness.clip("wave").state is ClipState.READY
    with pytest.raises(WrongStateError):
        accept.retry(harness.services, "wave")


def test_a_clip_whose_message_vanished_with_its_worker_is_sent_again(harness: PathHarness) -> None:
    harness.submit()
    [held] = harness.services.queue.receive(limit=1)
    claimed = harness.clip("wave").claimed(worker="gone", now=harness.now(), lease=timedelta(seconds=5))
    assert harness.services.records.commit(claimed)
    harness.services.queue.delete(held)
    harness.pass_time(30)
    housekeep(harness.services)
    assert harness.work() == 0, "not yet: its worker may only be slow"
    harness.pass_time(3700)
    housekeep(harness.services)
    assert harness.work() == 1
    assert harness.clip("wave").state is ClipState.READY


def test_a_message_that_died_in_the_queue_takes_its_clip_along(harness: PathHarness) -> None:
    harness.submit()
    for _ in range(harness.services.policy.max_receives):
        harness.die_at("received")
        harness.pass_time(11)
    assert harness.work() == 0
    assert harness.clip("wave").state is ClipState.QUEUED
    assert fail_clips_of_dead_letters(harness.services) == 1
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "gave_up")
    assert fail_clips_of_dead_letters(harness.services) == 0
    accept.redrive(harness.services)
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


def test_an_old_dead_letter_does_not_affect_a_clip_that_was_redriven(harness: PathHarness) -> None:
    harness.submit()
    for _ in range(harness.settings.max_tries):
        harness.die_at("rendered")
        harness.pass_time(11)
    harness.work()
    assert harness.clip("wave").state is ClipState.FAILED
    accept.retry(harness.services, "wave")
    assert fail_clips_of_dead_letters(harness.services) == 0
    assert harness.clip("wave").state is ClipState.QUEUED
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


def test_a_dead_letter_with_the_id_of_another_clip_does_not_affect_it(harness: PathHarness) -> None:
    harness.submit()
    [held] = harness.services.queue.receive(limit=1)
    harness.services.queue.send(request(title="other").model_dump_json())
    harness.work()
    assert len(harness.dead_reasons()) == 1
    harness.pass_time(11)
    assert fail_clips_of_dead_letters(harness.services) == 0
    harness.services.queue.extend(held, timedelta())
    harness.work()
    assert harness.clip("wave").state is ClipState.READY


def test_a_heart_that_cannot_beat_for_a_whole_lease_gives_the_clip_up(
    make_harness: Callable[..., PathHarness],
) -> None:
    harness = make_harness(lease=0.5, visibility=1)
    harness.submit()
    [message] = harness.services.queue.receive(limit=1)
    claimed = harness.clip("wave").claimed(worker="w", now=harness.now(), lease=timedelta(seconds=0.5))

    class Away:
        def beat(self, *_: object, **__: object) -> bool:
            raise RecordsUnavailableError

    services = harness.another(records=Away())
    with Lease(services, claimed, message, stopping=lambda: False) as lease:
        lease._thread.join(PATIENCE)
        assert not lease._thread.is_alive()
        assert lease.stopped()


def test_a_living_lease_outlasts_itself(make_harness: Callable[..., PathHarness]) -> None:
    harness = make_harness(lease=1.5, visibility=3)
    harness.submit()
    [message] = harness.services.queue.receive(limit=1)
    claimed = harness.clip("wave").claimed(worker="w", now=harness.now(), lease=timedelta(seconds=1.5))
    assert harness.services.records.commit(claimed)
    with Lease(harness.services, claimed, message, stopping=lambda: False) as lease:
        lease._thread.join(3.5)
        assert not lease.stopped()
        lease.check()
        assert harness.services.queue.receive(limit=1) == []
        lease_until = harness.clip("wave").lease_until
        assert lease_until is not None
        assert lease_until > harness.now()
