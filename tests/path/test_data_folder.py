"""Which commands create the data folder, and how many processes may use it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.path.shell import Shell, workers_of
from tests.support.small_disk import make_read_only, small_disk
from tests.support.waiting import PATIENCE, eventually


@pytest.mark.parametrize(
    "arguments",
    [
        ["clips"], ["show", "w"], ["cancel", "w"], ["retry", "w"], ["events"], ["dead-letters"], ["redrive", "--all"],
        ["cameras"], ["recordings"],
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_commands_that_read_make_no_data_folder_and_name_the_one_they_missed(
    shell: Shell, arguments: list[str]
) -> None:
    error = shell.json(*arguments, "--data", "elsewhere", code=4)["error"]
    assert error["reason"] == "no_data"
    assert f"There is no Cutback data in {shell.folder}/elsewhere." in error["message"]
    assert list(shell.folder.iterdir()) == []


def test_a_second_up_on_a_folder_is_refused(shell: Shell) -> None:
    up = shell.start("up", "--workers", "1")
    eventually(lambda: bool(workers_of(up.pid)), "a worker")
    error = shell.json("up", code=3)["error"]
    assert error["reason"] == "already_running"
    assert f"process {up.pid}" in error["message"]
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=PATIENCE)
    again = shell.start("up", "--workers", "1")
    eventually(lambda: bool(workers_of(again.pid)), "a worker, once the first has gone")


def test_up_does_not_start_with_a_clip_store_that_cannot_be_written(shell: Shell, tmp_path: Path) -> None:
    with small_disk(tmp_path / "tiny", megabytes=1) as place:
        make_read_only(place)
        shell.environment["CUTBACK_CLIP_STORE"] = str(place)
        error = shell.json("up", "--no-api", code=5)["error"]
    assert error["reason"] == "storage_unavailable"
    assert "read-only" in error["message"]
