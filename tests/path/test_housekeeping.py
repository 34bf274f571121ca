"""What is made good later: lost announcements, lost messages, remains, expiry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.path.conftest import Died, World, request

from cutback import accept
from cutback.clip import ClipState
from cutback.errors import (
    QueueUnavailableError,
    RecordsUnavailableError,
    StorageUnavailableError,
    WrongStateError,
)
from cutback.event import Event
from cutback.housekeeping import announce, fail_clips_of_dead_letters, housekeep, tidy
from cutback.lease import Lease


class Ears:
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


def test_an_event_whose_worker_died_is_announced_by_whoever_finds_it(world: World) -> None:
    world.submit()
    world.die_at("committed")
    ears = Ears()
    finder = world.another(announcers=(ears,))
    assert announce(finder) == 0, "a young event is left to its own worker"
    world.pass_time(1.5)
    assert announce(finder) == 1
    assert announce(finder) == 0
    assert [event.id for event in ears.heard] == [world.events()[-1].id]
    assert ears.heard[0].type == "clip.ready"


def test_an_announcer_that_fails_half_the_time_hears_everything_in_the_end(world: World) -> None:
    ears = Ears(failures=2)
    services = world.another(announcers=(ears,))
    accept.submit(services, request())
    world.work(services)
    assert len(ears.heard) == 1
    world.pass_time(2)
    housekeep(services)
    assert {event.type for event in ears.heard} == {"clip.queued", "clip.processing", "clip.ready"}
    assert world.services.records.unannounced() == []


def test_an_expired_clip_is_removed_and_told_of(world: World) -> None:
    world.submit(expires_in=60)
    world.work()
    world.pass_time(59)
    tidy(world.services)
    assert world.objects() == ["wave/1/clip.mp4"]
    world.pass_time(2)
    tidy(world.services)
    clip = world.clip("wave")
    assert (clip.state, clip.sweep_at, world.objects()) == (ClipState.EXPIRED, None, [])
    assert world.types()[-1] == "expired"


def test_dying_between_expiry_and_removal_leaves_the_rest_to_the_next_round(world: World) -> None:
    world.submit(expires_in=60)
    world.work()
    world.pass_time(61)

    def die(stage: str) -> None:
        if stage == "expired":
            raise Died

    world.at_stage = die
    with pytest.raises(Died):
        tidy(world.services)
    world.at_stage = lambda _stage: None
    assert world.objects() == ["wave/1/clip.mp4"]
    tidy(world.services)
    assert world.objects() == []


def write_late(world: World, attempt: int) -> None:
    place = world.settings.data / "clips" / "wave" / str(attempt)
    place.mkdir(parents=True, exist_ok=True)
    (place / "clip.mp4").write_bytes(b"late")


def test_what_a_dead_worker_wrote_late_is_swept_but_the_clip_stays(world: World) -> None:
    world.submit()
    world.die_at("resolved")
    world.pass_time(11)
    world.work()
    write_late(world, 1)
    assert len(world.objects()) == 2
    tidy(world.services)
    assert len(world.objects()) == 2, "it may still be writing"
    world.pass_time(world.settings.sweep_delay.total_seconds() + 1)
    tidy(world.services)
    assert world.objects() == ["wave/2/clip.mp4"]
    assert world.clip("wave").sweep_at is None
    assert world.types().count("ready") == 1


def test_a_cancelled_attempt_that_wrote_late_is_swept(world: World) -> None:
    world.submit()
    world.die_at("resolved")
    accept.cancel(world.services, "wave")
    write_late(world, 1)
    world.pass_time(world.settings.sweep_delay.total_seconds() + 1)
    tidy(world.services)
    assert world.objects() == []


def test_a_sweep_that_fails_is_made_again(world: World) -> None:
    world.submit()
    world.die_at("stored")
    accept.cancel(world.services, "wave")
    world.pass_time(world.settings.sweep_delay.total_seconds() + 1)

    class Away:
        def delete_prefix(self, *_: object, **__: object) -> int:
            raise StorageUnavailableError

    tidy(world.another(clips=Away()))
    assert world.objects() == ["wave/1/clip.mp4"]
    tidy(world.services)
    assert world.objects() == []


def test_dying_between_retry_and_its_message_loses_nothing(world: World) -> None:
    world.submit()
    accept.cancel(world.services, "wave")
    world.work()

    def die(stage: str) -> None:
        if stage == "requeued":
            raise Died

    world.at_stage = die
    with pytest.raises(Died):
        accept.retry(world.services, "wave")
    world.at_stage = lambda _stage: None
    assert world.work() == 0
    with pytest.raises(WrongStateError):
        accept.retry(world.services, "wave")
    world.pass_time(accept.RESEND_AFTER.total_seconds() + 1)
    housekeep(world.services)
    assert world.work() == 1
    assert world.clip("wave").state is ClipState.READY


def test_a_retried_clip_is_made_with_fresh_tries(world: World) -> None:
    world.submit(source={"recording": "later.mp4", "start": 0, "end": 1})
    world.work()
    assert world.clip("wave").state is ClipState.FAILED
    (world.settings.data / "recordings" / "later.mp4").write_bytes(b"here now" * 100)
    accept.retry(world.services, "wave")
    world.work()
    assert world.clip("wave").state is ClipState.READY
    with pytest.raises(WrongStateError):
        accept.retry(world.services, "wave")


def test_a_clip_whose_message_vanished_with_its_worker_is_sent_again(world: World) -> None:
    world.submit()
    [held] = world.services.queue.receive(limit=1)
    claimed = world.clip("wave").claimed(worker="gone", now=world.now(), lease=timedelta(seconds=5))
    assert world.services.records.commit(claimed)
    world.services.queue.delete(held)
    world.pass_time(30)
    housekeep(world.services)
    assert world.work() == 0, "not yet: its worker may only be slow"
    world.pass_time(3700)
    housekeep(world.services)
    assert world.work() == 1
    assert world.clip("wave").state is ClipState.READY


def test_a_message_that_died_in_the_queue_takes_its_clip_along(world: World) -> None:
    world.submit()
    for _ in range(world.services.policy.max_receives):
        world.die_at("received")
        world.pass_time(11)
    assert world.work() == 0
    assert world.clip("wave").state is ClipState.QUEUED
    assert fail_clips_of_dead_letters(world.services) == 1
    clip = world.clip("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "gave_up")
    assert fail_clips_of_dead_letters(world.services) == 0
    accept.redrive(world.services)
    world.work()
    assert world.clip("wave").state is ClipState.READY


def test_an_old_dead_letter_does_not_harm_a_clip_that_was_brought_back(world: World) -> None:
    world.submit()
    for _ in range(world.settings.max_tries):
        world.die_at("rendered")
        world.pass_time(11)
    world.work()
    assert world.clip("wave").state is ClipState.FAILED
    accept.retry(world.services, "wave")
    assert fail_clips_of_dead_letters(world.services) == 0
    assert world.clip("wave").state is ClipState.QUEUED
    world.work()
    assert world.clip("wave").state is ClipState.READY


def test_a_dead_letter_with_somebody_elses_id_does_not_harm_that_clip(world: World) -> None:
    world.submit()
    [held] = world.services.queue.receive(limit=1)
    world.services.queue.send(request(title="other").model_dump_json())
    world.work()
    assert len(world.dead_reasons()) == 1
    world.pass_time(11)
    assert fail_clips_of_dead_letters(world.services) == 0
    world.services.queue.extend(held, timedelta())
    world.work()
    assert world.clip("wave").state is ClipState.READY


def test_a_heart_that_cannot_beat_for_a_whole_lease_gives_the_clip_up(
    make_world: Callable[..., World],
) -> None:
    world = make_world(lease=0.5, visibility=1)
    world.submit()
    [message] = world.services.queue.receive(limit=1)
    claimed = world.clip("wave").claimed(worker="w", now=world.now(), lease=timedelta(seconds=0.5))

    class Away:
        def beat(self, *_: object, **__: object) -> bool:
            raise RecordsUnavailableError

    services = world.another(records=Away())
    with Lease(services, claimed, message, stopping=lambda: False) as lease:
        lease._thread.join(5)
        assert not lease._thread.is_alive()
        assert lease.stopped()


def test_a_living_lease_outlasts_itself(make_world: Callable[..., World]) -> None:
    world = make_world(lease=0.5, visibility=1)
    world.submit()
    [message] = world.services.queue.receive(limit=1)
    claimed = world.clip("wave").claimed(worker="w", now=world.now(), lease=timedelta(seconds=0.5))
    assert world.services.records.commit(claimed)
    with Lease(world.services, claimed, message, stopping=lambda: False) as lease:
        lease._thread.join(1.5)
        assert not lease.stopped()
        lease.check()
        assert world.services.queue.receive(limit=1) == []
        lease_until = world.clip("wave").lease_until
        assert lease_until is not None
        assert lease_until > world.now()
