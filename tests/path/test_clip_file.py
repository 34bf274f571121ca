"""Where `cutback cut` writes the clip: no needed file is replaced, and every kind of output works."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.path.shell import SHORT, Shell, frames_in
from tests.support.hls import names, package
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE

PART = ("--from", "1", "--to", "2")


@pytest.fixture
def sea(shell: Shell, media: Callable[[MediaSpec], Path]) -> Path:
    return Path(shutil.copy(media(SHORT), shell.folder / "sea.mp4"))


@pytest.mark.parametrize("way", ["itself", "dotted", "symlink", "hardlink", "source is a symlink"])
def test_a_recording_is_never_replaced_by_its_own_clip(shell: Shell, sea: Path, way: str) -> None:
    before = sea.read_bytes()
    source, target = "sea.mp4", "sea.mp4"
    if way == "dotted":
        target = f"../{shell.folder.name}/./sea.mp4"
    elif way == "symlink":
        target = "link.mp4"
        (shell.folder / target).symlink_to("sea.mp4")
    elif way == "hardlink":
        target = "link.mp4"
        (shell.folder / target).hardlink_to(sea)
    elif way == "source is a symlink":
        source = "link.mp4"
        (shell.folder / source).symlink_to("sea.mp4")
    error = shell.json("cut", source, *PART, "-o", target, "--force", code=3)["error"]
    assert error["reason"] == "output_is_source"
    assert sea.read_bytes() == before


def test_a_segment_of_a_playlist_is_never_replaced_by_a_clip_of_it(shell: Shell, pytestconfig: pytest.Config) -> None:
    cache = Path(pytestconfig.cache.mkdir("media"))
    fragments = {"hls_segment_type": "fmp4", "hls_segment_filename": str(shell.folder / "part%d.mp4")}
    playlist = package(SHORT, cache, shell.folder, seconds=1, **fragments)
    target = shell.folder / names(playlist)[1]
    before = target.read_bytes()
    error = shell.json("cut", playlist.name, *PART, "-o", target.name, "--force", code=3)["error"]
    assert error["reason"] == "output_is_source"
    assert target.read_bytes() == before


def test_the_standard_output_is_the_clip_and_nothing_else(shell: Shell, sea: Path) -> None:
    code, out, err = shell.pipe("cut", "sea.mp4", *PART, "-o", "-")
    assert (code, err) == (0, "")
    (shell.folder / "piped.mp4").write_bytes(out)
    assert frames_in(shell.folder / "piped.mp4") == 30
    assert shell.files() == ["piped.mp4", sea.name]
    assert shell.json("cut", "sea.mp4", *PART, "-o", "-", code=2)["error"]["reason"] == "wrong_usage"


@pytest.mark.parametrize("folder", ["clips", "clips/"])
def test_a_folder_gets_the_clip_under_its_usual_name(shell: Shell, sea: Path, folder: str) -> None:
    (shell.folder / "clips").mkdir()
    assert shell.json("cut", sea.name, *PART, "-o", folder)["path"] == "clips/sea.1-2.mp4"
    assert frames_in(shell.folder / "clips" / "sea.1-2.mp4") == 30


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("wave.mkv", 2, "name it wave.mp4"),
        ("wave.avi", 2, "name it wave.mp4"),
        ("sea.mp4/wave.mp4", 1, "sea.mp4 is a file, not a folder"),
        ("sea.mp4/a/wave.mp4", 1, "sea.mp4 is a file, not a folder"),
        ("sea.mp4/", 1, "The folder sea.mp4/ does not exist"),
        ("nowhere/", 1, "The folder nowhere/ does not exist"),
        ("nowhere/wave.mp4", 1, "The folder nowhere does not exist."),
        (f"{'x' * 300}.mp4", 1, "is too long"),
    ],
)
def test_an_unusable_output_is_reported_before_anything_is_cut(
    shell: Shell, sea: Path, target: str, code: int, said: str
) -> None:
    ended, out, err = shell.run("cut", sea.name, *PART, "-o", target, "--force")
    assert (ended, out) == (code, "")
    assert said in err
    assert "Errno" not in err
    assert shell.files() == ["sea.mp4"]


@pytest.mark.parametrize("target", ["wave", "wave.MP4", "wave.m4v", "wave.2026-06-21"])
def test_names_that_claim_no_other_format_are_taken_as_they_are(shell: Shell, sea: Path, target: str) -> None:
    assert shell.json("cut", sea.name, *PART, "-o", target)["path"] == target
    assert frames_in(shell.folder / target) == 30


def test_a_pipe_is_written_and_not_replaced(shell: Shell, sea: Path) -> None:
    os.mkfifo(shell.folder / "pipe.mp4")
    process = shell.start("cut", sea.name, *PART, "-o", "pipe.mp4", "--force")
    (shell.folder / "copy.mp4").write_bytes((shell.folder / "pipe.mp4").read_bytes())
    assert process.wait(PATIENCE) == 0
    assert (shell.folder / "pipe.mp4").is_fifo()
    assert frames_in(shell.folder / "copy.mp4") == 30
