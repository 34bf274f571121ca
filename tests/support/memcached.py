"""memcached from the system, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time

import pytest
from tests.support.waiting import PATIENCE


def need_memcached() -> str:
    """The program; skips the test where it is missing, and fails it in CI."""
    found = shutil.which("memcached")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("memcached is not installed")
        pytest.skip("needs memcached")
    return found


class Memcached:
    """One node. It can be killed, and started again on the same port, empty."""

    def __init__(self) -> None:
        self._program = need_memcached()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.node: tuple[str, int] = free.getsockname()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [self._program, "-l", self.node[0], "-p", str(self.node[1]), "-U", "0", "-m", "64", *user],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(self.node) == 0:
                    return
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)

    def ask(self, *lines: bytes) -> bytes:
        """What it answers to these lines, typed by hand."""
        with socket.create_connection(self.node, PATIENCE) as connection:
            connection.sendall(b"".join(line + b"\r\n" for line in (*lines, b"quit")))
            with connection.makefile("rb") as answer:
                return answer.read()
