"""Folders of files: written whole or not at all, and nothing else in them is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cutback.domain.errors import OutputExistsError, OutputIsSourceError, OutputUnwritableError, StoppedError
from cutback.storage import clip_folder

NAMES = ["clip.m3u8", "clip-180p.m3u8", "clip-180p-00001.m4s"]


def write(
    folder: Path, *, force: bool = False, sources: tuple[Path, ...] = (), stopped: Callable[[], bool] = lambda: False
) -> None:
    files = [(name, iter([name.encode(), b"!"])) for name in NAMES]
    clip_folder.write(folder, files, sources, force=force, stopped=stopped)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_files_are_written(tmp_path: Path) -> None:
    write(tmp_path / "wave")
    assert {path.name: path.read_bytes() for path in (tmp_path / "wave").iterdir()} == {
        name: f"{name}!".encode() for name in NAMES
    }
    assert names_in(tmp_path) == ["wave"]


def test_nothing_remains_if_it_is_interrupted(tmp_path: Path) -> None:
    answers: Iterator[bool] = iter([False, False, False, True])
    with pytest.raises(StoppedError):
        write(tmp_path / "wave", stopped=lambda: next(answers))
    assert names_in(tmp_path) == []


def test_a_folder_with_files_is_only_written_by_force_and_keeps_its_others(tmp_path: Path) -> None:
    folder = tmp_path / "wave"
    folder.mkdir()
    write(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / NAMES[0]).write_text("old")
    with pytest.raises(OutputExistsError):
        write(folder)
    assert (folder / NAMES[0]).read_text() == "old"
    write(folder, force=True)
    assert names_in(folder) == sorted([*NAMES, "notes.txt"])
    assert (folder / NAMES[0]).read_text() == f"{NAMES[0]}!"


def test_the_recording_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "wave"
    write(folder)
    source = folder / NAMES[2]
    source.write_text("recording")
    with pytest.raises(OutputIsSourceError):
        write(folder, force=True, sources=(source,))
    assert source.read_text() == "recording"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "wave").write_text("a file")
    with pytest.raises(OutputUnwritableError, match="not a folder"):
        write(tmp_path / "wave", force=True)
