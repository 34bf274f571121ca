"""A MongoDB that is killed and restarted during writes, over breaking connections: nothing is lost or done twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from tests.contract.racing import in_threads
from tests.contract.records_contract import T0, a_clip
from tests.support.mongo_proxy import FAULTS, PASS, MongoProxy, between
from tests.support.mongo_server import MongoServer, need_nx

from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.records import MongoRecords
from cutback.domain.clips.clip import Clip
from cutback.domain.errors import RecordsUnavailableError

pytestmark = pytest.mark.slow

WRITERS, CLIPS, CHANGES = 3, 12, 4
KILLED_AFTER = (300, 700, 1100)
"""Commands."""
FAULTY = 0.05
"""Of all commands."""

T = TypeVar("T")


def insist(ask: Callable[[], T]) -> T:
    """Repeat the call, as a caller does that tries again later."""
    while True:
        try:
            return ask()
        except RecordsUnavailableError:
            continue


def read(records: MongoRecords, clip_id: str) -> Clip:
    clip = insist(lambda: records.get_clip(clip_id))
    assert clip is not None
    return clip


def change(records: MongoRecords, clip_id: str) -> Clip:
    """Make one more change of a clip that no other process changes; find out whether it was made."""
    changed = read(records, clip_id).swept(now=T0)
    while True:
        try:
            assert records.commit(changed), "ours was taken for somebody else's"
        except RecordsUnavailableError:
            if read(records, clip_id).revision < changed.revision:
                continue
        return changed


@dataclass
class KillScenario:
    """All participants."""

    server: MongoServer
    proxy: MongoProxy
    url: str
    acknowledged: dict[str, int] = field(default_factory=dict)
    finished: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def part(self, number: int) -> list[str]:
        if number == 0:
            return self.follow()
        if number == 1:
            self.kill_and_restart()
            return []
        try:
            self.write(number)
        finally:
            self.finished.append(number)
            if len(self.finished) == WRITERS:
                self.over.set()
        return []

    def write(self, number: int) -> None:
        records = insist(lambda: MongoRecords(Mongo(self.url)))
        for clip_number in range(CLIPS):
            clip = a_clip(f"c{number}-{clip_number}")
            insist(partial(records.put_clip, clip))
            self.acknowledged[clip.id] = 1
            for _ in range(CHANGES):
                self.acknowledged[clip.id] = change(records, clip.id).revision
        records.close()

    def kill_and_restart(self) -> None:
        for commands in KILLED_AFTER:
            while len(self.proxy.seen) < commands and not self.over.wait(0.01):
                pass
            self.server.kill()
            self.server.start()

    def follow(self) -> list[str]:
        """The ids of all events, as a reader sees them that begins before the first one."""
        records, position, seen = insist(lambda: MongoRecords(Mongo(self.url))), 0, list[str]()
        while True:
            last = self.over.is_set()
            if last:
                insist(records.unannounced)  # what writers left in outboxes comes into the log
            some = insist(partial(records.events_after, position, limit=7))
            seen += [event.id for _, event in some]
            position = some[-1][0] if some else position
            if last and not some:
                records.close()
                return seen


def test_nothing_is_lost_and_nothing_there_twice(tmp_path: Path) -> None:
    need_nx()
    server = MongoServer(tmp_path / "mongodb")
    server.start()
    try:
        with between(server.port) as proxy:
            direct = server.url()
            scenario = KillScenario(server, proxy, direct.replace(str(server.port), str(proxy.port)))
            # The indexes are there before anything breaks; that they are made at a start is another test's subject.
            MongoRecords(Mongo(direct)).close()
            dice = random.Random(7)
            proxy.plan = lambda _command: dice.choice(FAULTS) if dice.random() < FAULTY else PASS
            followed = in_threads(WRITERS + 2, scenario.part)[0]
        _check(direct, followed, scenario.acknowledged)
    finally:
        server.kill()


def _check(url: str, followed: list[str], acknowledged: dict[str, int]) -> None:
    records = MongoRecords(Mongo(url))
    found = records.events_after(0, limit=10_000)
    events = [event.id for _, event in found]
    assert [position for position, _ in found] == list(range(1, len(found) + 1))
    assert followed == events
    assert len(acknowledged) == WRITERS * CLIPS
    for clip_id, revision in acknowledged.items():
        assert read(records, clip_id).revision == revision
        own = [event for event in events if event.startswith(f"{clip_id}.")]
        assert own == [f"{clip_id}.{number}" for number in range(1, revision + 1)]
    assert len(events) == WRITERS * CLIPS * (1 + CHANGES)
    records.close()
