"""The helpers that tests wait with: patience is about movement, and a slow machine does not count."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contract.racing import in_processes
from tests.support.made_once import made_once
from tests.support.waiting import Progress, Stopwatch, eventually


def test_a_wait_continues_as_long_as_something_moves() -> None:
    steps = itertools.count()
    eventually(lambda: next(steps) > 40, moves=lambda: next(steps), patience=0.2, every=0.01)
    assert next(steps) > 40


def test_a_wait_fails_once_nothing_has_moved_for_too_long() -> None:
    with pytest.raises(AssertionError, match="the tide: nothing has moved for 0 s, since low"):
        eventually(lambda: False, "the tide", moves=lambda: "low", patience=0.1, every=0.01)


def test_patience_restarts_with_each_movement() -> None:
    level = ["low"]
    progress = Progress("the tide", lambda: level[0], patience=0.3)
    pause = threading.Event()
    for level[0] in ("rising", "high", "falling", "low"):
        pause.wait(0.2)
        progress.check()
    pause.wait(0.4)
    with pytest.raises(AssertionError):
        progress.check()


def test_time_without_a_processor_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Stopwatch()
    waited = watch._waited + 3600
    monkeypatch.setattr("tests.support.waiting._waited_for_a_processor", lambda: waited)
    assert watch.seconds() < -3000


def _make_slowly(argument: tuple[Path, Path]) -> bytes:
    path, notes = argument

    def make(new: Path) -> None:
        with notes.open("a") as file:
            file.write("made\n")
        with new.open("wb") as file:
            for _ in range(20):
                file.write(b"x" * 1000)
                file.flush()
                threading.Event().wait(0.01)

    return made_once(path, make).read_bytes()


def test_of_many_processes_one_makes_a_shared_file_and_all_see_it_whole(tmp_path: Path) -> None:
    found = in_processes(_make_slowly, [(tmp_path / "cache" / "sea.mp4", tmp_path / "notes")] * 4)
    assert found == [b"x" * 20_000] * 4
    assert (tmp_path / "notes").read_text() == "made\n"


def _give_up(_path: Path) -> None:
    raise KeyboardInterrupt


def _write(path: Path) -> None:
    path.write_bytes(b"whole")


def test_a_file_whose_creation_was_interrupted_is_made_again(tmp_path: Path) -> None:
    makers: list[Callable[[Path], None]] = [_give_up, _write]
    with pytest.raises(KeyboardInterrupt):
        made_once(tmp_path / "sea.mp4", makers[0])
    assert made_once(tmp_path / "sea.mp4", makers[1]).read_bytes() == b"whole"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".mp4"]
