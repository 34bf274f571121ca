"""Processes whose children live until they are killed. Births are cheap: all is imported before the first one.

A program calls `serve`; a test starts it as a `Nursery`. The program tells everything on its standard output, a line
each, in one write, so that a kill cannot break a line: `born PID`, `dead PID CODE` (after all that the child had to
tell), and whatever else its children have to tell.
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

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0


def tell(*words: object) -> None:
    """One line for the test."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def serve(live: Callable[[str], None]) -> None:
    """Give birth for each line read, which names the life. Nothing may have been opened before: children are forks."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live(line.strip())
            finally:
                os._exit(70)  # only an error comes here; what is inherited is not this one's to tidy
        tell("born", child)
        _, status = os.waitpid(child, 0)
        tell("dead", child, os.waitstatus_to_exitcode(status))


class Nursery:
    """A program that serves."""

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: object,
        hear: Callable[[str], None] = lambda _line: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`hear` is given every line that is told."""
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

    def live_and_die(self, number: int, seconds: float) -> int:
        """One child, killed `seconds` after its birth. Returns how it ended."""
        self._stdin.write(f"{self.name}{number}\n".encode())
        child = int(self._listen("born", DEADLINE).split(" ")[1])
        # While it lives it is listened to, or it would come to wait for us.
        assert not self._listen("dead", seconds), "it died by itself"
        os.kill(child, signal.SIGKILL)
        return int(self._listen("dead", DEADLINE).split(" ")[2])

    def close(self) -> None:
        """End it; a child that still lives is waited for."""
        self._stdin.close()
        self._process.wait(DEADLINE)
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
            assert read, "the nursery has ended"
            self._rest += read
