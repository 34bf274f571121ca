"""MemcachedCache: the cache contract over real connections, several nodes, and nodes that die."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from tests.contract.cache_contract import CacheContract
from tests.support.memcached import Memcached
from tests.support.waiting import PATIENCE

from cutback.adapters import cache_memcached
from cutback.adapters.cache_memcached import PART_BYTES, MemcachedCache


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Memcached]]:
    running = [Memcached() for _ in range(3)]
    yield running
    for node in running:
        node.kill()


@pytest.fixture
def fresh(nodes: list[Memcached]) -> list[Memcached]:
    for node in nodes:
        assert node.ask(b"flush_all") == b"OK\r\n"
    return nodes


def over(*nodes: Memcached, **options: object) -> MemcachedCache:
    return MemcachedCache([node.node for node in nodes], **options)  # type: ignore[arg-type]


class TestOneNode(CacheContract):
    """All of the contract."""

    @pytest.fixture
    def cache(self, fresh: list[Memcached]) -> Iterator[MemcachedCache]:
        with closing(over(fresh[0], max_bytes=1_000_000)) as cache:
            yield cache


class TestThreeNodes(CacheContract):
    """All of the contract, with keys and parts spread over nodes."""

    @pytest.fixture
    def cache(self, fresh: list[Memcached]) -> Iterator[MemcachedCache]:
        with closing(over(*fresh, max_bytes=5_000_000)) as cache:
            yield cache


@pytest.mark.parametrize("size", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 12_345_678])
def test_a_value_too_large_for_one_item_is_joined_again(fresh: list[Memcached], size: int) -> None:
    value = os.urandom(size)
    with closing(over(*fresh)) as cache, closing(over(*reversed(fresh))) as other:
        cache.set("key", value)
        assert value == cache.get("key")
        assert value == other.get("key"), "another worker, whose settings list the nodes in another order"


def test_a_value_of_which_a_part_vanished_is_not_there(fresh: list[Memcached]) -> None:
    with closing(over(*fresh)) as cache:
        cache.set("key", os.urandom(3 * PART_BYTES))
        name = cache_memcached._name("key")
        digest = cache_memcached._HEADER.unpack_from(cache._client.get(name))[2]
        parts = cache_memcached._parts(name, digest, 3 * PART_BYTES)
        assert cache.get("key") is not None
        assert cache._client.delete(parts[1])
        assert cache.get("key") is None


@pytest.mark.parametrize("foreign", [b"", b"x", b"something else that is long enough to have a header"])
def test_another_value_under_the_same_key_is_not_used(fresh: list[Memcached], foreign: bytes) -> None:
    with closing(over(*fresh)) as cache:
        cache.set("key", b"value")
        cache._client.set(cache_memcached._name("key"), foreign)
        assert cache.get("key") is None


def test_a_damaged_value_is_not_used(fresh: list[Memcached]) -> None:
    with closing(over(fresh[0])) as cache:
        cache.set("key", b"value")
        name = cache_memcached._name("key")
        stored = cache._client.get(name)
        cache._client.set(name, stored[:-1] + b"X")
        assert cache.get("key") is None


def test_a_value_is_not_kept_for_longer_than_asked(fresh: list[Memcached]) -> None:
    with closing(over(fresh[0], keep=timedelta(seconds=77))) as cache:
        cache.set("key", b"value")
    told = fresh[0].ask(b"mg " + cache_memcached._name("key").encode() + b" t")
    assert 70 <= int(told.split(b"t")[1].split(b"\r")[0]) <= 77


def test_a_dead_node_takes_only_its_own_keys_along_and_the_others_take_over(fresh: list[Memcached]) -> None:
    keys = [f"key {number}" for number in range(60)]
    with closing(over(*fresh)) as cache:
        for key in keys:
            cache.set(key, key.encode())
        fresh[1].kill()
        try:
            left = [key for key in keys if cache.get(key) == key.encode()]
            assert 20 <= len(left) < 60
            for key in keys:
                cache.set(key, b"again")
            assert [cache.get(key) for key in keys] == [b"again"] * 60
        finally:
            fresh[1].start()


def test_without_any_node_there_is_nothing_and_no_error(nodes: list[Memcached]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with closing(MemcachedCache([nobody.getsockname()])) as cache:
            for _ in range(3):
                cache.set("key", b"value")
                cache.set("large", b"x" * (2 * PART_BYTES))
                assert cache.get("key") is None
                assert cache.get("large") is None


def test_a_node_that_never_answers_is_left_alone_after_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_memcached, "ANSWER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with closing(MemcachedCache([silent.getsockname()])) as cache:
            for _ in range(20):
                assert cache.get("key") is None
        silent.settimeout(10)
        asked = 0
        silent.accept()[0].close()
        silent.settimeout(0)
        while True:
            try:
                silent.accept()[0].close()
                asked += 1
            except BlockingIOError:
                break
        assert asked == 0, "it was asked again"


def test_a_node_that_sends_nonsense_does_no_harm() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, closing(MemcachedCache([server.getsockname()])) as cache:
        server.settimeout(10)

        def babble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        assert cache.get("key") is None
        thread.join(PATIENCE)
