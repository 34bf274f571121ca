"""Appending to a recording does not affect its readers; every other change is detected."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from cutback.adapters.cache_memory import MemoryCache
from cutback.domain.errors import RecordingGrewError, SourceChangedError
from cutback.reading.index_cache import RememberingReader
from cutback.reading.range_reader import RangeReader
from cutback.storage.store import MIB, Store

BEFORE = bytes(range(256)) * (2 * MIB // 256)
MORE = b"more" * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    (tmp_path / "r.mp4").write_bytes(BEFORE)
    return Store.open(str(tmp_path))


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(MORE)


def replace(path: Path) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(BEFORE + MORE)
    beside.replace(path)


def put_the_index_first(path: Path) -> None:
    path.write_bytes(b"index" + BEFORE)


def mend_the_header(path: Path) -> None:
    append(path)
    with path.open("r+b") as file:
        file.seek(4)
        file.write(b"size")


def rewrite_the_end(path: Path) -> None:
    append(path)
    with path.open("r+b") as file:
        file.seek(len(BEFORE) - 10)
        file.write(b"otherwise!")


def shorten(path: Path) -> None:
    os.truncate(path, MIB)


def test_reads_of_a_recording_continue_while_it_grows(folder: Store) -> None:
    path = Path(folder.url_for("r.mp4"))
    with RangeReader.open(folder, "r.mp4", stopped=lambda: False) as reader:
        for offset in range(0, len(BEFORE), MIB // 2):
            append(path)
            assert reader.read_at(offset, 1000) == BEFORE[offset : offset + 1000]
        assert b"".join(reader.stream(0, 2 * len(BEFORE))) == BEFORE
        assert reader.read_at(len(BEFORE), 10) == b"", "what was written afterwards is not part of it"


@pytest.mark.parametrize("change", [replace, put_the_index_first, mend_the_header, rewrite_the_end])
def test_a_longer_recording_that_does_not_begin_as_this_one_is_worth_another_try(
    folder: Store, change: Callable[[Path], None]
) -> None:
    with RangeReader.open(folder, "r.mp4") as reader:
        reader.read_at(0, 100)
        reader.read_at(len(BEFORE) - 100, 100)
        change(Path(folder.url_for("r.mp4")))
        with pytest.raises(RecordingGrewError) as caught:
            reader.read_at(MIB, 10)
    assert caught.value.transient


def test_a_shorter_recording_is_another_one(folder: Store) -> None:
    with RangeReader.open(folder, "r.mp4") as reader:
        reader.read_at(0, 100)
        shorten(Path(folder.url_for("r.mp4")))
        with pytest.raises(SourceChangedError) as caught:
            reader.read_at(MIB // 2, 10)
    assert not caught.value.transient


def test_an_index_from_memory_counts_as_read(folder: Store) -> None:
    cache = MemoryCache()
    for changed in (False, True):
        reader = RememberingReader(RangeReader.open(folder, "r.mp4"), cache)
        assert reader.read_index(0, 100) == BEFORE[:100]
        if changed:
            mend_the_header(Path(folder.url_for("r.mp4")))
            with pytest.raises(RecordingGrewError):
                reader.read_at(MIB, 10)
        reader.close()


def test_where_objects_are_replaced_as_a_whole_the_longer_one_is_worth_another_try() -> None:
    store = Store("memory", MemoryStore(), None)
    store.put("r.mp4", [BEFORE])
    with RangeReader.open(store, "r.mp4") as reader:
        store.put("r.mp4", [BEFORE + MORE], if_absent=False)
        with pytest.raises(RecordingGrewError):
            reader.read_at(0, 10)
    with RangeReader.open(store, "r.mp4") as reader:
        store.put("r.mp4", [BEFORE], if_absent=False)
        with pytest.raises(SourceChangedError) as caught:
            reader.read_at(0, 10)
    assert caught.value.reason == "source_changed"
