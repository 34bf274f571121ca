"""The command line at work: real processes, a real recording, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.path.shell import (
    LONG,
    SHORT,
    SLOW,
    Shell,
    frames_in,
    is_alive,
    lines_until,
    workers_of,
)
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, Stopwatch, eventually, slowdown

from cutback.cli.demo.recordings import FIRST, SECOND
from cutback.worker.presence import running


def test_cut_makes_and_reports_the_requested_frames(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    source = str(media(SHORT))
    made = shell.json("cut", source, "--from", "frame:40", "--to", "frame:100", "-o", "wave.mp4")
    assert made["path"] == "wave.mp4"
    assert made["frames"] == 60 == frames_in(shell.folder / "wave.mp4")
    assert made["spans"] == [{"start": "1.333333333333", "end": "3.333333333333", "clamped": False}]
    assert shell.files() == ["wave.mp4"]
    code, out, err = shell.run("cut", source, "--range", "1..2", "--range", "3..4")
    assert (code, err) == (0, "")
    assert "60 frames" in out


def test_cut_does_not_overwrite_unless_forced(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    (shell.folder / "wave.mp4").write_text("precious", encoding="utf-8")
    arguments = ["cut", str(media(SHORT)), "--from", "1", "--to", "2", "-o", "wave.mp4"]
    code, _, err = shell.run(*arguments)
    assert code == 3
    assert err.startswith("output_exists: ")
    assert (shell.folder / "wave.mp4").read_text(encoding="utf-8") == "precious"
    assert shell.run(*arguments, "--force")[0] == 0
    assert frames_in(shell.folder / "wave.mp4") == 30


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--from", "400", "--to", "410"], 1, "range_outside_recording"),
        (["--from", "5", "--to", "4"], 2, "wrong_usage"),
        ([], 2, "wrong_usage"),
        (["--from", "1", "--to", "2", "-o", "/nowhere/at/all.mp4"], 1, "output_unwritable"),
    ],
)
def test_cut_fails_with_its_reason_and_leaves_nothing(
    shell: Shell, media: Callable[[MediaSpec], Path], arguments: list[str], code: int, reason: str
) -> None:
    assert shell.json("cut", str(media(SHORT)), *arguments, code=code)["error"]["reason"] == reason
    assert shell.files() == []


def test_what_is_no_video_is_called_so(shell: Shell) -> None:
    (shell.folder / "text.mp4").write_text("no video", encoding="utf-8")
    for command in (["probe", "text.mp4"], ["cut", "text.mp4", "--from", "1", "--to", "2"]):
        assert shell.json(*command, code=1)["error"]["reason"] in {"media_unsupported", "media_unreadable"}


def test_probe_shows_tracks_and_keyframes(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    found = shell.json("probe", str(media(SHORT)))
    assert found["duration"] == "10"
    assert [track["codec"] for track in found["tracks"]] == ["h264", "aac"]
    assert found["tracks"][0]["width"] == 320
    assert found["keyframes"] == {"count": 10, "longest": "1", "average": "1"}
    assert found["copies"] is True
    assert "✓ Clips are copied" in shell.run("probe", str(media(SHORT)))[1]


def test_ctrl_c_ends_a_cut_within_a_second_and_leaves_nothing(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    # One keyframe only, so that everything has to be encoded, which takes some seconds.
    process = shell.start("cut", str(media(SLOW)), "--from", "0.5", "--to", "19.5")
    eventually(lambda: bool(workers_of(process.pid)), "the cutter's process")
    children = workers_of(process.pid)
    watch = Stopwatch()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert watch.seconds() < 1.5 * slowdown()
    assert process.returncode == 130
    assert err.startswith("interrupted: ")
    assert "Traceback" not in err
    assert not any(is_alive(child) for child in children)
    assert shell.files() == []


@pytest.fixture
def stocked(shell: Shell, media: Callable[[MediaSpec], Path]) -> Shell:
    """With a recording in the store."""
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    shutil.copy(media(SHORT), folder / "sea.mp4")
    return shell


def test_up_makes_what_is_submitted_and_stops_cleanly(stocked: Shell) -> None:
    up = stocked.start("up", "--workers", "2", "--json")
    code, out, err = stocked.run("submit", "--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", "w", "--wait")
    assert code == 0, out + err
    assert "ready" in out
    failed = stocked.json("submit", "--recording", "gone.mp4", "--from", "1", "--to", "2", "--wait", code=1)
    assert failed["failure"]["reason"] == "recording_not_found"
    shown = stocked.json("show", "w")
    assert frames_in(stocked.folder / shown["path"]) == 30
    seen = lines_until(up, lambda line: '"clip.failed"' in line)
    assert [json.loads(line)["subject"] for line in seen if '"clip.ready"' in line] == ["w"]
    workers = workers_of(up.pid)
    assert len(workers) == 2
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=PATIENCE)
    assert up.returncode == 0
    assert not any(is_alive(worker) for worker in workers)


def test_a_worker_that_dies_is_replaced(stocked: Shell) -> None:
    up = stocked.start("up", "--workers", "1")
    eventually(lambda: bool(workers_of(up.pid)), "a worker")
    (first,) = workers_of(up.pid)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: bool(workers_of(up.pid)) and workers_of(up.pid) != [first], "another worker")
    assert stocked.run("submit", "--recording", "sea.mp4", "--from", "1", "--to", "2", "--wait")[0] == 0


def test_workers_do_not_outlive_a_killed_up(stocked: Shell) -> None:
    up = stocked.start("up", "--workers", "2")
    eventually(lambda: len(workers_of(up.pid)) == 2, "two workers")
    workers = workers_of(up.pid)
    up.kill()
    eventually(lambda: not any(is_alive(worker) for worker in workers), "the workers' end")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal for it is Linux's")
def test_frozen_workers_do_not_outlive_a_killed_up(stocked: Shell) -> None:
    """As those do that hang in a library: nothing of them runs that could notice."""
    up = stocked.start("up", "--workers", "2")
    data = stocked.folder / "cutback-data"
    eventually(lambda: len(running(data)) == 2, "two workers that have begun")
    workers = workers_of(up.pid)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    up.kill()
    try:
        eventually(lambda: not any(is_alive(worker) for worker in workers), "the workers' end")
    finally:
        for worker in filter(is_alive, workers):
            os.kill(worker, signal.SIGKILL)


def test_a_worker_that_is_stopped_gives_its_clip_back(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    shutil.copy(media(SLOW), folder / "slow.mp4")
    shell.json("submit", "--recording", "slow.mp4", "--from", "0.5", "--to", "19.5", "--id", "w")
    worker = shell.start("worker")
    eventually(lambda: shell.json("show", "w")["state"] == "processing", "its beginning")
    watch = Stopwatch()
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=PATIENCE)
    assert watch.seconds() < 5 * slowdown()
    assert worker.returncode == 0
    assert shell.json("show", "w")["state"] == "queued"


def test_events_follow_what_happens(stocked: Shell) -> None:
    stocked.json("submit", "--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", "w")
    following = stocked.start("events", "--follow", "--after", "0", "--json")
    lines_until(following, lambda line: '"clip.queued"' in line)
    stocked.json("cancel", "w")
    lines_until(following, lambda line: '"clip.cancelled"' in line)
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=PATIENCE)
    assert following.returncode == 0


def test_the_demo_ends_by_itself_as_expected_and_again(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    for scene in (FIRST, SECOND):
        shutil.copy(media(LONG), folder / scene.key)
    code, out, err = shell.run("demo")
    assert code == 0, out + err
    assert out.count("✓ ready") == 13
    assert "range_outside_recording" in out
    assert "requested twice, made once" in out
    assert "\x1b" not in out + err
    again = shell.json("demo")
    assert len(again["requests"]) == 15
    assert len({each["id"] for each in again["requests"]}) == 14
    assert all(each["as_foreseen"] for each in again["requests"])
    assert {each["id"] for each in again["requests"]}.isdisjoint(out.split())
    results = {each["id"].rpartition("-")[0]: each["clip"].get("result") for each in again["requests"]}
    assert [results[name]["frames"] for name in ("for-phones", "timelapse", "crossfade")] == [
        4 * LONG.fps,
        90,
        Fraction("7.5") * LONG.fps,
    ]
    assert all(results[name]["edits"] for name in ("for-phones", "timelapse", "crossfade"))
