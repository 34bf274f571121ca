"""`import cutback`: what a Python program gets, and what the import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.path.shell import SHORT, Shell
from tests.support.decode import decode_presented
from tests.support.hls import package
from tests.support.spec import MediaSpec

import cutback

RATE = SHORT.fps


@pytest.fixture
def sea(media: Callable[[MediaSpec], Path]) -> Path:
    """Ten seconds whose every frame shows its number."""
    return media(SHORT)


def test_cut_writes_the_requested_frames(sea: Path, tmp_path: Path) -> None:
    made = cutback.cut(sea, start=cutback.FrameNumber(40), end=cutback.FrameNumber(100), output=tmp_path / "wave.mp4")

    assert list(range(40, 100)) == decode_presented(made.path).counters
    assert made.frames == 60 == made.frames_copied + made.frames_encoded
    assert made.duration == 60 / RATE
    assert made.path == tmp_path / "wave.mp4"
    assert made.size == made.path.stat().st_size
    assert [(span.start, span.end) for span in made.spans] == [(40 / RATE, 100 / RATE)]
    assert made.source_size == sea.stat().st_size


@pytest.mark.parametrize(
    ("start", "end"),
    [(2, 4), (2.0, "4"), (Fraction(2), Fraction(4)), ("00:00:02", "00:00:04.000")],
    ids=["integers", "a float and a text", "fractions", "a clock's times"],
)
def test_times_may_be_written_in_any_form(
    sea: Path, tmp_path: Path, start: cutback.library.Time, end: cutback.library.Time
) -> None:
    made = cutback.cut(sea, start=start, end=end, output=tmp_path / "clip.mp4")
    assert list(range(int(2 * RATE), int(4 * RATE))) == decode_presented(made.path).counters


def test_ranges_are_joined_in_order(sea: Path, tmp_path: Path) -> None:
    made = cutback.cut(sea, ranges=[(3, 4), (1, 2)], output=tmp_path / "clip.mp4")
    expected = [*range(int(3 * RATE), int(4 * RATE)), *range(int(RATE), int(2 * RATE))]
    assert expected == decode_presented(made.path).counters


def test_an_output_that_exists_is_replaced_only_on_request(sea: Path, tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    target.write_text("precious")
    with pytest.raises(cutback.errors.OutputExistsError):
        cutback.cut(sea, start=1, end=2, output=target)
    assert target.read_text() == "precious"

    cutback.cut(sea, start=1, end=2, output=target, overwrite=True)
    assert len(decode_presented(target).counters) == RATE
    assert [target] == list(tmp_path.iterdir())


def test_nothing_is_left_of_a_cut_that_was_stopped(sea: Path, tmp_path: Path) -> None:
    with pytest.raises(cutback.errors.StoppedError):
        cutback.cut(sea, start=1, end=9, output=tmp_path / "clip.mp4", stopped=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_progress_comes_and_ends(sea: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    cutback.cut(
        sea, start=1, end=9, output=tmp_path / "clip.mp4", on_progress=lambda progress: seen.append(progress.fraction)
    )
    assert seen == sorted(seen)
    assert all(0 <= fraction <= 1 for fraction in seen)


def test_the_plan_says_what_the_cut_does(sea: Path, tmp_path: Path) -> None:
    planned = cutback.plan(sea, start=1.5, end=8)
    made = cutback.cut(sea, start=1.5, end=8, output=tmp_path / "clip.mp4")
    assert (planned.frames_copied, planned.frames_encoded) == (made.frames_copied, made.frames_encoded)
    assert planned.duration == made.duration
    assert planned.report["precision"] == "exact"


def test_probe_describes_the_recording(sea: Path) -> None:
    found = cutback.probe(sea)
    pictures = next(track for track in found.tracks if track.kind == "video")
    assert (SHORT.width, SHORT.height, SHORT.frames) == (pictures.width, pictures.height, pictures.samples)
    assert pictures.codec == "h264"
    assert pictures.duration == SHORT.frames / RATE
    assert found.size == sea.stat().st_size


def test_probe_of_a_playlist_shows_the_whole_duration(shell: Shell, pytestconfig: pytest.Config) -> None:
    playlist = package(SHORT, Path(pytestconfig.cache.mkdir("media")), shell.folder, seconds=2)
    found = cutback.probe(playlist)
    assert found.duration == SHORT.frames / RATE
    assert found.size is None
    assert {"video", "audio"} >= {track.kind for track in found.tracks} >= {"video"}

    code, out, err = shell.run("probe", str(playlist))
    assert (code, err) == (0, "")
    assert "playlist" in out.splitlines()[0]
    assert "in the first segment" in out


@pytest.mark.parametrize(
    ("arguments", "faults"),
    [
        ({}, ["start", "end"]),
        ({"start": 1}, ["end"]),
        ({"start": 1, "end": 2, "ranges": [(1, 2)]}, ["ranges"]),
        ({"start": 2, "end": 1}, ["source[0]"]),
        ({"start": 1, "end": 2, "precision": "rough"}, ["output.precision"]),
    ],
    ids=["no times", "no end", "times and ranges", "backwards", "an unknown precision"],
)
def test_wrong_arguments_are_named(sea: Path, arguments: dict[str, object], faults: list[str]) -> None:
    with pytest.raises(cutback.errors.InvalidRequestError) as caught:
        cutback.plan(sea, **arguments)  # type: ignore[arg-type]
    assert faults == [fault.path for fault in caught.value.faults]


def test_a_missing_recording_has_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(cutback.errors.RecordingNotFoundError):
        cutback.probe(tmp_path / "none.mp4")


def test_every_public_name_is_there_and_no_other() -> None:
    for name in cutback.__all__:
        assert getattr(cutback, name) is not None
    assert sorted(cutback.__all__) == dir(cutback)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = cutback.nonsense


def test_type_checkers_see_the_names_that_the_module_gives() -> None:
    tree = ast.parse(Path(cutback.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: f"{node.module}"
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen.pop("errors") == "cutback.domain"
    assert seen == cutback._MODULES


def test_the_import_alone_loads_nothing_else() -> None:
    program = "import sys, cutback; print([name for name in sys.modules if name.startswith('cutback.')])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_recording_is_never_replaced_by_its_own_clip(sea: Path, tmp_path: Path) -> None:
    source = tmp_path / "sea.mp4"
    source.write_bytes(sea.read_bytes())
    (tmp_path / "link.mp4").symlink_to(source)
    with pytest.raises(cutback.errors.OutputIsSourceError):
        cutback.cut(source, start=1, end=2, output=tmp_path / "link.mp4", overwrite=True)
    assert sea.read_bytes() == source.read_bytes()
