"""A queue on three NATS servers: what is accepted is delivered, whichever server is killed, paused or restarted."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from tests.contract.jetstream_queues import JetStreamQueueFactory, open_queue
from tests.contract.queue_contract import LONG, QueueContract, take
from tests.faults.child_processes import ChildProcesses
from tests.support.nats_server import NatsCluster, NatsServer
from tests.support.waiting import PATIENCE, eventually

from cutback.adapters.nats.queue import JetStreamQueue
from cutback.domain.errors import QueueUnavailableError
from cutback.ports import QueueDepth

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path_factory.mktemp("nats")) as cluster:
        yield cluster


@pytest.fixture
def queues(cluster: NatsCluster) -> Iterator[JetStreamQueueFactory]:
    queues = JetStreamQueueFactory(cluster.url)
    yield queues
    queues.close()


@pytest.fixture
def url(cluster: NatsCluster) -> str:
    return cluster.url(uuid.uuid4().hex)


class TestJetStreamQueueOnACluster(QueueContract):
    """What JetStream promises of the contract, with three replicas."""

    ordered = False
    exact_receipts = False
    exact_depth = False
    crowd = 200


@dataclass
class Traffic:
    """Sends numbered messages and works them off, in threads of this process, each with a connection of its own."""

    url: str
    sent: dict[str, str] = field(default_factory=dict)
    """Bodies by the id under which they were accepted."""
    done: Counter[str] = field(default_factory=Counter)
    """How often a message was deleted, by id: more than once if two workers did it at the same time."""
    returned: set[str] = field(default_factory=set)
    """The ids that were delivered after they had been deleted."""
    delivered: dict[str, set[str]] = field(default_factory=dict)
    """The ids under which each body came."""
    errors: list[str] = field(default_factory=list)
    sending: threading.Event = field(default_factory=threading.Event)
    working: threading.Event = field(default_factory=threading.Event)

    def run(self, disturb: Callable[[], None], *, senders: int = 2, workers: int = 2) -> None:
        """Send and work until `disturb` returns, and then work off what is left."""
        self.sending.set()
        self.working.set()
        with ThreadPoolExecutor(senders + workers) as pool:
            futures = [pool.submit(self._send, number) for number in range(senders)]
            futures += [pool.submit(self._work) for _ in range(workers)]
            try:
                disturb()
                self.sending.clear()
                for future in futures[:senders]:
                    future.result(PATIENCE)
                eventually(
                    lambda: self.sent.keys() <= self.done.keys(),
                    "every accepted message is worked off",
                    moves=lambda: sum(self.done.values()),
                )
            finally:
                self.sending.clear()
                self.working.clear()
            for future in futures:
                future.result(PATIENCE)

    def check(self) -> None:
        """Nothing lost, nothing accepted twice, nothing delivered again after it was deleted."""
        assert self.errors == []
        assert self.sent.keys() == self.done.keys()
        assert self.returned == set()
        assert {body: ids for body, ids in self.delivered.items() if len(ids) != 1} == {}

    def _send(self, sender: int) -> None:
        queue = open_queue(self.url)
        for number in itertools.count():
            if not self.sending.is_set():
                break
            body = f"{sender}-{number}"
            try:
                self.sent[queue.send(body)] = body
            except QueueUnavailableError as error:
                self.errors.append(str(error))
            time.sleep(0.002)  # leaves the processor to the servers
        queue.close()

    def _work(self) -> None:
        queue = open_queue(self.url, visibility=timedelta(seconds=20))
        while self.working.is_set():
            try:
                for message in queue.receive(limit=4, wait=timedelta(seconds=0.5)):
                    if message.id in self.done:
                        self.returned.add(message.id)
                    self.delivered.setdefault(message.body, set()).add(message.id)
                    if queue.delete(message):
                        self.done[message.id] += 1
            except QueueUnavailableError as error:
                self.errors.append(str(error))
        queue.close()


def leader(cluster: NatsCluster, queue: JetStreamQueue) -> NatsServer:
    """The server that leads the queue's stream."""
    name = queue._names.stream
    found = queue._connection.run(queue._connection.ask(f"$JS.API.STREAM.INFO.{name}"))
    return cluster.named(found["cluster"]["leader"])


def grows(traffic: Traffic, count: int) -> None:
    """Wait until this many more messages were worked off."""
    goal = sum(traffic.done.values()) + count
    eventually(lambda: sum(traffic.done.values()) >= goal, "work goes on", moves=lambda: len(traffic.done))


def test_a_leader_killed_while_publishing_and_consuming_loses_and_doubles_nothing(
    cluster: NatsCluster, url: str
) -> None:
    traffic, watcher = Traffic(url), open_queue(url)
    watcher.check()

    def disturb() -> None:
        for _ in range(3):
            grows(traffic, 50)
            killed = leader(cluster, watcher)
            killed.kill()
            grows(traffic, 50)
            killed.start()

    traffic.run(disturb)
    traffic.check()
    assert QueueDepth(0, 0, 0, 0) == watcher.depth()
    watcher.close()


def test_a_paused_server_is_left_and_comes_back(cluster: NatsCluster, url: str) -> None:
    traffic, watcher = Traffic(url), open_queue(url)
    watcher.check()

    def disturb() -> None:
        grows(traffic, 50)
        paused = leader(cluster, watcher)
        paused.pause()
        try:
            grows(traffic, 50)
        finally:
            paused.resume()
        grows(traffic, 50)

    traffic.run(disturb)
    traffic.check()
    watcher.close()


