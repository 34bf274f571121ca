"""Child processes that a test kills. Starting one is cheap: it is a fork of a parent that has imported everything.

The parent is a program that calls `serve`; a test starts it with `ChildProcesses`. It reports on standard output, one
line in one write, so that a kill cannot break a line: `started PID`, `ended PID CODE` (after everything that the child
reported), and whatever the children report themselves.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


def tell(*words: object) -> None:
    """One line for the test."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def serve(work: Callable[[str], None]) -> None:
    """Fork a child for each line read, its name. Open nothing before calling this: children inherit it."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(line.strip())
            finally:
                os._exit(70)  # only after an error; what the child inherited is not its own to close
        tell("started", child)
        _, status = os.waitpid(child, 0)
        tell("ended", child, os.waitstatus_to_exitcode(status))


class ChildProcesses:
    """A running program that calls `serve`."""

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: object,
        hear: Callable[[str], None] = lambda _line: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`hear` is called with every line that the program writes."""
        self.name = name
        self._hear = hear
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            env={
                **(os.environ if environment is None else environment),
                "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path))),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    def start_and_kill(self, number: int, seconds: float) -> int:
        """Start a child and kill it `seconds` later. Returns its exit code."""
        self._stdin.write(f"{self.name}{number}\n".encode())
        child = int(self._listen("started", PATIENCE).split(" ")[1])
        # Read what it writes meanwhile, or it would block on a full pipe.
        assert not self._listen("ended", seconds), "it ended by itself"
        os.kill(child, signal.SIGKILL)
        return int(self._listen("ended", PATIENCE).split(" ")[2])

    def close(self) -> None:
        """End it, after waiting for a child that still runs."""
        self._stdin.close()
        self._process.wait(PATIENCE)
        self._stdout.close()

    def _listen(self, awaited: str, seconds: float) -> str:
        """The awaited line, or nothing once the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            while b"\n" in self._rest:
                line, self._rest = self._rest.split(b"\n", 1)
                self._hear(line.decode())
                if line.decode().startswith(awaited):
                    return line.decode()
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._stdout], [], [], left)[0]:
                return ""
            read = os.read(self._stdout.fileno(), 65_536)
            assert read, "the parent process has ended"
            self._rest += read
