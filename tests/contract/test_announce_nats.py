"""NatsAnnouncer and WakingCache on a real server: what reaches those who listen, and what stays for them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.cache_contract import CacheContract
from tests.support.nats_server import NatsServer, free_port
from tests.support.waiting import eventually

from cutback.adapters.build import build
from cutback.adapters.cache_memory import MemoryCache
from cutback.adapters.nats.announcer import NatsAnnouncer, subject
from cutback.adapters.nats.connection import NatsConnection
from cutback.adapters.nats.stored import read
from cutback.adapters.nats.wake import WakingCache
from cutback.domain.base import utc_now
from cutback.domain.clips.event import Event
from cutback.domain.errors import SurroundingsError
from cutback.ports import EVENT_COUNTER
from cutback.settings.nats_address import NatsServers, nats_subjects
from cutback.settings.settings import Settings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def connection(server: NatsServer) -> Iterator[NatsConnection]:
    connection = NatsConnection(NatsServers((server.host,)))
    yield connection
    connection.close()


def event(number: int = 1, *, state: str = "ready", camera: str = "north-point", **more: Any) -> Event:
    request = {"source": [{"camera": camera, "from": "2026-06-21T05:30:00Z"}], **more}
    data = {"id": "wave", "state": state, "request": request}
    return Event(id=f"wave.{number}", type=f"clip.{state}", subject="wave", time=utc_now(), data=data)


def announcer_of(server: NatsServer, connection: NatsConnection) -> tuple[NatsAnnouncer, str]:
    """And the prefix of its subjects, which no other test has."""
    address = nats_subjects(server.url(f"events-{uuid.uuid4().hex[:8]}.clips"))
    return NatsAnnouncer(connection, address, setting="CUTBACK_ANNOUNCE_NATS"), address.prefix


def test_an_event_is_kept_under_its_camera_and_state(server: NatsServer, connection: NatsConnection) -> None:
    announcer, prefix = announcer_of(server, connection)
    told = event(title="Größe 🌊 \ufffe")
    announcer.announce(told)
    stored = connection.run(read(connection, prefix.replace(".", "-"), {"last_by_subj": f"{prefix}.north-point.ready"}))
    assert stored is not None
    assert told.body() == json.loads(stored.data)
    assert stored.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"


def test_an_event_that_is_announced_again_is_kept_once(server: NatsServer, connection: NatsConnection) -> None:
    announcer, prefix = announcer_of(server, connection)
    for number in (1, 2, 1):
        announcer.announce(event(number))
    state = connection.run(connection.ask(f"$JS.API.STREAM.INFO.{prefix.replace('.', '-')}"))["state"]
    assert state["messages"] == 2


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event(camera="north-point", state="failed"), "e.north-point.failed"),
        (event(camera="pier.left *"), "e.pier_left__.ready"),
        (event(camera=""), "e._.ready"),
        (Event(id="test.1", type="webhook.test", subject="1", time=utc_now(), data={}), "e._._"),
    ],
)
def test_subjects_hold_only_what_nats_takes(told: Event, expected: str) -> None:
    assert expected == subject("e", told)


def test_a_large_event_is_shortened(server: NatsServer, connection: NatsConnection) -> None:
    announcer, prefix = announcer_of(server, connection)
    announcer.announce(event(labels={"text": "x" * 1_100_000}))
    stored = connection.run(read(connection, prefix.replace(".", "-"), {"seq": 1}))
    assert stored is not None
    assert json.loads(stored.data)["data"]["shortened"]


def test_an_event_that_nobody_takes_stays_to_be_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutback.adapters.nats.connection.PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr("cutback.adapters.nats.connection.ANSWER_SECONDS", 0.3)
    address = nats_subjects(f"nats://127.0.0.1:{free_port()}")
    announcer = NatsAnnouncer(NatsConnection(address.servers), address, setting="CUTBACK_ANNOUNCE_NATS")
    with pytest.raises(SurroundingsError, match="no server answers"):
        announcer.announce(event())
    announcer.close()


def test_a_stream_that_was_deleted_is_created_by_the_next_event(server: NatsServer, connection: NatsConnection) -> None:
    announcer, prefix = announcer_of(server, connection)
    announcer.announce(event(1))
    connection.run(connection.ask(f"$JS.API.STREAM.DELETE.{prefix.replace('.', '-')}"))
    announcer.announce(event(2))
    stored = connection.run(read(connection, prefix.replace(".", "-"), {"seq": 1}))
    assert stored is not None
    assert json.loads(stored.data)["id"] == "wave.2"


def test_a_stream_of_your_own_for_the_same_subjects_keeps_the_events(
    server: NatsServer, connection: NatsConnection
) -> None:
    announcer, prefix = announcer_of(server, connection)
    own = f"own-{prefix.partition('.')[0]}"
    connection.run(connection.ask(f"$JS.API.STREAM.CREATE.{own}", {"name": own, "subjects": [f"{prefix}.>"]}))
    announcer.announce(event())
    assert connection.run(read(connection, own, {"seq": 1})) is not None


def test_servers_that_cannot_keep_the_events_are_named_with_the_setting(
    server: NatsServer, connection: NatsConnection
) -> None:
    address = nats_subjects(server.url(f"events-{uuid.uuid4().hex[:8]}?replicas=3"))
    announcer = NatsAnnouncer(connection, address, setting="CUTBACK_ANNOUNCE_NATS")
    with pytest.raises(SurroundingsError, match=r"CUTBACK_ANNOUNCE_NATS: .* cannot keep 3 replicas; start more"):
        announcer.announce(event())


# --- waking --------------------------------------------------------------------------------------


class TestWakingCache(CacheContract):
    """All of the contract, with a cache of its own."""

    @pytest.fixture
    def cache(self, connection: NatsConnection) -> WakingCache:
        return WakingCache(MemoryCache(max_bytes=1_000_000), connection, {EVENT_COUNTER, "news"})


def test_a_change_on_one_node_is_seen_on_the_others(server: NatsServer, tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path, "queue_url": server.url("clips")})
    with build(settings) as one, build(settings) as other:
        other.cache.bump(EVENT_COUNTER)
        seen = [other.cache.count(EVENT_COUNTER), other.cache.count("clip:wave")]

        def sees() -> bool:
            one.cache.bump(EVENT_COUNTER)  # what is told before the other listens is lost
            one.cache.bump("clip:wave")
            return other.cache.count(EVENT_COUNTER) != seen[0]

        eventually(sees, "the other node sees a change")
        assert seen[1] == other.cache.count("clip:wave")


def test_the_last_change_of_a_process_that_ends_at_once_is_seen(server: NatsServer, tmp_path: Path) -> None:
    """As `cutback submit` does: it does not wait when it changes the counter, but before it ends."""
    settings = Settings.model_validate({"data": tmp_path, "queue_url": server.url("clips")})
    with build(settings) as node, build(settings) as other:
        before = node.cache.count(EVENT_COUNTER)

        def listens() -> bool:
            other.cache.bump(EVENT_COUNTER)
            return before != node.cache.count(EVENT_COUNTER)

        eventually(listens, "the node listens")
        other.close()
        seen = node.cache.count(EVENT_COUNTER)
        with build(settings) as brief:
            brief.cache.bump(EVENT_COUNTER)
        eventually(lambda: node.cache.count(EVENT_COUNTER) != seen, "the node sees the change")


def test_without_its_servers_a_cache_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutback.adapters.nats.connection.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("cutback.adapters.nats.connection.ANSWER_SECONDS", 0.2)
    cache = WakingCache(MemoryCache(), NatsConnection(NatsServers((f"127.0.0.1:{free_port()}",))), {EVENT_COUNTER})
    cache.bump(EVENT_COUNTER)
    seen = cache.count(EVENT_COUNTER)
    cache.bump(EVENT_COUNTER)
    assert seen != cache.count(EVENT_COUNTER)
    cache.close()
