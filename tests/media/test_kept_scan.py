"""A recording whose packets must all be read is read whole only once: the next job has its index from the cache."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from bench.warm_worker import LikeRemoteStore
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.media.cuts import BytesSource, KeepingSource, cut_ranges
from tests.media.recipes import RECIPES
from tests.media.recordings import ReferenceRecording
from tests.support.media import cached_media
from tests.support.spec import MediaSpec

from cutback.adapters.cache_memory import MemoryCache
from cutback.cutting.index import Track
from cutback.cutting.job import CutJob, CutRange, Limits
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.source.kept_scan import pack, unpack
from cutback.cutting.source.lavf import LavfSource
from cutback.cutting.spool import Spool
from cutback.reading.index_cache import RememberingReader
from cutback.reading.range_reader import RangeReader
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

SCANNED = [name for name, recipe in RECIPES.items() if recipe.spec.suffix in {".ts", ".mkv", ".webm"}]
WANTED = CutRange(0, Fraction(11, 10), Fraction(29, 10))


@pytest.mark.parametrize("name", SCANNED)
def test_a_clip_by_a_kept_index_is_the_same(name: str, recording: Recordings) -> None:
    data = recording(name).path.read_bytes()
    plain = cut_ranges([BytesSource(data)], [WANTED])
    first = KeepingSource(data)
    assert cut_ranges([first], [WANTED]).data == plain.data
    again = KeepingSource(data, first.kept)
    result = cut_ranges([again], [WANTED])
    assert result.data == plain.data
    assert result.facts.spans == plain.facts.spans
    assert (first.scans, again.scans) == (1, 0)


@pytest.mark.parametrize("name", SCANNED)
def test_an_index_comes_back_as_it_was(name: str, recording: Recordings) -> None:
    scanned = LavfSource(BytesSource(recording(name).path.read_bytes()), Limits())
    kept = unpack(pack(scanned.index, scanned._jumps), Limits())
    assert kept == (scanned.index, scanned._jumps)
    assert kept is not None
    assert [each.order for each in kept[0].tracks] == [each.order for each in scanned.index.tracks]


def test_what_the_cache_damaged_is_read_anew(recording: Recordings) -> None:
    data = recording("ts").path.read_bytes()
    plain = cut_ranges([BytesSource(data)], [WANTED])
    first = KeepingSource(data)
    cut_ranges([first], [WANTED])
    for kept in (
        b"?",
        first.kept[:-9],
        first.kept[: len(first.kept) // 2],
        first.kept.replace(b'"form": [1', b'"form": [0'),
    ):
        source = KeepingSource(data, kept)
        assert cut_ranges([source], [WANTED]).data == plain.data
        assert source.scans == 1, kept[:40]


@pytest.fixture(scope="module")
def kept(recording: Recordings) -> bytes:
    scanned = LavfSource(BytesSource(recording("ts").path.read_bytes()), Limits())
    return pack(scanned.index, scanned._jumps)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_no_damage_ends_in_another_error(kept: bytes, data: st.DataObject) -> None:
    packed = bytearray(kept)
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    found = unpack(bytes(packed[: data.draw(st.integers(0, len(packed)))]), Limits())
    assert found is None or isinstance(found, tuple)


def test_a_kept_index_of_too_many_samples_is_not_believed(kept: bytes) -> None:
    assert unpack(kept, Limits()) is not None
    assert unpack(kept, dataclasses.replace(Limits(), frames=10)) is None
    assert unpack(kept, dataclasses.replace(Limits(), duration=1)) is None


def test_what_is_copied_of_a_transport_stream_is_read_in_one_go(
    media_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some are read from their beginning for it, so a second time would cost as much again."""
    path = cached_media(MediaSpec(frames=1300, gop=30, suffix=".ts", audio=None), media_folder)
    real, copied = LavfSource.copy, []

    def copy(self: LavfSource, track: Track, numbers: Sequence[int], spool: Spool) -> Iterator[Extent]:
        copied.append(len(numbers))
        return real(self, track, numbers, spool)

    monkeypatch.setattr(LavfSource, "copy", copy)
    result = cut_ranges([path], [CutRange(0, Fraction(1), Fraction(43))])
    assert len(copied) == 1
    assert result.facts.frames_copied == copied[0] > 1024


def test_the_second_clip_of_a_transport_stream_reads_what_it_needs(media_folder: Path) -> None:
    spec = MediaSpec(frames=900, gop=30, suffix=".ts", codec_options={"crf": "3"})
    path = cached_media(spec, media_folder)
    store = LikeRemoteStore.open(str(path.parent))
    cache, cutter = MemoryCache(), ChildCutter(warm=False)
    wanted = CutRange(0, Fraction(101, 10), Fraction(119, 10))
    job = CutJob(sizes=(path.stat().st_size,), ranges=(wanted,), limits=Limits())
    clips, read = [], []
    for _ in range(2):
        with RangeReader.open(store, path.name) as reader:
            remembering = RememberingReader(reader, cache)
            with cutter.render(job, [remembering], on_progress=lambda _: None, stopped=lambda: False) as made:
                clips.append(b"".join(made.chunks()))
            read.append(reader.bytes_read)
    cutter.close()
    assert clips[0] == clips[1]
    assert read[1] < read[0] / 2
