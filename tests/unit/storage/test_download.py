"""A streamed range is taken up again where its connection breaks, and is whole or an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cutback.domain.errors import SourceChangedError, StorageUnavailableError
from cutback.storage.download import streamed

DATA = bytes(range(256)) * 40


class Answer:
    def __init__(self, data: bytes, breaks_after: int | None) -> None:
        self._data, self._breaks_after = data, breaks_after

    def stream(self, *, min_chunk_size: int) -> Iterator[bytes]:
        assert min_chunk_size > 0
        for at in range(0, len(self._data), 1000):
            if self._breaks_after is not None and at >= self._breaks_after:
                raise OSError("the connection is gone")
            yield self._data[at : at + 1000]


class Objects:
    """An object store whose answers break off after so many bytes each."""

    def __init__(self, data: bytes, *breaks: int | None) -> None:
        self.data, self.breaks = data, list(breaks)
        self.asked: list[tuple[int, int]] = []

    def get(self, key: str, *, options: Any) -> Answer:
        assert (key, options["if_match"]) == ("r.mp4", "v1")
        start, end = options["range"]
        self.asked.append((start, end))
        return Answer(self.data[start:end], self.breaks.pop(0) if self.breaks else None)


def read(objects: Objects, start: int, end: int) -> bytes:
    return b"".join(streamed(objects, "r.mp4", "v1", start, end))  # type: ignore[arg-type]


def test_a_range_comes_over_one_request() -> None:
    objects = Objects(DATA)
    assert read(objects, 100, 9000) == DATA[100:9000]
    assert objects.asked == [(100, 9000)]


def test_a_broken_download_resumes_where_it_broke() -> None:
    objects = Objects(DATA, 3000, 2000, 0)
    assert read(objects, 100, 9000) == DATA[100:9000]
    assert objects.asked == [(100, 9000), (3100, 9000), (5100, 9000), (5100, 9000)]


def test_a_store_that_never_answers_is_unavailable() -> None:
    objects = Objects(DATA, *[0] * 20)
    with pytest.raises(StorageUnavailableError):
        read(objects, 0, 9000)
    assert len(objects.asked) == 4


def test_an_object_that_ends_before_the_range_has_changed() -> None:
    with pytest.raises(SourceChangedError):
        read(Objects(DATA[:5000]), 0, 9000)
