"""A confined process can compute and use what it holds open, and nothing else."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.waiting import PATIENCE

PROGRAM = """
import json, os, socket, sys, threading
from cutback.sandbox.confine import confine, into_nowhere
from cutback.cutting.job import Limits

into_nowhere()
pair = socket.socketpair()
held = confine(Limits(memory=256 * 1024 * 1024))
tries = {
    "read a file": lambda: open("/etc/passwd"),
    "write a file": lambda: open("/tmp/written-by-a-confined-process", "w"),
    "make a relative file": lambda: open("here", "w"),
    "make a folder": lambda: os.mkdir("/tmp/made-by-a-confined-process"),
    "open a socket": lambda: socket.socket(),
    "fork": os.fork,
    "start a program": lambda: os.execv("/bin/true", ["true"]),
    "signal the parent": lambda: os.kill(os.getppid(), 0),
    "take all memory": lambda: bytearray(1 << 30),
}
outcome = {}
for name, attempt in tries.items():
    try:
        attempt()
        outcome[name] = "allowed"
    except (PermissionError, FileNotFoundError, MemoryError) as error:
        outcome[name] = type(error).__name__
thread = threading.Thread(target=lambda: pair[0].sendall(b"still talking"))
thread.start()
thread.join()
outcome["talk"] = pair[1].recv(100).decode()
sys.stdout.write(json.dumps({"held": held, "outcome": outcome}))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"},
    reason="the filter is for Linux on x86-64 and arm64",
)
def test_a_confined_process_reaches_nothing_but_what_it_was_given() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=PATIENCE)
    found = json.loads(done.stdout)
    assert {"limits", "seccomp"} <= set(found["held"])
    assert os.geteuid() != 0 or "user" in found["held"], "root becomes another user"
    assert found["outcome"].pop("talk") == "still talking"
    assert found["outcome"].pop("take all memory") == "MemoryError"
    assert set(found["outcome"].values()) == {"PermissionError"}, found["outcome"]


LANDLOCKED = """
import ctypes, sys
from cutback.sandbox import landlock
held = open(sys.argv[1])
if not landlock.forbid_all(ctypes.CDLL(None, use_errno=True)):
    sys.exit("no landlock")
try:
    open(sys.argv[1])
except PermissionError:
    sys.stdout.write("refused, but still held: " + held.read())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_landlock_alone_keeps_files_closed_but_for_those_held(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("content")
    command = [sys.executable, "-c", LANDLOCKED, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if "no landlock" in done.stderr:
        pytest.skip("this kernel has no Landlock")
    assert done.stdout == "refused, but still held: content", done.stderr
