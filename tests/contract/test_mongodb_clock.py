"""The clock that machines share where the records are in MongoDB: their own may be minutes apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.path.harness import RECORDING, request
from tests.support.fake_cutter import FakeCutter

from cutback.adapters import build as builder
from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.clock import DatabaseClock
from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import RecordsUnavailableError
from cutback.lifecycle import accept
from cutback.lifecycle.attempt import GiveBack, claim
from cutback.lifecycle.housekeeping import housekeep
from cutback.lifecycle.lookup import get_clip
from cutback.services import Services
from cutback.settings.settings import Settings

__all__ = ["mongo_server", "mongo_url"]

CLOSE = timedelta(seconds=25)
"""Far less than the clocks differ by, and far more than a busy machine takes."""


@pytest.fixture
def machine(mongo_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Services]:
    """Makes the services of a machine whose clock is wrong by so many seconds."""
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "sea.mp4").write_bytes(RECORDING)

    def make(wrong_by: int) -> Services:
        monkeypatch.setattr(builder, "utc_now", lambda: datetime.now(UTC) + timedelta(seconds=wrong_by))
        return builder.build(
            Settings(data=tmp_path, records_url=mongo_url, lease=30, visibility=60), cutter=FakeCutter()
        )

    return make


def test_machines_agree_on_the_time_whatever_their_clocks_say(machine: Callable[[int], Services]) -> None:
    for wrong_by in (0, 300, -300):
        with machine(wrong_by) as services:
            assert abs(services.clock() - datetime.now(UTC)) < CLOSE


@pytest.mark.parametrize("wrong_by", [300, -300])
def test_leases_hold_though_clocks_are_minutes_apart(machine: Callable[[int], Services], wrong_by: int) -> None:
    """A worker that is five minutes ahead would take every clip from the others."""
    with machine(0) as right, machine(wrong_by) as wrong:
        for holder, other, name in ((right, wrong, "first"), (wrong, right, "second")):
            clip = accept.submit(holder, request(id=name))
            (message,) = holder.queue.receive(limit=1, wait=timedelta(), visibility=timedelta(seconds=60))
            held = claim(holder, clip, message)
            assert not isinstance(held, GiveBack)
            outcome = claim(other, get_clip(other, name), message)
            assert isinstance(outcome, GiveBack)
            assert abs(outcome.delay - timedelta(seconds=30)) < CLOSE
            housekeep(other)
            assert (get_clip(other, name).state, get_clip(other, name).attempt) == (ClipState.PROCESSING, 1)
            holder.queue.delete(message)


def test_a_clock_that_is_set_is_noticed_at_once(mongo_url: str) -> None:
    mongo = Mongo(mongo_url)
    wrong = timedelta()
    clock = DatabaseClock(mongo, local=lambda: datetime.now(UTC) + wrong)
    for wrong in (timedelta(hours=1), timedelta(minutes=-7), timedelta()):  # noqa: B007 - the clock reads it
        assert abs(clock() - datetime.now(UTC)) < CLOSE
    mongo.close()


def test_the_last_difference_counts_while_the_database_is_away(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mongo = Mongo(mongo_url)
    wrong = timedelta(minutes=3)
    clock = DatabaseClock(mongo, local=lambda: datetime.now(UTC) + wrong)
    asked = []

    def away(_: Mongo) -> datetime:
        asked.append(1)
        raise RecordsUnavailableError

    monkeypatch.setattr(Mongo, "time", away)
    monkeypatch.setattr(clock, "_measure_at", 0.0)
    for _ in range(3):
        assert abs(clock() - datetime.now(UTC)) < CLOSE
    assert asked == [1], "it must not be asked each time"
    mongo.close()
