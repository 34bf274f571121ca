"""The command line at work: real processes, a real recording, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from tests.support.media import cached_media
from tests.support.spec import MediaSpec

from cutback.run.demo import RECORDING

SOURCE = Path(__file__).resolve().parents[2] / "src"
SHORT = MediaSpec(frames=300)
# As long as the demo's own recording, but quickly made and quickly cut.
LONG = MediaSpec(fps=Fraction(10), frames=3000, gop=20)
SLOW = MediaSpec(width=1280, height=720, fps=Fraction(30), frames=600, gop=600)

PATIENCE = 60.0


class Shell:
    """Runs `cutback` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CUTBACK_")},
            "PYTHONPATH": str(SOURCE),
            "CUTBACK_LEASE": "2",
            "CUTBACK_VISIBILITY": "4",
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "cutback", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str, str]:
        out, err = (process := self.start(*arguments)).communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def json(self, *arguments: str, code: int = 0) -> Any:
        returned, out, err = self.run(*arguments, "--json")
        assert returned == code, out + err
        return json.loads(out)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def media(pytestconfig: pytest.Config) -> Callable[[MediaSpec], Path]:
    folder = Path(pytestconfig.cache.mkdir("media"))  # type: ignore[union-attr]
    return lambda spec: cached_media(spec, folder)


def lines_until(process: subprocess.Popen[str], wanted: Callable[[str], bool]) -> list[str]:
    """The process's output up to the first line that is wanted, or to its end."""
    assert process.stdout is not None
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    seen: list[str] = []
    try:
        for line in iter(process.stdout.readline, ""):
            seen.append(line)
            if wanted(line):
                return seen
    finally:
        guard.cancel()
        guard.join()
    raise AssertionError(f"not within {PATIENCE} s: {seen}")


def eventually(check: Callable[[], bool], what: str) -> None:
    never, deadline = threading.Event(), time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, what
        never.wait(0.05)


def workers_of(parent: int) -> list[int]:
    """The living children of a process."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(number) for number in text.split()]


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_cut_makes_the_frames_asked_for_and_says_so(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
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
        (["--from", "5", "--to", "4"], 3, "invalid_request"),
        (["--from", "5"], 2, "wrong_usage"),
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


def test_probe_tells_tracks_and_keyframes(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
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
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < 1.5
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


def test_a_worker_that_is_stopped_gives_its_clip_back(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    shutil.copy(media(SLOW), folder / "slow.mp4")
    shell.json("submit", "--recording", "slow.mp4", "--from", "0.5", "--to", "19.5", "--id", "w")
    worker = shell.start("worker")
    eventually(lambda: shell.json("show", "w")["state"] == "processing", "its beginning")
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < 5
    assert worker.returncode == 0
    assert shell.json("show", "w")["state"] == "queued"


def test_events_follow_what_happens(stocked: Shell) -> None:
    following = stocked.start("events", "--follow", "--after", "0", "--json")
    stocked.json("submit", "--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", "w")
    lines_until(following, lambda line: '"clip.queued"' in line)
    stocked.json("cancel", "w")
    lines_until(following, lambda line: '"clip.cancelled"' in line)
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=PATIENCE)
    assert following.returncode == 0


def test_the_demo_ends_by_itself_as_foreseen_and_again(shell: Shell, media: Callable[[MediaSpec], Path]) -> None:
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    shutil.copy(media(LONG), folder / RECORDING)
    code, out, err = shell.run("demo")
    assert code == 0, out + err
    assert out.count("✓ ready") == 10
    assert "range_outside_recording" in out
    assert "asked for twice, made once" in out
    assert "\x1b" not in out + err
    again = shell.json("demo")
    assert len(again["requests"]) == 12
    assert len({each["id"] for each in again["requests"]}) == 11
    assert all(each["as_foreseen"] for each in again["requests"])
    assert {each["id"] for each in again["requests"]}.isdisjoint(out.split())