def test_everything_is_kept_over_a_restart_of_all_three(cluster: NatsCluster, url: str) -> None:
    queue = open_queue(url)
    queue.send_all(str(number) for number in range(40))
    queue.send("later", delay=timedelta(minutes=10))
    for message in queue.receive(limit=3):
        assert queue.move_to_dead_letters(message, "enough")
    held = take(queue)
    cluster.kill()
    cluster.start()
    eventually(lambda: _depth(queue) == QueueDepth(36, 1, 1, 3), "the queue is there again", every=0.2)
    assert [letter.reason for letter in queue.dead_letters()] == ["enough"] * 3
    assert queue.delete(held)
    bodies = [message.body for _ in range(6) for message in queue.receive(limit=10, wait=timedelta(seconds=1))]
    assert len(set(bodies)) == 36
    assert queue.redrive() == 3
    queue.close()


def test_without_a_majority_nothing_is_accepted_and_afterwards_everything(
    cluster: NatsCluster, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = open_queue(url)
    queue.send("before")
    first, second, _ = cluster.servers
    first.kill()
    second.kill()
    monkeypatch.setattr("cutback.adapters.nats.connection.PATIENCE_SECONDS", 2)
    with pytest.raises(QueueUnavailableError):
        queue.send("too few")
    first.start()
    second.start()
    monkeypatch.undo()
    eventually(lambda: _sends(queue, "after"), "the majority is back", every=0.2)
    found = {message.body for _ in range(4) for message in queue.receive(limit=10, wait=LONG / 20)}
    assert {"before", "after"} <= found
    queue.close()


@dataclass
class Heard:
    """What worker processes reported: the ids of each operation, and the ids of each body."""

    by_verb: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    by_body: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unavailable: int = 0

    def hear(self, line: str) -> None:
        words = line.split(" ")
        if words[0] == "did":
            self.by_verb[words[1]].add(words[3])
            self.by_body[words[2]].add(words[3])
        self.unavailable += words[0] == "unavailable"


@pytest.mark.parametrize(
    ("kills", "leader_kills"),
    [
        pytest.param(40, 1, id="forty"),
        pytest.param(int(os.environ.get("CUTBACK_TEST_KILLS", "1000")), 20, id="a thousand", marks=pytest.mark.soak),
    ],
)
def test_workers_and_leaders_killed_at_random_lose_and_double_nothing(
    cluster: NatsCluster, url: str, kills: int, leader_kills: int
) -> None:
    began, heard, watcher = time.monotonic(), Heard(), open_queue(url)
    watcher.check()
    numbers, dice = itertools.count(), random.Random(20261128)
    lives = [dice.uniform(0.1, 1.0) for _ in range(kills)]
    ends: Counter[int] = Counter()
    leaders_done = threading.Event()

    def kill_workers(name: str) -> None:
        family = ChildProcesses(name, "tests.faults.jetstream_worker", url, hear=heard.hear)
        try:
            while (number := next(numbers)) < kills or not leaders_done.is_set():
                ends[family.start_and_kill(number, lives[number % kills])] += 1
        finally:
            family.close()

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(kill_workers, name) for name in ("a", "b", "c")]
        for count in range(1, leader_kills + 1):
            goal = kills * count // (leader_kills + 1)
            eventually(lambda goal=goal: ends.total() >= goal, "workers die", moves=ends.total)  # type: ignore[misc]
            killed = leader(cluster, watcher)
            killed.kill()
            sent = len(heard.by_verb["send"])
            eventually(lambda sent=sent: len(heard.by_verb["send"]) > sent, "sending goes on")  # type: ignore[misc]
            killed.start()
        leaders_done.set()
        for future in futures:
            future.result()
    assert ends.keys() == {-signal.SIGKILL}
    kills = ends.total()

    drained: set[str] = set()

    def drain() -> bool:
        for message in watcher.receive(limit=10, wait=timedelta(seconds=1)):
            heard.by_body[message.body].add(message.id)
            assert watcher.delete(message)
            drained.add(message.id)
        return watcher.depth().visible + watcher.depth().in_flight == 0

    eventually(drain, "what is left is delivered", moves=lambda: len(drained))
    letters = [letter.id for letter in watcher.dead_letters(limit=100_000)]
    accepted, deleted = heard.by_verb["send"], heard.by_verb["delete"]
    sys.stderr.write(
        f"\n{kills} workers and {leader_kills} leaders killed in {time.monotonic() - began:.0f} s: "
        f"{len(accepted)} accepted, {len(deleted)} deleted, {len(letters)} dead letters, {len(drained)} left, "
        f"{heard.unavailable} calls failed\n"
    )
    assert len(accepted) > kills / 4
    assert accepted <= deleted | {*letters} | drained | heard.by_verb["receive"]
    lost = accepted - deleted - {*letters} - drained
    assert len(lost) <= kills, "deleted, and killed before it could say so: at most one for each worker"
    assert heard.by_verb["move"] <= {*letters}
    assert len(letters) == len(set(letters))
    assert drained.isdisjoint(deleted)
    assert {body: ids for body, ids in heard.by_body.items() if len(ids) != 1} == {}
    watcher.close()


def _depth(queue: JetStreamQueue) -> QueueDepth | None:
    try:
        return queue.depth()
    except QueueUnavailableError:
        return None


def _sends(queue: JetStreamQueue, body: str) -> bool:
    try:
        return bool(queue.send(body))
    except QueueUnavailableError:
        return False
