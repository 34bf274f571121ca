"""Posters are stored next to their clip, before it is announced, and are removed with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.path.harness import PathHarness
from tests.support.fake_cutter import FakeRendition
from tests.support.waiting import eventually

from cutback.cutting.job import Poster, RenderedFile
from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import MediaCrashedError
from cutback.lifecycle.housekeeping import housekeep

POSTERS = (Poster(300, 300, 169, 0, 500), Poster(640, 320, 180, 500, 700))


def test_a_clip_has_its_posters_next_to_it(harness: PathHarness) -> None:
    harness.cutter.posters = POSTERS
    clip = harness.submit()
    harness.work()
    result = harness.clip(clip.id).result
    assert result is not None
    told = [(poster.key, poster.width, poster.height, poster.size) for poster in result.posters]
    assert told == [("wave/1/poster-300.jpg", 300, 169, 500), ("wave/1/poster-640.jpg", 320, 180, 700)]
    assert harness.objects() == ["wave/1/clip.mp4", "wave/1/poster-300.jpg", "wave/1/poster-640.jpg"]
    for poster in result.posters:
        assert (harness.settings.data / "clips" / poster.key).stat().st_size == poster.size
    ready = harness.events()[-1]
    assert ready.data["result"]["posters"][0] == {
        "key": "wave/1/poster-300.jpg",
        "width": 300,
        "height": 169,
        "size": 500,
    }


def test_posters_are_stored_while_the_clip_is(harness: PathHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.cutter.posters = POSTERS
    chunks = FakeRendition.chunks

    def late(rendition: FakeRendition, file: RenderedFile | None = None) -> Iterator[bytes]:
        eventually(lambda: len(harness.objects()) == len(POSTERS), "the posters of the clip")
        yield from chunks(rendition, file)

    monkeypatch.setattr(FakeRendition, "chunks", late)
    clip = harness.submit()
    harness.work()
    assert harness.clip(clip.id).state is ClipState.READY


def test_posters_of_a_dead_worker_are_removed(harness: PathHarness) -> None:
    harness.cutter.posters = POSTERS
    clip = harness.submit()
    harness.die_at("stored")
    harness.pass_time(60)
    harness.work()
    assert harness.clip(clip.id).state is ClipState.READY
    assert harness.objects() == ["wave/2/clip.mp4", "wave/2/poster-300.jpg", "wave/2/poster-640.jpg"]


def test_a_clip_whose_posters_crash_the_decoder_fails_whole(harness: PathHarness) -> None:
    harness.cutter.spoilt_posters = MediaCrashedError()
    clip = harness.submit()
    while not harness.clip(clip.id).state.final:
        harness.work()
        harness.pass_time(60)
    failure = harness.clip(clip.id).failure
    assert failure is not None
    assert failure.reason == "media_crashed"
    assert harness.objects() == [], "the clip was stored before its posters, and nothing of it stays"


def test_an_expired_clip_takes_its_posters_along(harness: PathHarness) -> None:
    harness.cutter.posters = POSTERS
    harness.submit(expires_in=60)
    harness.work()
    harness.pass_time(3600)
    housekeep(harness.services)
    assert harness.objects() == []
