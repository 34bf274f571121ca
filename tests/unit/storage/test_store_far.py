"""Stores at a distance: which requests a clip costs, and how long they take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bench.far_store import Answered, Distance, FarStore, far_store
from tests.support.waiting import eventually

from cutback.adapters.aws.multipart import S3Multipart
from cutback.domain.errors import ObjectExistsError, SourceChangedError
from cutback.storage.multipart import SMALLEST_PART, Part
from cutback.storage.store import MIB, Store

NEAR = Distance(round_trip=0, bandwidth=1e12, handshake=0)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarStore]:
    (tmp_path / "clips").mkdir()
    with far_store(tmp_path, NEAR) as far:
        yield far


def open_store(far: FarStore) -> Store:
    return Store.open("s3://clips", options=far.options() | {"max_retries": "0"})


def open_assembling(far: FarStore) -> Store:
    return Store.open("s3://clips", options=far.options(), uploads=S3Multipart("s3://clips", far.options()))


@pytest.fixture(params=[open_store, open_assembling])
def store(request: pytest.FixtureRequest, far: FarStore) -> Iterator[Store]:
    opened: Store = request.param(far)
    yield opened
    opened.close()


@pytest.fixture
def assembling(far: FarStore) -> Iterator[Store]:
    opened = open_assembling(far)
    yield opened
    opened.close()


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


# --- objects made of parts -------------------------------------------------------------------------


def test_a_large_clip_is_stored_without_being_copied_or_asked_for_again(assembling: Store, far: FarStore) -> None:
    data = os.urandom(33 * MIB)
    stored = assembling.put("a/clip.mp4", [data], size=len(data))
    assert stored.etag == assembling.head("a/clip.mp4").etag
    assert assembling.get_bytes("a/clip.mp4", len(data)) == data
    actions = [each.action for each in answered(far, 9)]
    assert sorted(actions[:7]) == ["complete", "create_upload", *["put_part"] * 5]
    assert actions[6] == "complete"


def test_a_store_that_takes_no_condition_has_the_key_reserved_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    with far_store(tmp_path, NEAR, takes_conditions=False) as far:
        store = open_assembling(far)
        data = os.urandom(33 * MIB)
        store.put("x", [data], size=len(data))
        with pytest.raises(ObjectExistsError):
            store.put("x", [bytes(len(data))], size=len(data))
        assert store.get_bytes("x", len(data)) == data
        assert list((tmp_path / ".uploads").iterdir()) == []
        store.close()


def test_of_two_writers_of_a_large_clip_one_is_refused(assembling: Store, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        written = [threads.submit(assembling.put, "x", [bytes([n]) * (33 * MIB)]) for n in (1, 2)]
    errors = [each.exception() for each in written]
    assert [type(error) for error in errors if error] == [ObjectExistsError]
    winner = errors.index(None) + 1
    assert set(assembling.get_bytes("x", 33 * MIB)) == {winner}
    assert list((tmp_path / ".uploads").iterdir()) == []


def recording(store: Store) -> tuple[bytes, str]:
    data = os.urandom(3 * SMALLEST_PART)
    return data, store.put("day.mp4", [data]).etag


def test_the_store_copies_ranges_of_a_recording_itself(assembling: Store, far: FarStore) -> None:
    data, etag = recording(assembling)
    head, tail = os.urandom(SMALLEST_PART), b"end"
    parts: list[Part] = [head, assembling.range_of("day.mp4", etag, 7, 2 * SMALLEST_PART), tail]
    size = len(head) + 2 * SMALLEST_PART + len(tail)
    answered(far, 1)
    made = assembling.assemble("wave/clip.mp4", parts, size=size)
    assert made is not None
    assert assembling.head("wave/clip.mp4").etag == made.etag
    moved = sum(each.size for each in answered(far, 6))
    assert assembling.get_bytes("wave/clip.mp4", size) == head + data[7 : 7 + 2 * SMALLEST_PART] + tail
    assert moved < len(head) + 10_000


def test_a_recording_that_changed_or_vanished_is_not_copied(assembling: Store, tmp_path: Path) -> None:
    _, etag = recording(assembling)
    wanted = assembling.range_of("day.mp4", etag, 0, SMALLEST_PART)
    assembling.put("day.mp4", [bytes(3 * SMALLEST_PART)], if_absent=False)
    with pytest.raises(SourceChangedError):
        assembling.assemble("x", [wanted], size=SMALLEST_PART)
    assembling.delete("day.mp4")
    with pytest.raises(SourceChangedError):
        assembling.assemble("x", [wanted], size=SMALLEST_PART)
    assert [each.key for each in assembling.list()] == []
    assert list((tmp_path / ".uploads").iterdir()) == []


def test_a_store_that_copies_too_much_is_found_out(assembling: Store) -> None:
    _, etag = recording(assembling)
    wanted = assembling.range_of("day.mp4", etag, 0, SMALLEST_PART)
    assert assembling.assemble("x", [wanted], size=SMALLEST_PART - 1) is None
    assert [each.key for each in assembling.list()] == ["day.mp4"]


def test_an_error_of_the_parts_leaves_nothing(assembling: Store, tmp_path: Path) -> None:
    def parts() -> Iterator[Part]:
        yield bytes(SMALLEST_PART)
        raise OSError("theirs")

    with pytest.raises(OSError, match="theirs"):
        assembling.assemble("x", parts(), size=SMALLEST_PART)
    assert [each.key for each in assembling.list()] == []
    assert list((tmp_path / ".uploads").iterdir()) == []
