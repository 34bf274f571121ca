"""What a job needs is imported before the child is confined: afterwards it cannot open files."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.media.cuts import cut_in_child
from tests.media.recordings import RECIPES, made
from tests.media.subtitled import SUBTITLES, many_subtitle_tracks, subtitled

from cutback.domain.errors import MediaTooLargeError
from cutback.sandbox.cutter import ChildCutter

KINDS = ["pyramid", "interlaced", "hevc-hdr10", "av1-mkv", "opus-vp9", "mjpeg", "ts-back", "sound-alone", "ac3-ts"]
FEW = ["pyramid", "hevc-hdr10", "opus-vp9", "ac3-ts"]

NEVER = {"av.__main__", "av.datasets"}
"""Programs and downloads; no recording needs them."""

Ffmpeg = Callable[..., None]


@pytest.fixture
def cutter(interpreter_cutter: ChildCutter) -> ChildCutter:
    """Its processes start as in a worker: they are what is tested here."""
    return interpreter_cutter


def used_after_preload(*recordings: Path) -> dict[str, dict[str, str] | list[str]]:
    """What `imports_after_preload` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.media.imports_after_preload", *map(str, recordings)],
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, dict[str, str] | list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("kinds", "subtitles"),
    [(FEW, [*SUBTITLES][:1]), pytest.param(KINDS, [*SUBTITLES], marks=pytest.mark.slow)],
    ids=["few", "all"],
)
def test_no_kind_of_cut_imports_or_opens_anything(
    kinds: list[str], subtitles: list[str], media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"\0\0\1\xba" + bytes(range(256)) * 40)
    recordings = [made(RECIPES[name], media_folder) for name in kinds]
    recordings += [subtitled(kind, media_folder, ffmpeg) for kind in subtitles]
    found = used_after_preload(*recordings, rubbish)
    outcomes = found["outcomes"]
    assert isinstance(outcomes, dict)
    assert {outcomes[f"{path} exact one"] for path in recordings} == {"done"}
    assert {outcome for name, outcome in outcomes.items() if name.startswith(str(rubbish))} != {"done"}
    assert found["imported"] == []
    assert found["opened"] == []


def test_every_module_of_pyav_is_loaded_before() -> None:
    script = "import sys; from cutback.sandbox.preload import preload; preload(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout.split()
    modules = {module.name for module in pkgutil.walk_packages(av.__path__, "av.")}
    assert modules - NEVER <= set(loaded)


@pytest.mark.parametrize("kind", SUBTITLES)
def test_a_recording_with_subtitles_is_cut(kind: str, media_folder: Path, ffmpeg: Ffmpeg, cutter: ChildCutter) -> None:
    clip = cut_in_child(cutter, [subtitled(kind, media_folder, ffmpeg)], (0, Fraction("0.7"), Fraction("2.3")))
    assert clip.facts.frames == 48


@pytest.mark.parametrize("count", [33, 1001, 20_000])
def test_too_many_subtitle_tracks_are_a_limit(
    count: int, media_folder: Path, ffmpeg: Ffmpeg, cutter: ChildCutter
) -> None:
    data = many_subtitle_tracks(subtitled("srt", media_folder, ffmpeg).read_bytes(), count)
    with pytest.raises(MediaTooLargeError):
        cut_in_child(cutter, [data], (0, Fraction("0.7"), Fraction("2.3")))


def test_several_subtitle_tracks_are_fine(media_folder: Path, ffmpeg: Ffmpeg, cutter: ChildCutter) -> None:
    data = many_subtitle_tracks(subtitled("srt", media_folder, ffmpeg).read_bytes(), 20)
    assert cut_in_child(cutter, [data], (0, Fraction("0.7"), Fraction("2.3"))).facts.frames == 48
