"""Workers killed at random moments, thousands of times: every accepted request is accounted for."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from tests.faults.worker_processes import WorkerProcesses, request
from tests.support.poison import POISON
from tests.support.waiting import eventually

from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.request import parse_request
from cutback.lifecycle import accept
from cutback.ports import DeadLetter

pytestmark = pytest.mark.slow

LONGEST_LIFE = 0.7
"""Seconds. A life is anything from nothing to this; a clip takes about a quarter of it."""


MOST_POISON = 100
"""Each worker that starts reads all dead letters once; with thousands of long ones, it would do nothing else."""


@dataclass
class Requester:
    """Asks for clips, most of them possible, and remembers what was accepted."""

    workers: WorkerProcesses
    chance: random.Random = field(default_factory=lambda: random.Random(20261124))
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Messages that other senders put into the queue, and that are not requests or use the ids of other clips."""
    poison: int = 0
    """How many of them were made to stop a worker."""

    def ask(self) -> None:
        number = len(self.accepted)
        recording = "gone.mp4" if number % 11 == 0 else "sea.mp4"
        wanted = request(number, source={"recording": recording, "start": 1, "end": 2})
        self.accepted.append(accept.submit(self.workers.services, wanted).id)
        kind = self.chance.random()
        if kind < 0.2:  # a message that comes twice
            self.workers.services.queue.send(wanted.model_dump_json())
        elif kind < 0.25:
            self.put_aside(f"no request {number}")
        elif kind < 0.3:
            self.put_aside(request(number, title="another's id").model_dump_json())
        if number % 4 == 0 and self.poison < MOST_POISON:
            body = list(POISON.values())[self.poison % len(POISON)]
            self.poison += 1
            self.put_aside(body)

    def put_aside(self, body: str) -> None:
        self.refused.append(body)
        self.workers.services.queue.send(body)

    def keep_busy(self, done: threading.Event) -> None:
        while not done.wait(0.02):
            while self.workers.services.queue.depth().visible < 6:
                self.ask()


def kill_workers(workers: WorkerProcesses, name: str, kills: int) -> Counter[int]:
    """How they ended."""
    dice = random.Random(name)
    children = workers.children(name, STEP_SECONDS="0.02")
    try:
        return Counter(children.start_and_kill(number, dice.uniform(0, LONGEST_LIFE)) for number in range(kills))
    finally:
        children.close()


def check_account(workers: WorkerProcesses, kills: int) -> None:
    requester, done = Requester(workers), threading.Event()
    with ThreadPoolExecutor(3) as pool:
        asking = pool.submit(requester.keep_busy, done)
        try:
            killing = [pool.submit(kill_workers, workers, name, kills // 2) for name in ("a", "b")]
            ends = sum((each.result() for each in killing), Counter[int]())
        finally:
            done.set()
        asking.result()
    assert ends == {-signal.SIGKILL: kills // 2 * 2}
    for _ in range(2):
        workers.start()
    eventually(workers.idle, "idle workers", moves=workers.state)
    assert workers.stop() == [0, 0]
    check_books(workers, requester)


def check_books(workers: WorkerProcesses, requester: Requester) -> None:
    clips = workers.clips()
    states = Counter(clip.state for clip in clips)
    letters = workers.services.queue.dead_letters(limit=1_000_000)
    ours, others = split(letters, set(requester.accepted), requester.refused)
    asked = f"accepted {len(requester.accepted)}, poison {requester.poison}"
    print(f"\n{asked}, {dict(states)}, refused {len(others)}, given up {len(ours)}")  # noqa: T201

    # Every request that was accepted, and nothing else, ended: ready, or failed by name.
    assert Counter(clip.id for clip in clips) == Counter(requester.accepted)
    assert set(states) <= {ClipState.READY, ClipState.FAILED}
    assert len(requester.accepted) == states[ClipState.READY] + states[ClipState.FAILED]
    reasons = {clip.id: clip.failure.reason for clip in clips if clip.state is ClipState.FAILED and clip.failure}
    assert set(reasons.values()) <= {"recording_not_found", "gave_up"}
    # Every failed clip has its dead letter, so it can be redriven.
    assert {clip_id for clip_id, reason in reasons.items() if reason == "gave_up"} <= ours
    assert requester.poison > 0
    # What was refused is kept aside, once.
    assert Counter(others) == Counter(requester.refused)

    assert {clip_id: len(ids) for clip_id, ids in workers.event_ids().items()} == dict.fromkeys(
        ids_of(clips, "ready"), 1
    )
    workers.sweep()
    assert workers.strays() == []
    assert workers.services.records.unannounced() == []
    with closing(sqlite3.connect(workers.settings.database_path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def ids_of(clips: list[Clip], state: str) -> list[str]:
    return [clip.id for clip in clips if clip.state == state]


def split(letters: list[DeadLetter], accepted: set[str], refused: list[str]) -> tuple[set[str], list[str]]:
    """Return the ids of clips with dead letters, and the bodies of all other dead letters."""
    strangers = set(refused)
    ours, others = set(), []
    for letter in letters:
        if letter.body in strangers:
            others.append(letter.body)
            continue
        try:
            ours.add(parse_request(letter.body).id)
        except InvalidRequestError:
            others.append(letter.body)
    assert ours <= accepted
    return ours, others


def test_every_accepted_request_is_accounted_for(make_workers: Callable[..., WorkerProcesses]) -> None:
    check_account(make_workers(max_tries=4), 40)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_every_accepted_request_is_accounted_for_after_thousands_of_kills(
    make_workers: Callable[..., WorkerProcesses],
) -> None:
    """CUTBACK_TEST_KILLS kills (3,000)."""
    check_account(make_workers(max_tries=4), int(os.environ.get("CUTBACK_TEST_KILLS", "3000")))
