"""What comes with a clip, on the whole way: asked for or set, stored with the clip, recorded, linked and removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.fake_cutter import FakeRendition
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.web.harness import WebHarness
from tests.web.media_harness import MediaHarness

from cutback.cutting.job import ClipPictures, SpooledPicture
from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import CutbackError, MediaCrashedError, StorageUnavailableError
from cutback.domain.requests.request import parse_request
from cutback.lifecycle.housekeeping import housekeep

FILES = ["preview.webp", "sprites.jpg", "sprites.vtt", "waveform.json", "waveform.svg"]
RESOLUTION = {"seconds": [1, 100], "peaks": [-5, 7]}
MADE = ClipPictures(
    {"width": 16, "height": 9, "columns": 10, "end": "2", "tiles": [{"frame": 0, "at": "0"}]},
    SpooledPicture(160, 9, 0, 90),
    SpooledPicture(32, 18, 90, 80),
    {"scale": 1000, "fine": RESOLUTION, "coarse": RESOLUTION},
)


@pytest.fixture
def media(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[MediaHarness]:
    path = cached_media(MediaSpec(width=480, height=272, frames=120, gop=30), Path(pytestconfig.cache.mkdir("media")))
    made = MediaHarness(tmp_path / "data", path)
    yield made
    made.close()


def test_pictures_are_stored_linked_and_served(media: MediaHarness) -> None:
    wanted = ["poster", "sprites", "preview", "waveform"]
    source = {"recording": "sea.mp4", "start": 1, "end": 3}
    assert media.client.post("/v1/clips", json={"id": "wave", "source": source, "pictures": wanted}).status_code == 202
    media.work()
    links = media.get("/v1/clips/wave").json()["media"]["pictures"]
    assert sorted(links) == FILES
    answers = {name: media.get(link) for name, link in links.items()}
    kinds = {name: answer.headers["content-type"].split(";")[0] for name, answer in answers.items()}
    assert kinds == {
        "preview.webp": "image/webp",
        "sprites.jpg": "image/jpeg",
        "sprites.vtt": "text/vtt",
        "waveform.json": "application/json",
        "waveform.svg": "image/svg+xml",
    }
    assert "frame 0\n00:00:00.000 --> 00:00:01.000\nsprites.jpg#xywh=0,0,160,92" in answers["sprites.vtt"].text
    assert len(json.loads(answers["waveform.json"].text)["fine"]["peaks"]) == 400
    result = media.clip("wave").result
    assert result is not None
    assert len(result.posters) == 4
    assert {each.name: each.size for each in result.pictures} == {
        name: len(answer.content) for name, answer in answers.items()
    }


def rendered(monkeypatch: pytest.MonkeyPatch, made: ClipPictures | CutbackError) -> None:
    def pictures(_: FakeRendition) -> ClipPictures:
        if isinstance(made, CutbackError):
            raise made
        return made

    monkeypatch.setattr(FakeRendition, "pictures", pictures)
    monkeypatch.setattr(FakeRendition, "read_picture", lambda _, picture: bytes(picture.size))


def test_the_setting_says_what_comes_with_clips_whose_requests_do_not(tmp_path: Path) -> None:
    web = WebHarness(tmp_path / "data", pictures="preview,waveform")
    web.submit(id="one")
    web.submit(id="two", pictures=[])
    web.work()
    assert {job.pictures for job in web.cutter.jobs} == {("preview", "waveform"), ()}
    web.close()


def test_by_default_a_clip_has_posters_alone(web: WebHarness) -> None:
    web.submit()
    web.work()
    [job] = web.cutter.jobs
    assert job.pictures == ("poster",)
    assert "pictures" not in web.clip("wave").public()["result"]


def test_leaving_the_field_out_keeps_the_id_of_a_request() -> None:
    source = {"recording": "sea.mp4", "start": 1, "end": 3}
    plain, pictured = (
        parse_request(json.dumps({"source": source, **more})) for more in ({}, {"pictures": ["preview"]})
    )
    assert plain.id == "cxleglbs2gxpihzlbvy7xwibmr"
    assert pictured.id != plain.id


def test_an_attempt_that_fails_at_a_picture_leaves_nothing(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered(monkeypatch, MADE)
    put = web.services.clips.put

    def failing(key: str, *arguments: object, **more: object) -> object:
        if key.endswith("1/waveform.svg"):
            raise StorageUnavailableError
        return put(key, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(web.services.clips, "put", failing)
    web.submit()
    web.work()
    assert web.clip("wave").state is ClipState.QUEUED
    assert web.objects() == []
    web.pass_time(3600)
    web.work()
    assert web.objects() == sorted(f"wave/2/{name}" for name in ("clip.mp4", *FILES))


def test_an_expired_clip_takes_its_pictures_along(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered(monkeypatch, MADE)
    web.submit(expires_in=60)
    web.work()
    assert len(web.objects()) == 6
    web.pass_time(3600)
    housekeep(web.services)
    assert web.objects() == []


def test_a_clip_whose_pictures_crash_the_decoder_is_ready_without_them(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered(monkeypatch, MediaCrashedError())
    web.submit()
    web.work()
    result = web.clip("wave").result
    assert result is not None
    assert result.pictures == ()
    assert "Its pictures could not be made." in result.notes
