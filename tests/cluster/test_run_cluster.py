"""`make run-cluster`: the whole of it, with each balancer, as in CI and as on a terminal."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.path.shell import is_alive, lines_until
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def need(*programs: str) -> None:
    """Skip the test where a program is missing, and fail it in CI."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    for each in programs:
        if shutil.which(each, path=path) is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {each}")


def servers_in(folder: str) -> list[int]:
    """The living processes whose command or folder of work is in a folder."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and is_alive(int(each.name)):
            try:
                if str((each / "cwd").readlink()).startswith(folder):
                    found.append(int(each.name))
            except OSError:
                continue
    return found


@pytest.mark.parametrize("balancer", ["nginx", "haproxy"])
def test_without_a_terminal_the_cluster_makes_clips_and_ends(balancer: str) -> None:
    need(balancer, "memcached")
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cluster", "--balancer", balancer],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}/src"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^wave-\d: ready, [1-9]\d+ bytes through the balancer$", done.stdout, re.MULTILINE)) == 6
    assert "Everything has stopped." in done.stdout
    folder = re.search(r"Everything is in (\S+),", done.stdout)
    assert folder is not None
    assert servers_in(folder[1]) == []
    assert not Path(folder[1]).exists()


def test_on_a_terminal_the_cluster_runs_until_ctrl_c() -> None:
    need("nginx", "memcached")
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cluster", "--port", "0"],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}/src"}, stdin=theirs,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        said = lines_until(process, lambda line: line.startswith("Ready at"))
        url = said[-1].split()[2].rstrip(".")
        folder = next(line for line in said if line.startswith("Everything is in")).split()[3].rstrip(",")
        assert len(httpx.get(f"{url}/v1/clips").json()["items"]) == 6
        assert len(servers_in(folder)) >= 8
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, rest.splitlines()[-1]) == (0, "Everything has stopped.")
        assert servers_in(folder) == []
    finally:
        os.close(ours)
        os.close(theirs)
