"""A MongoDB for tests: nx-27017, which implements its protocol on a file, or a real one from the environment."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.support.waiting import PATIENCE

REAL = os.environ.get("CUTBACK_TEST_MONGODB", "")
"""The URL of a MongoDB where tests may make databases of their own, and drop them again."""


def need_mongodb() -> None:
    """Skip the test where it cannot run; fail it in CI."""
    if not REAL:
        need_nx()


def need_nx() -> None:
    """The same for a test that needs a separate MongoDB, such as one to kill."""
    if find_spec("nx_27017") is None:
        if os.environ.get("CI"):
            pytest.fail("nx-27017 is not installed")
        pytest.skip("needs nx-27017")


class MongoServer:
    """nx-27017 on loopback, one file a database. It can be killed, and started again on the same port and files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        pid_file = self.folder / "pid"
        pid_file.unlink(missing_ok=True)  # one that was killed leaves it behind
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                # Left alone, all servers of a machine share one such file, and the second refuses to start.
                [
                    sys.executable, "-m", "nx_27017.nx_27017", "--data-dir", self.folder / "data",
                    "-p", str(self.port), "--pid-file", pid_file,
                ],
                cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        """As a machine that loses its power does; what it had not answered may be there or not."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def url(self, port: int | None = None) -> str:
        """Of a database that no other test uses."""
        return f"mongodb://127.0.0.1:{port or self.port}/test_{secrets.token_hex(6)}"


def real_url() -> str:
    """The URL of a separate database in the MongoDB of the environment."""
    head, _, options = REAL.partition("?")
    scheme, _, rest = head.partition("://")
    hosts = rest.partition("/")[0]
    return f"{scheme}://{hosts}/cutback_test_{secrets.token_hex(6)}{'?' if options else ''}{options}"
