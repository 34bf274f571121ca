"""A memcached node that hangs only makes the cache slow: over real sockets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import pytest
from tests.support.memcached import Memcached
from tests.support.stalling_node import StallingNode
from tests.support.waiting import Stopwatch, eventually

from cutback.adapters import cache_memcached
from cutback.adapters.cache_memcached import PART_BYTES, MemcachedCache

ANSWER = 0.1
WHOLE = 0.4
BEGUN = b"VALUE %s 0 5000\r\n" % cache_memcached._name("key").encode()


def get(cache: MemcachedCache) -> object:
    return cache.get("key")


def put(cache: MemcachedCache) -> None:
    cache.set("key", b"value")


def put_parts(cache: MemcachedCache) -> None:
    cache.set("key", b"x" * 5 * PART_BYTES)


def forget(cache: MemcachedCache) -> None:
    """What is too large is not put: the one before it is deleted."""
    cache.set("key", b"x" * 50 * PART_BYTES)


STALLS = [
    pytest.param(get, [], id="get, nothing"),
    pytest.param(get, [b"VAL"], id="get, half a word"),
    pytest.param(get, [BEGUN], id="get, a value's head"),
    pytest.param(get, [BEGUN, b"x" * 2500], id="get, half a value"),
    pytest.param(get, [BEGUN, b"x" * 5000 + b"\r\n"], id="get, a value without an end"),
    pytest.param(get, itertools.chain([BEGUN], itertools.repeat(b"x")), id="get, a value that trickles and never ends"),
    pytest.param(get, itertools.repeat(b"V"), id="get, a word that never ends"),
    pytest.param(put, [], id="set, nothing"),
    pytest.param(put, [b"STO"], id="set, half a word"),
    pytest.param(put, itertools.repeat(b"S"), id="set, a word that never ends"),
    pytest.param(put_parts, [], id="set in parts, nothing"),
    pytest.param(put_parts, None, id="set in parts, not even taken"),
    pytest.param(put_parts, itertools.repeat(b"S"), id="set in parts, a word that never ends"),
    pytest.param(forget, [], id="delete, nothing"),
    pytest.param(forget, [b"DELE"], id="delete, half a word"),
    pytest.param(forget, itertools.repeat(b"D"), id="delete, a word that never ends"),
]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_memcached, "ANSWER_SECONDS", ANSWER)
    monkeypatch.setattr(cache_memcached, "WHOLE_SECONDS", WHOLE)


@pytest.fixture
def node() -> Iterator[Callable[..., StallingNode]]:
    nodes: list[StallingNode] = []

    def start(*arguments: object, **options: bool) -> StallingNode:
        nodes.append(StallingNode(*arguments, **options))  # type: ignore[arg-type]
        return nodes[-1]

    yield start
    for each in nodes:
        each.close()


@pytest.mark.parametrize(("use", "pieces"), STALLS)
def test_a_node_that_hangs_midway_is_waited_for_once_and_then_left_alone(
    node: Callable[..., StallingNode], use: Callable[[MemcachedCache], object], pieces: Iterable[bytes] | None
) -> None:
    stalling = node(pieces or (), listens=pieces is not None)
    with closing(MemcachedCache([stalling.node])) as cache:
        watch = Stopwatch()
        assert use(cache) is None
        assert watch.seconds() < 10, "what is set is less than a second"
        for again in (get, put, put_parts, forget):
            assert again(cache) is None
    assert len(stalling.connections) == 1


def test_other_nodes_take_over_from_a_node_that_hangs(node: Callable[..., StallingNode]) -> None:
    stalling, healthy = node([b"VAL"]), Memcached()
    try:
        with closing(MemcachedCache([stalling.node, healthy.node])) as cache:
            keys = [f"key {number}" for number in range(30)]
            for _ in range(2):
                for key in keys:
                    cache.set(key, key.encode())
            assert [cache.get(key) for key in keys] == [key.encode() for key in keys]
    finally:
        healthy.kill()
    assert len(stalling.connections) == 1


def test_a_node_that_hung_is_asked_again_after_a_while(
    node: Callable[..., StallingNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_memcached, "DEAD_SECONDS", 0.5)
    stalling = node([b"VAL"])
    with closing(MemcachedCache([stalling.node])) as cache:
        assert cache.get("key") is None

        def asked_again() -> bool:
            assert cache.get("key") is None
            return len(stalling.connections) >= 2

        eventually(asked_again, "a second connection")


def test_a_large_value_that_arrives_too_slowly_is_abandoned(fresh: Memcached, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(MemcachedCache([fresh.node])) as cache:
        cache.set("key", b"x" * 3 * PART_BYTES)
        assert cache.get("key") is not None
        monkeypatch.setattr(cache_memcached, "VALUE_SECONDS", -1)
        assert cache.get("key") is None
        cache.set("key", b"x" * 3 * PART_BYTES)
        monkeypatch.undo()
        assert cache.get("key") is None, "it was not put"


@pytest.fixture
def fresh() -> Iterator[Memcached]:
    memcached = Memcached()
    yield memcached
    memcached.kill()
