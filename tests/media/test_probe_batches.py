"""Many recordings are looked into by one child, and what is wrong with one of them is no other one's trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.media.cuts import BytesSource
from tests.support.media import cached_media
from tests.support.spec import MediaSpec

from cutback.cutting.job import ByteSource, Limits
from cutback.domain.errors import (
    CutbackError,
    MediaCrashedError,
    MediaTooLargeError,
    MediaUnreadableError,
    MediaUnsupportedError,
    SourceChangedError,
    StorageUnavailableError,
)
from cutback.sandbox import cutter
from cutback.sandbox.cutter import ChildCutter
from cutback.sandbox.start_child import Child, start_child

NEVER = bool


@pytest.fixture(scope="module")
def data(media_folder: Path) -> bytes:
    return cached_media(MediaSpec(frames=60), media_folder).read_bytes()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    """The children, as they are started."""
    children: list[Child] = []

    def counted(*, own_parser_only: bool = False) -> Child:
        children.append(start_child(own_parser_only=own_parser_only))
        return children[-1]

    monkeypatch.setattr(cutter, "start_child", counted)
    return children


@pytest.fixture
def prober(started: list[Child]) -> Iterator[ChildCutter]:
    with closing(ChildCutter(warm=False)) as made:
        yield made


def reasons(prober: ChildCutter, sources: Sequence[ByteSource], limits: Limits = Limits()) -> list[str]:  # noqa: B008
    answers = dict(prober.probe_all(sources, limits=limits, stopped=NEVER))
    found = [answers[number] for number in range(len(sources))]
    return [each.reason if isinstance(each, CutbackError) else "" for each in found]


class FailingSource(BytesSource):
    """Its store has something to say when it is read."""

    def __init__(self, data: bytes, error: CutbackError) -> None:
        super().__init__(data)
        self.error = error

    def read_at(self, offset: int, length: int) -> bytes:
        del offset, length
        raise self.error


class DeadlySource(BytesSource):
    """Whatever child reads it dies."""

    def __init__(self, data: bytes, started: list[Child]) -> None:
        super().__init__(data)
        self.started = started

    def read_at(self, offset: int, length: int) -> bytes:
        self.started[-1].process.kill()
        return super().read_at(offset, length)


def test_one_child_looks_into_all_mp4_and_finds_what_a_child_of_its_own_finds(
    prober: ChildCutter, started: list[Child], data: bytes
) -> None:
    sources = [BytesSource(data), BytesSource(data[:-100]), BytesSource(b""), BytesSource(data)]
    answers = dict(prober.probe_all(sources, limits=Limits(), stopped=NEVER))
    assert len(started) == 1
    alone = prober.probe(BytesSource(data), limits=Limits(), stopped=NEVER)
    assert answers[0] == alone == answers[3]
    for number in (1, 2):
        answer = answers[number]
        assert isinstance(answer, MediaUnreadableError)
        with pytest.raises(MediaUnreadableError) as caught:
            prober.probe(sources[number], limits=Limits(), stopped=NEVER)
        assert caught.value.message == answer.message


def test_what_is_no_mp4_is_left_to_one_child_more(
    prober: ChildCutter, started: list[Child], data: bytes, media_folder: Path
) -> None:
    stream = cached_media(MediaSpec(frames=60, suffix=".ts"), media_folder).read_bytes()
    sources = [BytesSource(stream), BytesSource(data), BytesSource(b"no video" * 100), BytesSource(stream)]
    answers = dict(prober.probe_all(sources, limits=Limits(), stopped=NEVER))
    assert len(started) == 2
    assert answers[0] == prober.probe(BytesSource(stream), limits=Limits(), stopped=NEVER) == answers[3]
    assert isinstance(answers[1], dict)
    assert isinstance(answers[2], MediaUnsupportedError)


def test_a_recording_that_kills_the_child_is_the_only_one_that_crashed(
    prober: ChildCutter, started: list[Child], data: bytes
) -> None:
    sources = [BytesSource(data), DeadlySource(data, started), BytesSource(data), DeadlySource(data, started)]
    assert reasons(prober, sources) == ["", MediaCrashedError.reason, "", MediaCrashedError.reason]


def test_a_recording_that_changes_or_exceeds_a_limit_is_the_only_one(prober: ChildCutter, data: bytes) -> None:
    sources = [FailingSource(data, SourceChangedError("a")), BytesSource(data)]
    assert reasons(prober, sources) == [SourceChangedError.reason, ""]
    assert reasons(prober, [BytesSource(b"no video"), BytesSource(data)], Limits(frames=3)) == [
        MediaUnsupportedError.reason,
        MediaTooLargeError.reason,
    ]


def test_a_store_that_does_not_answer_ends_the_batch(prober: ChildCutter, data: bytes) -> None:
    answers = prober.probe_all(
        [BytesSource(data), FailingSource(data, StorageUnavailableError()), BytesSource(data)],
        limits=Limits(), stopped=NEVER,
    )  # fmt: skip
    number, found = next(answers)
    assert (number, type(found)) == (0, dict)
    with pytest.raises(StorageUnavailableError):
        next(answers)
