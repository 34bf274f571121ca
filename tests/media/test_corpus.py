"""`make media-corpus`: correct clips are called exact, and every kind of error is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.media import corpus
from tests.support.media import cached_media
from tests.support.spec import MediaSpec

import cutback

SPEC = MediaSpec(frames=240, gop=60)


@pytest.fixture
def folder(tmp_path: Path, media_folder: Path) -> Path:
    """A collection: a good recording, a truncated one, a text, a file of nothing."""
    found = tmp_path / "collection"
    found.mkdir()
    good = cached_media(SPEC, media_folder)
    shutil.copy(good, found / "good.mp4")
    (found / "torn.mp4").write_bytes(good.read_bytes()[:5000])
    (found / "text.mp4").write_text("not a video")
    (found / "empty.mkv").touch()
    return found


@pytest.fixture(autouse=True)
def _needs_ffmpeg() -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("FFMPEG IS MISSING: the corpus program was not tested (apt install ffmpeg)")


def judged(folder: Path) -> dict[str, str]:
    files = sorted(folder.iterdir())
    return {Path(found.file).name: found.kind for found in corpus.run(files, 2, "1", lambda *_: None)}


def test_files_are_recognized(folder: Path) -> None:
    kinds = judged(folder)
    assert kinds == {"good.mp4": "exact", "torn.mp4": "refused", "text.mp4": "refused", "empty.mkv": "refused"}


def off_by_a_frame(arguments: dict[str, Any]) -> None:
    arguments["start"] += float(1 / SPEC.fps)
    arguments["end"] += float(1 / SPEC.fps)


def too_short(arguments: dict[str, Any]) -> None:
    arguments["end"] -= 2 * float(1 / SPEC.fps)


@pytest.mark.parametrize("spoil", [off_by_a_frame, too_short])
def test_a_wrong_clip_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[dict[str, Any]], None]
) -> None:
    cut = cutback.cut

    def wrong(*sources: Any, **arguments: Any) -> Any:
        spoil(arguments)
        return cut(*sources, **arguments)

    monkeypatch.setattr(cutback, "cut", wrong)
    assert corpus.judge(folder / "good.mp4", 2, "1").kind == "wrong"


def test_sound_that_is_late_is_found(folder: Path) -> None:
    recording = corpus.decode(folder / "good.mp4")
    clip = corpus.decode(folder / "good.mp4")
    assert corpus.compare(recording, clip, 0, 8) == ""
    late = corpus.Decoded(clip.times, clip.pictures, np.roll(clip.sound, round(0.2 * corpus.RATE)))
    assert "sound" in corpus.compare(recording, late, 0, 8)


def test_totals_count_each_kind_and_reason() -> None:
    verdicts = [
        corpus.Verdict("a", "exact", "", 1),
        corpus.Verdict("b", "refused", "media_unsupported: it is AVI", 1),
        corpus.Verdict("c", "wrong", "1 to 2: 3 pictures instead of 4", 1),
    ]
    rows = [row.split() for row in corpus.totals(verdicts)]
    assert rows == [
        ["exact", "1"], ["refused", "1"], ["unjudged", "0"], ["wrong", "1"], ["crashed", "0"],
        ["refused:", "media_unsupported", "1"],
    ]  # fmt: skip
