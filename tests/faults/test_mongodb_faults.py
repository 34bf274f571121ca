"""Connections to MongoDB that break anywhere: nothing is lost, done twice or confused with the work of others."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pymongo import common
from tests.contract.records_contract import LEASE, T0, a_clip, claimed, finished
from tests.support.mongo_proxy import CUT, DROP, DROP_AFTER, FAULTS, PASS, STEPPED_DOWN, MongoProxy, between
from tests.support.mongo_server import MongoServer, need_nx

from cutback.adapters.mongodb import client
from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.mongodb.records import MongoRecords
from cutback.domain.clips.clip import Progress
from cutback.domain.errors import CutbackError, RecordsUnavailableError

pytestmark = pytest.mark.slow

IMPATIENT = timedelta(seconds=5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    need_nx()
    server = MongoServer(tmp_path_factory.mktemp("mongodb"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def _looks_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a broken connection, the driver waits half a second before it checks the server again."""
    monkeypatch.setattr(common, "MIN_HEARTBEAT_INTERVAL", 0.02)


@pytest.fixture
def proxy(server: MongoServer) -> Iterator[MongoProxy]:
    with between(server.port) as proxy:
        yield proxy


class ProxiedRecords:
    """The same records through the proxy and past it."""

    def __init__(self, server: MongoServer, proxy: MongoProxy) -> None:
        url = server.url()
        self.proxied = MongoRecords(Mongo(url.replace(str(server.port), str(proxy.port)), patience=IMPATIENT))
        self.direct = MongoRecords(Mongo(url))

    def events(self) -> list[str]:
        """The ids of all events; their positions leave no gap."""
        found = self.direct.events_after(0, limit=10_000)
        assert [position for position, _ in found] == list(range(1, len(found) + 1))
        return [event.id for _, event in found]


@pytest.fixture
def records(server: MongoServer, proxy: MongoProxy) -> Iterator[ProxiedRecords]:
    records = ProxiedRecords(server, proxy)
    yield records
    records.proxied.close()
    records.direct.close()


# --- answers that are lost ---------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [[DROP], [DROP_AFTER], [CUT], [DROP_AFTER, DROP], [DROP_AFTER, CUT, DROP_AFTER]])
def test_a_clip_whose_first_answer_was_lost_counts_as_stored(
    records: ProxiedRecords, proxy: MongoProxy, faults: list[str]
) -> None:
    proxy.fail("insert", *faults)
    assert records.proxied.put_clip(a_clip())
    assert not records.proxied.put_clip(a_clip())
    assert a_clip() == records.direct.get_clip("wave")
    assert records.events() == ["wave.1"]


@pytest.mark.parametrize("faults", [[DROP], [DROP_AFTER], [CUT], [DROP_AFTER, DROP], [DROP_AFTER, CUT, DROP_AFTER]])
def test_a_change_whose_first_answer_was_lost_counts_as_made(
    records: ProxiedRecords, proxy: MongoProxy, faults: list[str]
) -> None:
    records.direct.put_clip(a_clip())
    proxy.fail("update", *faults)
    assert records.proxied.commit(claimed(a_clip()))
    assert not records.proxied.commit(claimed(a_clip(), worker="late"))
    assert claimed(a_clip()) == records.direct.get_clip("wave")
    assert records.events() == ["wave.1", "wave.2"]


def test_it_counts_even_when_others_have_gone_on_from_it_meanwhile(records: ProxiedRecords, proxy: MongoProxy) -> None:
    clip = a_clip()
    proxy.fail("insert", DROP_AFTER)
    proxy.meanwhile = lambda: assert_true(records.direct.commit(claimed(clip)))
    assert records.proxied.put_clip(clip)
    proxy.fail("update", DROP_AFTER)
    given_back = claimed(clip).given_back(RecordsUnavailableError(), attempt=1, now=T0)
    proxy.meanwhile = lambda: assert_true(records.direct.commit(claimed(given_back)))
    assert records.proxied.commit(given_back)
    assert claimed(given_back) == records.direct.get_clip("wave")
    assert records.events() == ["wave.1", "wave.2", "wave.3", "wave.4"]


