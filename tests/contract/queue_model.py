"""A model of the queue as a few lists: the expected result of any sequence of calls."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cutback.ports import Message, QueueDepth

if TYPE_CHECKING:
    from tests.contract.queue_contract import QueueFactory

MAX_RECEIVES = 3
VISIBILITY = 30

_numbers = itertools.count()
_seconds = st.sampled_from([0, 1, 10, 30, 31, 60])


@dataclass
class Entry:
    """One message."""

    id: str
    body: str
    visible_at: datetime
    order: int
    received: int = 0
    receipt: str = ""


class QueueMachine(RuleBasedStateMachine):
    """Does the same to a queue and to the lists."""

    def __init__(self, queues: QueueFactory) -> None:
        super().__init__()
        self.queues = queues
        self.queue = queues.open(f"model-{next(_numbers)}", visibility=VISIBILITY, max_receives=MAX_RECEIVES)
        self.order = itertools.count()
        self.alive: list[Entry] = []
        self.dead: list[Entry] = []
        self.seen: list[Message] = []

    @rule(delay=_seconds, body=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20))
    def send(self, delay: int, body: str) -> None:
        message_id = self.queue.send(body, delay=timedelta(seconds=delay))
        visible_at = self.queues.now() + timedelta(seconds=delay)
        self.alive.append(Entry(message_id, body, visible_at, next(self.order)))

    @rule(limit=st.integers(1, 10), visibility=st.none() | _seconds)
    def receive(self, limit: int, visibility: int | None) -> None:
        hidden = None if visibility is None else timedelta(seconds=visibility)
        found = self.queue.receive(limit=limit, visibility=hidden)
        now = self.queues.now()
        while True:
            some = sorted(
                (entry for entry in self.alive if entry.visible_at <= now),
                key=lambda entry: (entry.visible_at, entry.order),
            )[:limit]
            expected = [entry for entry in some if entry.received < MAX_RECEIVES]
            for entry in some:
                if entry.received >= MAX_RECEIVES:
                    self._bury(entry)
            if expected or not some:
                break
        for entry in expected:
            entry.received += 1
            entry.visible_at = now + (timedelta(seconds=VISIBILITY) if hidden is None else hidden)
        assert [(e.id, e.body, e.received) for e in expected] == [(m.id, m.body, m.receive_count) for m in found]
        for entry, message in zip(expected, found, strict=True):
            entry.receipt = message.receipt
        self.seen += found

    @rule(data=st.data(), seconds=_seconds)
    def extend(self, data: st.DataObject, seconds: int) -> None:
        for message, entry in self._some_delivery(data):
            assert (entry is not None) == self.queue.extend(message, timedelta(seconds=seconds))
            if entry is not None:
                entry.visible_at = self.queues.now() + timedelta(seconds=seconds)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        for message, entry in self._some_delivery(data):
            assert (entry is not None) == self.queue.delete(message)
            if entry is not None:
                self.alive.remove(entry)

    @rule(data=st.data())
    def move_to_dead_letters(self, data: st.DataObject) -> None:
        for message, entry in self._some_delivery(data):
            assert (entry is not None) == self.queue.move_to_dead_letters(message, "enough")
            if entry is not None:
                self._bury(entry)

    @rule()
    def redrive_all(self) -> None:
        assert len(self.dead) == self.queue.redrive()
        self._bring_back(self.dead)

    @rule(data=st.data())
    def redrive_some(self, data: st.DataObject) -> None:
        if self.dead:
            ids = data.draw(st.sets(st.sampled_from([entry.id for entry in self.dead])))
            assert len(ids) == self.queue.redrive([*ids, "nobody"])
            self._bring_back([entry for entry in self.dead if entry.id in ids])

    @rule(seconds=_seconds)
    def pass_time(self, seconds: int) -> None:
        self.queues.pass_time(seconds)

    @invariant()
    def depth_and_dead_letters_agree(self) -> None:
        hidden = [entry for entry in self.alive if entry.visible_at > self.queues.now()]
        in_flight = sum(entry.received > 0 for entry in hidden)
        visible = len(self.alive) - len(hidden)
        assert QueueDepth(visible, in_flight, len(hidden) - in_flight, len(self.dead)) == self.queue.depth()
        assert [(entry.id, entry.body, entry.received) for entry in reversed(self.dead)] == [
            (letter.id, letter.body, letter.receive_count) for letter in self.queue.dead_letters(limit=1000)
        ]

    def _some_delivery(self, data: st.DataObject) -> list[tuple[Message, Entry | None]]:
        if not self.seen:
            return []
        message = data.draw(st.sampled_from(self.seen))
        return [(message, next((e for e in self.alive if e.receipt == message.receipt), None))]

    def _bury(self, entry: Entry) -> None:
        self.alive.remove(entry)
        self.dead.append(entry)

    def _bring_back(self, entries: list[Entry]) -> None:
        for entry in list(entries):
            self.dead.remove(entry)
            visible_at = self.queues.now()
            self.alive.append(Entry(entry.id, entry.body, visible_at, next(self.order)))


def agrees_with_model(queues: QueueFactory) -> None:
    """Try sequences of calls on fresh queues."""
    factory: Any = lambda: QueueMachine(queues)  # noqa: E731 - its types want a class, which could not know the queues
    run_state_machine_as_test(
        factory,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
