"""MemoryCache: the cache contract, and what only this one promises."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.contract.cache_contract import CacheContract

from cutback.adapters.cache_memory import MemoryCache


class TestMemoryCache(CacheContract):
    """All of the contract."""

    @pytest.fixture
    def cache(self) -> MemoryCache:
        return MemoryCache(max_bytes=1_000_000)


def test_the_longest_unused_value_makes_room() -> None:
    cache = MemoryCache(max_bytes=3_000)
    for key in "abc":
        cache.set(key, b"x" * 700)
    assert cache.get("a") is not None
    cache.set("d", b"x" * 700)
    assert [key for key in "abcd" if cache.get(key) is not None] == ["a", "c", "d"]


def test_replacing_and_refusing_values_frees_their_room() -> None:
    cache = MemoryCache(max_bytes=3_000)
    cache.set("kept", b"x" * 700)
    for _ in range(50):
        cache.set("key", b"x" * 700)
        cache.set("key", b"x" * 5_000)
    cache.set("key", b"x" * 700)
    assert cache.get("kept") is not None
    assert cache.get("key") is not None


def test_small_values_do_not_fill_the_memory() -> None:
    cache = MemoryCache(max_bytes=10_000)
    for number in range(1_000):
        cache.set(str(number), b"")
    assert sum(cache.get(str(number)) is not None for number in range(1_000)) < 50


def test_a_value_is_kept_for_its_time_only() -> None:
    now = [0.0]
    cache = MemoryCache(keep=timedelta(seconds=10), clock=lambda: now[0])
    cache.set("key", b"value")
    now[0] = 9.9
    assert cache.get("key") == b"value"
    now[0] = 10.0
    assert cache.get("key") is None