def test_changes_by_others_meanwhile_do_not_count(records: ProxiedRecords, proxy: MongoProxy) -> None:
    clip = a_clip()
    proxy.fail("insert", DROP)
    proxy.meanwhile = lambda: assert_true(records.direct.put_clip(clip))
    assert not records.proxied.put_clip(clip), "the very same clip, but not ours"
    proxy.fail("update", DROP)
    proxy.meanwhile = lambda: assert_true(records.direct.commit(claimed(clip)))
    assert not records.proxied.commit(claimed(clip)), "the very same change, but not ours"
    assert records.events() == ["wave.1", "wave.2"]


def assert_true(value: bool) -> None:  # noqa: FBT001 - a lambda cannot assert
    assert value


# --- every single step, broken in every way ----------------------------------------------------------


def steps(records: MongoRecords) -> list[Callable[[], object]]:
    """A clip's whole way."""
    clip = a_clip()
    done = finished(claimed(clip))
    return [
        lambda: records.put_clip(clip),
        lambda: records.mark_announced(["wave.1"]),
        lambda: records.commit(claimed(clip)),
        lambda: records.beat("wave", 1, lease_until=T0 + 2 * LEASE, progress=Progress(frames=7)),
        records.unannounced,
        lambda: records.mark_announced(["wave.2"]),
        lambda: records.commit(done),
    ]


def commands_on_the_way(records: ProxiedRecords, proxy: MongoProxy) -> int:
    before = len(proxy.seen)
    for step in steps(records.proxied):
        step()
    return len(proxy.seen) - before


@pytest.mark.parametrize("fault", [*FAULTS, STEPPED_DOWN])
def test_one_broken_connection_anywhere_on_a_clips_way_changes_nothing(
    server: MongoServer, proxy: MongoProxy, fault: str
) -> None:
    whole = ProxiedRecords(server, proxy)
    count = commands_on_the_way(whole, proxy)
    assert count >= 20
    for number in range(count):
        records = ProxiedRecords(server, proxy)
        proxy.fail_nth(number, fault)
        for step in steps(records.proxied):
            assert step() is not False
        proxy.plan = lambda _command: PASS
        assert [event.id for event in records.direct.unannounced()] == ["wave.3"], number
        assert records.events() == ["wave.1", "wave.2", "wave.3"], number
        assert finished(claimed(a_clip())) == records.direct.get_clip("wave")
        records.proxied.close()
        records.direct.close()
    whole.proxied.close()
    whole.direct.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_worker_that_dies_anywhere_leaves_a_clip_with_all_its_events(
    server: MongoServer, proxy: MongoProxy, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """One command does not get through, and there is no further one."""
    monkeypatch.setattr(client, "_PAUSES", ())
    for number in range(24):
        records = ProxiedRecords(server, proxy)
        left = [number]

        def plan(_command: str, left: list[int] = left) -> str:
            left[0] -= 1
            return PASS if left[0] >= 0 else fault if left[0] == -1 else DROP

        proxy.plan = plan
        for step in steps(records.proxied):
            try:
                step()
            except CutbackError:
                break
        proxy.plan = lambda _command: PASS
        left_over = [event.id for event in records.direct.unannounced()]
        clip = records.direct.get_clip("wave")
        revisions = [f"wave.{revision}" for revision in range(1, clip.revision + 1)] if clip else []
        assert records.events() == revisions, number
        assert set(left_over) <= set(revisions)
        records.proxied.close()
        records.direct.close()


# --- no answer at all -----------------------------------------------------------------------------


def test_a_server_that_is_away_is_named_in_time() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"mongodb://127.0.0.1:{nobody.getsockname()[1]}/away"
        with pytest.raises(RecordsUnavailableError, match="did not answer in time"):
            MongoRecords(Mongo(url, patience=timedelta(seconds=0.2)))
