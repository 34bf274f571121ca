"""Real workers with the real cutter: killed, cancelled and stopped while their child processes encode."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.path.shell import SHORT, SLOW, Shell, frames_in, is_alive, workers_of
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, Stopwatch, eventually, slowdown

pytestmark = pytest.mark.slow

FRAMES = 570
"""Of the slow clip."""


@pytest.fixture
def stocked(shell: Shell, media: Callable[[MediaSpec], Path]) -> Shell:
    """With two recordings: one takes seconds to cut, as all of it is encoded."""
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    shutil.copy(media(SLOW), folder / "slow.mp4")
    shutil.copy(media(SHORT), folder / "short.mp4")
    (shell.folder / "tmp").mkdir()
    shell.environment["TMPDIR"] = str(shell.folder / "tmp")
    return shell


@pytest.fixture
def busy(stocked: Shell) -> Shell:
    """With a requested clip of the slow recording."""
    stocked.json("submit", "--recording", "slow.mp4", "--from", "0.5", "--to", "19.5", "--id", "w")
    return stocked


def under_way(shell: Shell) -> bool:
    """Whether the clip is being encoded, by what its record says."""
    clip = shell.json("show", "w")
    return bool(clip["state"] == "processing" and clip["progress"]["frames"] and clip["progress"]["bytes"])


def clip_files(shell: Shell) -> list[str]:
    root = shell.folder / "cutback-data" / "clips"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def finished(shell: Shell, frames: int = FRAMES) -> dict[str, Any]:
    eventually(lambda: shell.json("show", "w")["state"] == "ready", "the clip")
    shown: dict[str, Any] = shell.json("show", "w")
    assert frames_in(shell.folder / shown["path"]) == frames
    result = shown["result"]
    assert clip_files(shell) == sorted([result["key"], *(poster["key"] for poster in result["posters"])])
    assert list((shell.folder / "tmp").iterdir()) == []
    return shown


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_worker_killed_while_its_child_encodes_leaves_no_process_no_file_and_the_clip_to_the_next(
    busy: Shell,
) -> None:
    worker = busy.start("worker")
    eventually(lambda: under_way(busy), "its beginning")
    children = workers_of(worker.pid)
    assert children
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()
    eventually(lambda: not any(is_alive(child) for child in children), "the child's end")
    assert clip_files(busy) == []
    assert list((busy.folder / "tmp").iterdir()) == []

    following = busy.start("worker")
    assert finished(busy)["attempt"] == 2
    events = [json.loads(line) for line in busy.run("events", "--after", "0", "--json")[1].splitlines()]
    assert [event["type"] for event in events].count("clip.ready") == 1
    stop(following)


def test_cancelling_ends_the_child_within_a_second_and_the_worker_takes_the_next_clip(stocked: Shell) -> None:
    """The promise is a second from the cancel's return; a busy machine is granted three.

    What is cut is encoded whole, many times over: without the cancel it would go on for minutes.
    """
    ranges = ["--range", "0.5..19.5"] * 50
    stocked.json("submit", "--recording", "slow.mp4", *ranges, "--id", "w")
    worker = stocked.start("worker")
    eventually(lambda: under_way(stocked), "its beginning")
    stocked.json("submit", "--recording", "short.mp4", "--from", "1", "--to", "2", "--id", "next")
    children = workers_of(worker.pid)
    assert any(is_alive(child) for child in children)
    assert stocked.json("cancel", "w")
    watch = Stopwatch()
    eventually(lambda: not any(is_alive(child) for child in children), "the child's end", every=0.005)
    took = watch.seconds()
    sys.stdout.write(f"from the cancel's return to the child's end: {took:.3f} s\n")
    assert took < 3 * slowdown()
    assert stocked.json("show", "w")["state"] == "cancelled"

    eventually(lambda: stocked.json("show", "next")["state"] == "ready", "the next clip")
    assert worker.poll() is None
    assert not any(name.startswith("w/") for name in clip_files(stocked))
    stop(worker)
    assert list((stocked.folder / "tmp").iterdir()) == []


def test_a_cancelled_clip_is_made_when_it_is_requested_again(busy: Shell) -> None:
    worker = busy.start("worker")
    eventually(lambda: under_way(busy), "its beginning")
    busy.json("cancel", "w")
    busy.json("retry", "w")
    finished(busy)
    stop(worker)


def test_ctrl_c_gives_the_clip_in_hand_back_at_once(busy: Shell) -> None:
    # Whoever waited for these to pass would not see the end of this test.
    busy.environment |= {"CUTBACK_LEASE": "600", "CUTBACK_VISIBILITY": "1200"}
    up = busy.start("up", "--workers", "1")
    eventually(lambda: under_way(busy), "its beginning")
    watch = Stopwatch()
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=PATIENCE)
    assert watch.seconds() < 5 * slowdown()
    assert up.returncode == 0
    given_back = busy.json("show", "w")
    assert (given_back["state"], given_back["failure"]["reason"]) == ("queued", "stopped")
    assert clip_files(busy) == []
    assert list((busy.folder / "tmp").iterdir()) == []

    another = busy.start("worker")
    finished(busy)
    stop(another)


def test_a_dead_clip_is_redriven_from_the_command_line(stocked: Shell) -> None:
    stocked.environment |= {"CUTBACK_MAX_TRIES": "1", "CUTBACK_RETRY_PATIENCE": "0"}
    stocked.json("submit", "--recording", "short.mp4", "--from", "1", "--to", "2", "--id", "w")
    place = stocked.folder / "cutback-data" / "clips"
    place.mkdir(parents=True, exist_ok=True)
    (place / "w").write_text("in the way of the clip's folder", encoding="utf-8")
    worker = stocked.start("worker")
    eventually(lambda: stocked.json("show", "w")["state"] == "failed", "its end")
    assert stocked.json("show", "w")["failure"]["reason"] == "storage_unavailable"
    eventually(lambda: bool(stocked.json("dead-letters")["dead_letters"]), "its letter")
    [letter] = stocked.json("dead-letters")["dead_letters"]
    assert letter["subject"] == "w"
    assert "has the folder's name" in letter["reason"]

    (place / "w").unlink()
    assert stocked.json("redrive", "w")["redriven"] == 1
    finished(stocked, frames=30)
    assert stocked.json("dead-letters")["dead_letters"] == []
    stop(worker)
