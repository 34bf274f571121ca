"""Playlists and growing recordings from a request to a clip, with the real cutter."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.path.harness import PathHarness
from tests.support.decode import decode_presented
from tests.support.hls import names, package, write_playlist
from tests.support.media import FRAGMENTED, MediaSpec, cached_media
from typer.testing import CliRunner

from cutback.cli.app import app
from cutback.domain.clips.clip import ClipState
from cutback.sandbox.cutter import ChildCutter
from cutback.services import Services

pytestmark = pytest.mark.usefixtures("forked_cutters")

BEFORE = MediaSpec(frames=120, gop=30, suffix=".ts")
AFTER = MediaSpec(frames=120, gop=30, suffix=".ts", first_counter=120, start=Fraction(1000))
"""What the same camera recorded after a restart: its timestamps do not continue."""


@pytest.fixture
def real(harness: PathHarness) -> Iterator[tuple[PathHarness, Services]]:
    cutter = ChildCutter(warm=False)
    yield harness, dataclasses.replace(harness.services, cutter=cutter)
    cutter.close()


@pytest.fixture
def folder(harness: PathHarness) -> Path:
    return harness.settings.data / "recordings"


def numbers(harness: PathHarness, clip_id: str = "wave") -> list[int]:
    clip = harness.clip(clip_id)
    assert clip.state is ClipState.READY, clip.failure
    assert clip.result is not None
    return decode_presented(harness.settings.data / "clips" / clip.result.key).counters


def test_a_clip_of_a_playlist_continues_across_a_discontinuity(
    real: tuple[PathHarness, Services], folder: Path, pytestconfig: pytest.Config
) -> None:
    harness, services = real
    cache = Path(pytestconfig.cache.mkdir("media"))
    parts = [names(package(spec, cache, folder / name)) for spec, name in ((BEFORE, "a"), (AFTER, "b"))]
    segments: list[tuple[str, Fraction | str]] = [(f"a/{name}", "1") for name in parts[0]]
    segments += [(f"#EXT-X-DISCONTINUITY\nb/{name}" if n == 0 else f"b/{name}", "1") for n, name in enumerate(parts[1])]
    write_playlist(folder / "live.m3u8", segments)
    harness.submit(source={"recording": "live.m3u8", "start": "2.5", "end": "6.2"})
    assert harness.work(services) == 1
    assert numbers(harness) == list(range(75, 186))
    result = harness.clip("wave").result
    assert result is not None
    assert [(span.recording, span.start, span.end) for span in result.spans] == [
        ("live.m3u8", Fraction(5, 2), 4),
        ("live.m3u8", 4, Fraction(31, 5)),
    ]
    assert result.duration == Fraction(37, 10)


@pytest.mark.parametrize(("other", "begin"), [("a", []), ("b", [0, 2])], ids=["the same", "another one"])
def test_a_chapter_begins_with_another_playlist_although_its_times_go_on(
    real: tuple[PathHarness, Services], folder: Path, pytestconfig: pytest.Config, other: str, begin: list[int]
) -> None:
    harness, services = real
    for name in "ab":
        package(BEFORE, Path(pytestconfig.cache.mkdir("media")), folder / name)
    harness.submit(
        source=[
            {"recording": "a/live.m3u8", "start": 0, "end": 2},
            {"recording": f"{other}/live.m3u8", "start": 2, "end": 4},
        ]
    )
    assert harness.work(services) == 1
    assert numbers(harness) == list(range(120))
    result = harness.clip("wave").result
    assert result is not None
    with av.open(str(harness.settings.data / "clips" / result.key)) as container:
        assert [chapter["start"] * (chapter["time_base"] or 0) for chapter in container.chapters()] == begin


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:1/a.ts\n", "media_unreadable"),
        ("#EXTM3U\n#EXTINF:4,\n../../clips/a.ts\n", "media_unreadable"),
        ("#EXTM3U\n#EXTINF:4,\ngone.ts\n", "recording_not_found"),
        ("#EXTM3U\n#EXT-X-ENDLIST\n", "range_outside_recording"),
        ("sea.mp4", "media_unreadable"),
        ("#EXTM3U\n#EXTINF:4,\nsea.mp4\n", "media_unsupported"),
    ],
)
def test_a_playlist_that_cannot_be_cut_fails_by_name(
    real: tuple[PathHarness, Services], folder: Path, content: str, reason: str
) -> None:
    harness, services = real
    (folder / "live.m3u8").write_text(content)
    harness.submit(source={"recording": "live.m3u8", "start": 1, "end": 2})
    harness.work(services)
    failure = harness.clip("wave").failure
    assert failure is not None
    assert failure.reason == reason


def test_a_recording_replaced_by_a_longer_one_meanwhile_is_cut_from_that_one(
    real: tuple[PathHarness, Services], folder: Path, pytestconfig: pytest.Config
) -> None:
    harness, services = real
    spec = MediaSpec(frames=120, gop=30, audio=None, muxer_options=FRAGMENTED)
    data = cached_media(spec, Path(pytestconfig.cache.mkdir("media"))).read_bytes()
    path = folder / "live.mp4"
    path.write_bytes(data[: len(data) * 2 // 3])

    def upload_more(stage: str) -> None:
        if stage == "resolved" and path.stat().st_size < len(data):
            beside = path.with_suffix(".new")
            beside.write_bytes(data)
            beside.replace(path)

    harness.at_stage = upload_more
    harness.submit(source={"recording": "live.mp4", "start": 1, "end": 100})
    harness.work(services)
    assert harness.clip("wave").state is ClipState.QUEUED, "it will be tried again"
    harness.pass_time(60)
    harness.work(services)
    assert numbers(harness) == list(range(30, 120))


def test_the_command_line_cuts_playlists(folder: Path, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    playlist = package(BEFORE, Path(pytestconfig.cache.mkdir("media")), folder / "camera")
    target = tmp_path / "clip.mp4"
    arguments = ["cut", str(playlist), "--from", "1.5", "--to", "3", "-o", str(target)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert decode_presented(target).counters == list(range(45, 90))
