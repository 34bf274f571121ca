"""What every Cache must do. Subclass `CacheContract`, give it a `cache` fixture, and it is tested."""

from __future__ import annotations

import pytest
from tests.contract.racing import in_threads

from cutback.ports import Cache


class CacheContract:
    """The suite. `cache` is a fixture that gives a fresh, empty Cache with room for a megabyte."""

    def test_there_is_nothing_before_it_was_set(self, cache: Cache) -> None:
        assert cache.get("key") is None

    @pytest.mark.parametrize("value", [b"", b"\x00\xff\r\n", b"x" * 100_000])
    def test_a_value_comes_back_as_it_was_set(self, cache: Cache, value: bytes) -> None:
        cache.set("key", value)
        assert value == cache.get("key")

    def test_a_new_value_takes_the_place_of_the_old(self, cache: Cache) -> None:
        cache.set("key", b"old")
        cache.set("key", b"new")
        assert cache.get("key") == b"new"

    @pytest.mark.parametrize("key", ["", "with space", "波\r\nget other", "k" * 2000, "\x00"])
    def test_every_key_is_distinct(self, cache: Cache, key: str) -> None:
        cache.set("other", b"other")
        cache.set(key, b"value")
        assert (cache.get(key), cache.get("other"), cache.get(key + "x")) == (b"value", b"other", None)

    def test_a_value_without_room_is_forgotten_and_so_is_the_one_before_it(self, cache: Cache) -> None:
        cache.set("key", b"old")
        cache.set("key", b"x" * 10_000_000)
        assert cache.get("key") is None

    def test_a_counter_differs_after_every_change(self, cache: Cache) -> None:
        seen = [cache.count("news")]
        for _ in range(5):
            cache.bump("news")
            seen.append(cache.count("news"))
        assert seen[0] is None
        assert len(set(seen)) == 6

    def test_counters_and_values_do_not_share_names(self, cache: Cache) -> None:
        cache.set("news", b"7")
        cache.bump("other")
        assert (cache.count("news"), cache.get("other"), cache.get("news")) == (None, None, b"7")

    def test_no_change_of_a_counter_is_lost_between_threads(self, cache: Cache) -> None:
        cache.bump("news")
        before = cache.count("news")

        def bump(_: int) -> None:
            for _turn in range(50):
                cache.bump("news")

        in_threads(6, bump)
        assert before is not None
        assert cache.count("news") == before + 300

    def test_threads_never_see_a_value_of_another_key(self, cache: Cache) -> None:
        def use(number: int) -> bool:
            value = bytes([number]) * 20_000
            for turn in range(200):
                cache.set(f"{number}-{turn % 10}", value)
                if cache.get(f"{number}-{(turn + 5) % 10}") not in {None, value}:
                    return False
            return True

        assert all(in_threads(6, use))
