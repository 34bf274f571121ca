"""Stores at a distance: which requests a clip costs, and how long they take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.far_store import Answered, Distance, FarStore, far_store
from tests.support.waiting import eventually

from cutback.domain.errors import ObjectExistsError, SourceChangedError
from cutback.storage.store import MIB, Store

NEAR = Distance(round_trip=0, bandwidth=1e12, handshake=0)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarStore]:
    (tmp_path / "clips").mkdir()
    with far_store(tmp_path, NEAR) as far:
        yield far


def open_store(far: FarStore) -> Store:
    return Store.open("s3://clips", options=far.options() | {"max_retries": "0"})


@pytest.fixture
def store(far: FarStore) -> Store:
    return open_store(far)


def answered(far: FarStore, count: int) -> list[Answered]:
    """The next requests; a request is noted a little after its answer has arrived."""
    found: list[Answered] = []

    def are_noted() -> bool:
        found.extend(far.taken())
        return len(found) >= count

    eventually(are_noted)
    return found


@pytest.mark.parametrize("size", [5, 33 * MIB])
def test_the_far_store_keeps_what_is_put_and_never_overwrites_it(store: Store, size: int) -> None:
    data = os.urandom(size)
    info = store.put("a/b.mp4", [data], size=size)
    assert store.read_range("a/b.mp4", info.etag, 1, 3) == data[1:4]
    assert store.get_bytes("a/b.mp4", size) == data
    with pytest.raises(ObjectExistsError):
        store.put("a/b.mp4", [data], size=size)
    store.put("a/b.mp4", [b"other"], if_absent=False)
    with pytest.raises(SourceChangedError):
        store.read_range("a/b.mp4", info.etag, 1, 3)
    assert [each.size for each in store.list("a")] == [5]
    assert store.delete_prefix("a") == 1


def test_a_clip_of_some_megabytes_is_stored_with_one_request(store: Store, far: FarStore) -> None:
    stored = store.put("a", [bytes(20 * MIB)], size=20 * MIB)
    assert stored.etag == store.head("a").etag
    assert [each.action for each in answered(far, 2)] == ["put", "head"]


def test_a_request_to_the_far_store_takes_a_round_trip_and_its_bytes_their_time(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "x").write_bytes(bytes(4 * MIB))
    with far_store(tmp_path, Distance(round_trip=0.02, bandwidth=80e6, handshake=2)) as far:
        store = open_store(far)
        began = time.monotonic()
        info = store.head("x")
        assert time.monotonic() - began >= 0.06, "two round trips for the connection, one for the request"
        store.read_range("x", info.etag, 0, 4 * MIB)
        head, get = answered(far, 2)
        assert (head.action, get.action, get.size, get.connection) == ("head", "get", 4 * MIB, head.connection)
        assert get.ended - get.began >= 0.02 + 4 * MIB / 80e6
