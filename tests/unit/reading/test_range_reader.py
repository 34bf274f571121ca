"""The range reader asks for no more than it must, holds no more than it may, and never mixes versions."""

from __future__ import annotations

import io
import os
import random
import threading
import tracemalloc
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.waiting import PATIENCE

from cutback.cutting.source.source_file import SourceFile
from cutback.domain.byte_ranges import coalesced, split
from cutback.domain.errors import RecordingNotFoundError, SourceChangedError, StoppedError, StorageUnavailableError
from cutback.reading.range_reader import BLOCK, RangeReader
from cutback.storage.store import MIB, ObjectInfo, Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class CountingStore(Store):
    """Holds one object in memory and notes every request; may be told to hold its answers back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.ranges: list[tuple[int, int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)
        self.errors: list[Exception] = []

    @property
    def is_folder(self) -> bool:
        return False

    def head(self, key: str) -> ObjectInfo:
        return ObjectInfo(key, len(self.data), "v1", NOW)

    def read_range(self, key: str, etag: str, start: int, length: int) -> bytes:
        assert (key, etag) == ("r.mp4", "v1")
        assert length > 0
        assert start + length <= len(self.data)
        self.ranges.append((start, start + length))
        self.arrived.release()
        assert self.gate.wait(PATIENCE)
        if self.errors:
            raise self.errors.pop()
        return self.data[start : start + length]

    def stream_range(self, key: str, etag: str, start: int, length: int) -> Iterator[bytes]:
        assert (key, etag) == ("r.mp4", "v1")
        self.ranges.append((start, start + length))
        for at in range(start, start + length, 4 * MIB):
            self.arrived.release()
            assert self.gate.wait(PATIENCE)
            if self.errors:
                raise self.errors.pop()
            yield self.data[at : min(at + 4 * MIB, start + length)]

    @property
    def bytes_served(self) -> int:
        return sum(end - start for start, end in self.ranges)


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


FIFTY = content(50 * MIB)


def reader_of(store: Store, **options: Any) -> RangeReader:
    return RangeReader(store, store.head("r.mp4"), **options)


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "recordings"), create=True)


# --- how much is read ------------------------------------------------------------------------------


def test_a_sequential_scan_takes_few_requests_and_reads_each_byte_once() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        for start in range(0, len(FIFTY), 32 * 1024):
            assert reader.read_at(start, 32 * 1024) == FIFTY[start : start + 32 * 1024]
        assert reader.bytes_read == len(FIFTY) == store.bytes_served
        assert reader.requests == len(store.ranges) <= 24


def test_random_reads_fetch_only_the_blocks_they_touch() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        chance = random.Random(7)
        places = [n * 2_500_000 + chance.randrange(2_000_000) for n in range(20)]
        chance.shuffle(places)
        touched = set()
        for start in places:
            assert reader.read_at(start, 10_000) == FIFTY[start : start + 10_000]
            touched |= {start // BLOCK, (start + 9_999) // BLOCK}
        assert reader.bytes_read == store.bytes_served == len(touched) * BLOCK
        assert reader.requests == 20
        assert BLOCK * 4 == 256 * 1024  # twenty reads, straddling or not, stay below twenty times this


def test_a_short_sequential_reading_reads_ahead_no_more_than_it_has_read() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        for start in range(5 * MIB, 5 * MIB + 700_000, 10_000):
            reader.read_at(start, 10_000)
        assert reader.bytes_read <= 2 * 700_000 + 2 * BLOCK


def test_two_interleaved_sequences_are_each_read_ahead() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        for step in range(0, 8 * MIB, 64 * 1024):
            for base in (0, 30 * MIB):
                reader.read_at(base + step, 64 * 1024)
        assert reader.requests <= 30
        assert reader.bytes_read <= 2 * 8 * MIB + 2 * 12 * MIB


def test_reading_again_costs_nothing() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        first = reader.read_at(1_000_000, 100_000)
        before = len(store.ranges)
        assert reader.read_at(1_000_000, 100_000) == first
        assert reader.read_at(1_050_000, 10) == first[50_000:50_010]
        assert len(store.ranges) == before


def test_read_ahead_is_under_way_before_it_is_needed() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        asked = 0
        while not any(start >= asked + MIB // 2 for start, _ in store.ranges) and asked < 20 * MIB:
            reader.read_at(asked, 64 * 1024)
            asked += 64 * 1024
        assert asked < 20 * MIB


def test_the_end_of_the_recording_ends_a_read() -> None:
    store = CountingStore(content(100_000))
    with reader_of(store) as reader:
        assert reader.read_at(99_990, 50) == store.data[-10:]
        assert reader.read_at(100_000, 50) == b""
        assert reader.read_at(200_000, 50) == b""
        assert reader.read_at(0, 0) == b""
        with pytest.raises(ValueError, match="negative"):
            reader.read_at(-1, 5)
    empty = CountingStore(b"")
    with reader_of(empty) as reader:
        assert reader.read_at(0, 10) == b""
        assert list(reader.stream(0, 10)) == []
    assert empty.ranges == []


# --- announced ranges ------------------------------------------------------------------------------


def test_announced_ranges_are_fetched_exactly_and_at_once() -> None:
    store = CountingStore(FIFTY)
    store.gate.clear()
    ranges = [(1_000_003, 5_001), (7_000_001, 100), (20_000_000, 70_000), (30_000_000, 1)]
    with reader_of(store) as reader:
        reader.prefetch(ranges)
        for _ in ranges:
            assert store.arrived.acquire(timeout=PATIENCE)  # all four under way though none was answered
        store.gate.set()
        for start, length in reversed(ranges):
            assert reader.read_at(start, length) == FIFTY[start : start + length]
        assert sorted(store.ranges) == [(start, start + length) for start, length in ranges]
        assert reader.bytes_read == sum(length for _, length in ranges)


def test_close_announced_ranges_are_fetched_together() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        reader.prefetch([(1000 * n, 900) for n in range(50)])
        for n in range(50):
            reader.read_at(1000 * n, 900)
        assert store.ranges == [(0, 49_900)]


def test_more_announced_than_memory_follows_as_it_is_read() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store, memory=16 * MIB) as reader:
        reader.prefetch([(0, 40 * MIB)])
        most = 0
        for start in range(0, 40 * MIB, 256 * 1024):
            assert reader.read_at(start, 256 * 1024) == FIFTY[start : start + 256 * 1024]
            most = max(most, reader.held)
        assert most <= 16 * MIB
        assert reader.bytes_read == 40 * MIB
        assert reader.requests == 5


def test_announced_ranges_that_are_never_read_do_not_block_other_reads() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store, memory=16 * MIB) as reader:
        reader.prefetch([(0, 30 * MIB)])
        for start in range(32 * MIB, 48 * MIB, MIB):
            assert reader.read_at(start, 1000) == FIFTY[start : start + 1000]
        assert reader.held <= 16 * MIB


def test_a_buffer_that_reads_past_an_announced_range_does_not_start_read_ahead() -> None:
    store = CountingStore(FIFTY)
    ranges = [(n * MIB, 200_000) for n in range(20)]
    with reader_of(store) as reader:
        reader.prefetch(ranges)
        for start, length in ranges:
            for at in range(start, start + length, 32 * 1024):
                reader.read_at(at, 32 * 1024)
        assert reader.bytes_read <= 20 * (200_000 + 2 * BLOCK)


def test_an_error_of_an_announced_range_shows_when_it_is_read_and_the_next_read_tries_again() -> None:
    store = CountingStore(FIFTY)
    store.errors.append(StorageUnavailableError("r.mp4"))
    with reader_of(store) as reader:
        reader.prefetch([(0, 1000)])
        with pytest.raises(StorageUnavailableError):
            reader.read_at(0, 1000)
        assert reader.read_at(0, 1000) == FIFTY[:1000]


# --- read ahead of a copy --------------------------------------------------------------------------


def test_what_will_be_copied_is_read_meanwhile_with_one_request() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        reader.read_ahead(1000, 20 * MIB)
        for _ in range(5):
            assert store.arrived.acquire(timeout=PATIENCE)  # all of it comes though nothing was read
        assert reader.read_at(3 * MIB, 10) == FIFTY[3 * MIB : 3 * MIB + 10]
        assert b"".join(reader.stream(1000, 20 * MIB)) == FIFTY[1000 : 1000 + 20 * MIB]
        assert store.ranges == [(1000, 1000 + 20 * MIB)]
        assert (reader.requests, reader.bytes_read) == (1, 20 * MIB)
        assert reader.held == 0


def test_a_copy_is_read_ahead_only_as_far_as_there_is_memory_and_each_byte_once() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store, memory=16 * MIB) as reader:
        reader.prefetch([(MIB, 100_000)])
        reader.read_ahead(0, 40 * MIB)
        reader.read_ahead(0, 40 * MIB)
        reader.prefetch([(45 * MIB, 100_000)])
        assert reader.read_at(45 * MIB, 100_000) == FIFTY[45 * MIB : 45 * MIB + 100_000]
        assert reader.held <= 12 * MIB + 200_000
        assert b"".join(reader.stream(0, 40 * MIB)) == FIFTY[: 40 * MIB]
        assert reader.bytes_read == store.bytes_served == 40 * MIB + 100_000


def test_an_error_while_reading_ahead_shows_when_it_is_copied_and_the_next_reading_tries_again() -> None:
    store = CountingStore(FIFTY)
    store.errors.append(StorageUnavailableError("r.mp4"))
    with reader_of(store) as reader:
        reader.read_ahead(0, 2 * MIB)
        with pytest.raises(StorageUnavailableError):
            b"".join(reader.stream(0, 2 * MIB))
        assert b"".join(reader.stream(0, 2 * MIB)) == FIFTY[: 2 * MIB]


def test_a_closed_reader_reads_no_further_ahead() -> None:
    store = CountingStore(FIFTY)
    store.gate.clear()
    reader = reader_of(store)
    reader.read_ahead(0, 24 * MIB)
    assert store.arrived.acquire(timeout=PATIENCE)
    reader.close()
    store.gate.set()
    reader._pool.shutdown(wait=True)
    assert reader.bytes_read <= 4 * MIB


def test_a_folder_is_not_read_ahead(folder: Store) -> None:
    folder.put("r.mp4", [SMALL])
    with reader_of(folder) as reader:
        reader.read_ahead(0, len(SMALL))
        assert (reader.requests, reader.held) == (0, 0)


# --- streams ---------------------------------------------------------------------------------------


def test_a_stream_reads_exactly_its_range_and_keeps_nothing() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        assert b"".join(reader.stream(3, 40 * MIB)) == FIFTY[3 : 3 + 40 * MIB]
        assert reader.bytes_read == store.bytes_served == 40 * MIB
        assert reader.requests <= 6
        assert reader.held == 0
        assert b"".join(reader.stream(len(FIFTY) - 5, 100)) == FIFTY[-5:]


def test_a_stream_fetches_the_next_chunk_meanwhile() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        stream = cast("Generator[bytes]", reader.stream(0, 40 * MIB))
        next(stream)
        for _ in range(2):
            assert store.arrived.acquire(timeout=PATIENCE)
        stream.close()
        assert store.ranges == [(0, 40 * MIB)], "in one request"


def test_a_large_read_passes_the_memory_by() -> None:
    store = CountingStore(FIFTY)
    with reader_of(store) as reader:
        assert reader.read_at(11, 30 * MIB) == FIFTY[11 : 11 + 30 * MIB]
        assert reader.held == 0
        assert reader.bytes_read == 30 * MIB


def test_memory_stays_bounded_over_a_large_recording(folder: Store) -> None:
    size = 200 * MIB
    folder.put("r.mp4", (FIFTY[:MIB] for _ in range(200)))
    with RangeReader.open(folder, "r.mp4") as reader:
        tracemalloc.start()
        try:
            for start in range(0, size, 256 * 1024):
                reader.read_at(start, 256 * 1024)
            assert sum(len(piece) for piece in reader.stream(0, size)) == size
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 60 * MIB
        # What the reads left in memory, and nothing else, was not fetched again.
        assert 2 * size - 40 * MIB <= reader.bytes_read < 2 * size


# --- versions and faults ---------------------------------------------------------------------------


def put(folder: Store, data: bytes) -> None:
    folder.put("r.mp4", [data], if_absent=False)


def test_opening_counts_as_a_request_and_pins_what_is_there(folder: Store) -> None:
    put(folder, b"12345")
    with RangeReader.open(folder, "r.mp4") as reader:
        assert (reader.size, reader.requests, reader.bytes_read) == (5, 1, 0)
        assert reader.info == folder.head("r.mp4")
        assert reader.read_at(0, 5) == b"12345"
        assert (reader.requests, reader.bytes_read) == (2, 5)


def test_a_recording_that_is_not_there_is_named() -> None:
    store = Store.open("/", create=False)
    with pytest.raises(RecordingNotFoundError, match=r"nowhere\.mp4"):
        RangeReader.open(store, "nowhere.mp4")


def replace(folder: Store, path: Path) -> None:
    put(folder, FIFTY[5 * MIB : 10 * MIB])


def rewrite_in_place(folder: Store, path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"changed")
    later = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(later, later))


def truncate(folder: Store, path: Path) -> None:
    os.truncate(path, 2 * MIB)


def by_reading(reader: RangeReader) -> None:
    reader.read_at(3 * MIB, 1000)


def by_announcing(reader: RangeReader) -> None:
    reader.prefetch([(3 * MIB, 1000)])
    reader.read_at(3 * MIB, 1000)


def by_streaming(reader: RangeReader) -> None:
    list(reader.stream(MIB, 4 * MIB))


@pytest.mark.parametrize("change", [replace, rewrite_in_place, truncate])
@pytest.mark.parametrize("read", [by_reading, by_announcing, by_streaming])
def test_a_changed_recording_is_detected(
    folder: Store, change: Callable[[Store, Path], None], read: Callable[[RangeReader], None]
) -> None:
    put(folder, FIFTY[: 5 * MIB])
    with RangeReader.open(folder, "r.mp4") as reader:
        assert reader.read_at(0, 1000) == FIFTY[:1000]
        change(folder, Path(folder.url_for("r.mp4")))
        with pytest.raises(SourceChangedError, match=r"r\.mp4"):
            read(reader)


def test_a_recording_that_vanishes_is_not_found(folder: Store) -> None:
    put(folder, FIFTY[: 5 * MIB])
    with RangeReader.open(folder, "r.mp4") as reader:
        folder.delete("r.mp4")
        with pytest.raises(RecordingNotFoundError):
            reader.read_at(3 * MIB, 1000)


def test_a_read_that_waits_ends_when_it_is_to_stop() -> None:
    store = CountingStore(FIFTY)
    store.gate.clear()
    stop = threading.Event()
    reader = reader_of(store, stopped=stop.is_set)
    caught: list[BaseException] = []

    def read() -> None:
        try:
            reader.read_at(0, 10)
        except StoppedError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert store.arrived.acquire(timeout=PATIENCE)
    stop.set()
    thread.join(PATIENCE)
    store.gate.set()
    assert not thread.is_alive()
    assert len(caught) == 1
    reader.close()


def test_a_closed_reader_refuses_to_read() -> None:
    reader = reader_of(CountingStore(FIFTY))
    reader.close()
    reader.close()
    with pytest.raises(RuntimeError):
        reader.read_at(0, 10)


def test_many_threads_read_right_and_are_counted_right() -> None:
    store = CountingStore(FIFTY)
    wrong: list[int] = []
    with reader_of(store, memory=8 * MIB) as reader:

        def read(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(60):
                start, length = chance.randrange(len(FIFTY)), chance.randrange(300_000)
                if reader.read_at(start, length) != FIFTY[start : start + length]:
                    wrong.append(start)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert wrong == []
        assert reader.requests == len(store.ranges)
        assert reader.bytes_read == store.bytes_served


SMALL = content(600_000)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["read", "announce", "ahead", "stream"]), st.integers(0, 650_000), st.integers(0, 200_000)
        ),
        max_size=25,
    )
)
def test_any_mixture_of_reads_gives_the_right_bytes(steps: list[tuple[str, int, int]]) -> None:
    with reader_of(CountingStore(SMALL), memory=256 * 1024) as reader:
        for what, start, length in steps:
            expected = SMALL[start : start + length]
            if what == "announce":
                reader.prefetch([(start, length), (start // 2, length // 3)])
            elif what == "ahead":
                reader.read_ahead(start, length)
            elif what == "read":
                assert reader.read_at(start, length) == expected
            else:
                assert b"".join(reader.stream(start, length)) == expected


# --- as a file -------------------------------------------------------------------------------------


def test_the_file_view_reads_and_seeks_like_a_file_and_has_no_name() -> None:
    data = content(200_000)
    with reader_of(CountingStore(data)) as reader:
        file = SourceFile(reader)
        assert not hasattr(file, "name")
        assert file.readable()
        assert file.seekable()
        assert not file.writable()
        model = io.BytesIO(data)
        chance = random.Random(1)
        for _ in range(200):
            whence = chance.choice([0, 1, 2])
            by = {0: chance.randrange(250_000), 1: chance.randrange(5000), 2: -chance.randrange(200_000)}[whence]
            assert file.seek(by, whence) == model.seek(by, whence) == file.tell()
            size = chance.randrange(40_000)
            assert file.read(size) == model.read(size)
        file.seek(199_000)
        assert file.read() == data[199_000:]
        file.seek(10)
        target = bytearray(20)
        assert file.readinto(target) == 20
        assert bytes(target) == data[10:30]
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)
        file.close()
        assert reader.read_at(0, 5) == data[:5]


# --- the arithmetic --------------------------------------------------------------------------------


def test_ranges_are_joined_where_they_touch_or_nearly_do() -> None:
    assert coalesced([(50, 60), (0, 10), (10, 20), (25, 30), (5, 8)], 5) == [(0, 30), (50, 60)]
    assert coalesced([], 5) == []


@given(st.integers(0, 100), st.integers(0, 1000), st.integers(1, 300))
def test_a_split_covers_its_range_in_parts_that_are_small_enough(start: int, length: int, most: int) -> None:
    parts = split(start, start + length, most)
    assert sum(end - begin for begin, end in parts) == length
    assert all(0 < end - begin <= most for begin, end in parts)
    assert [end for _, end in parts[:-1]] == [begin for begin, _ in parts[1:]]
