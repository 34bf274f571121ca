"""Real worker processes that die before announcing, and receivers that refuse: every event arrives."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest
from tests.faults.worker_processes import WorkerProcesses, keep_two_alive, request
from tests.support.serving import serving
from tests.support.waiting import PATIENCE, eventually

from cutback.domain.clips.clip import ClipState
from cutback.lifecycle import accept

pytestmark = pytest.mark.slow


@dataclass
class Receiver:
    """A webhook's receiver, which refuses some of what comes."""

    refusal: float = 0.0
    url: str = ""
    heard: list[tuple[str, str]] = field(default_factory=list)
    """Ids of the events that were accepted, each with its type."""
    refused: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def answer(self, body: bytes, event_id: str) -> int:
        if self.chance.random() < self.refusal:
            self.refused += 1
            return 503
        event = json.loads(body)
        assert event["id"] == event_id
        self.heard.append((event_id, event["type"]))
        return 204


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiving = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiving.answer(body, self.headers["webhook-id"]))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as receiving.url:
        yield receiving


def test_a_clip_whose_worker_died_before_announcing_it_is_announced_by_another(
    make_workers: Callable[..., WorkerProcesses], receiver: Receiver
) -> None:
    workers = make_workers()
    workers.accident("committed", signal.SIGKILL)
    accept.submit(workers.services, request(1, webhook=receiver.url))
    assert workers.start().wait(PATIENCE) == -signal.SIGKILL
    assert workers.clips()[0].state is ClipState.READY
    assert [event.type for event in workers.services.records.unannounced()] == ["clip.ready"]
    workers.processes.clear()
    workers.start()
    [ready_id] = workers.event_ids()["wave-1"]
    eventually(lambda: (ready_id, "clip.ready") in receiver.heard)
    eventually(workers.idle)
    assert workers.stop() == [0]
    assert workers.services.records.unannounced() == []


def test_every_event_arrives_although_workers_die_and_half_of_all_announcements_fail(
    make_workers: Callable[..., WorkerProcesses], receiver: Receiver
) -> None:
    receiver.refusal = 0.5
    workers = make_workers(webhook_delays=",".join(["0.1"] * 40), webhook_timeout=1)
    for stage in ("committed", "announced"):
        workers.accident(stage, signal.SIGKILL, times=5)
    for number in range(20):
        accept.submit(workers.services, request(number, webhook=receiver.url))
    ends = keep_two_alive(workers, random_kills=0, FALTERING="yes")
    assert ends == {-signal.SIGKILL: 10}

    webhooks = workers.services.webhooks
    assert webhooks is not None

    def told() -> bool:
        depth = webhooks.depth()
        return not workers.services.records.unannounced() and depth.visible + depth.in_flight + depth.delayed == 0

    eventually(told, "the announcements", moves=lambda: len(receiver.heard))
    assert set(workers.stop()) == {0}
    stored = {(event.id, event.type) for event in workers.events()}
    assert len({event_id for event_id, _ in stored}) == len(stored)
    assert set(receiver.heard) == stored
    assert [kind for _, kind in stored].count("clip.ready") == 20
    assert receiver.refused > 20
    assert webhooks.depth().dead == 0
