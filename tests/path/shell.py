"""Runs `cutback` like a shell: real processes in a separate folder, and what tests need to know about them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from tests.path.forked_command import run_forked
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE

SOURCE = Path(__file__).resolve().parents[2] / "src"
SHORT = MediaSpec(frames=300)
# As long as the demo's own recording, but quickly made and quickly cut.
LONG = MediaSpec(fps=Fraction(20), frames=1200, gop=40)
SLOW = MediaSpec(width=1280, height=720, fps=Fraction(30), frames=600, gop=600)


class Shell:
    """Runs `cutback` in a separate folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CUTBACK_")},
            "PYTHONPATH": str(SOURCE),
            "CUTBACK_LEASE": "2",
            "CUTBACK_VISIBILITY": "4",
            "CUTBACK_LISTEN": "127.0.0.1:0",  # several tests may run at once
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
        return run_forked(arguments, folder=self.folder, environment=self.environment)

    def pipe(self, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        """As a part of a pipeline: bytes in, bytes out."""
        done = subprocess.run(
            [sys.executable, "-m", "cutback", *arguments],
            cwd=self.folder, env=self.environment, input=stdin, capture_output=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr.decode()

    def json(self, *arguments: str, code: int = 0) -> Any:
        returned, out, err = self.run(*arguments, "--json")
        assert returned == code, out + err
        return json.loads(out)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


def lines_until(process: subprocess.Popen[str], wanted: Callable[[str], bool]) -> list[str]:
    """The process's output up to the first line that is wanted. Fails when no line comes for too long."""
    assert process.stdout is not None
    seen: list[str] = []
    while True:
        guard = threading.Timer(PATIENCE, process.kill)
        guard.start()
        try:
            line = process.stdout.readline()
        finally:
            guard.cancel()
            guard.join()
        assert line, f"the output ended, or nothing came for {PATIENCE} s: {seen}"
        seen.append(line)
        if wanted(line):
            return seen


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
