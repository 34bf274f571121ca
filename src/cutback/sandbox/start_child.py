"""The process that cuts a clip, as its parent holds it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(slots=True)
class Child:
    """It, the socket to it, and what it says when it dies."""

    process: subprocess.Popen[bytes]
    sock: socket.socket
    stderr: BinaryIO

    def kill(self) -> None:
        """End it, whatever it is at."""
        self.sock.close()
        self.process.kill()
        self.process.wait()
        self.stderr.close()

    def last_words(self) -> str:
        """The end of what it wrote to stderr."""
        self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, self.stderr.tell() - 2000))
        return self.stderr.read().decode(errors="replace").strip()


_OF_THE_INTERPRETER = ("LD_LIBRARY_PATH",)
"""Variables without which some interpreters do not start: Lambda's finds its own library by this one."""


def start_child() -> Child:
    """A process that waits for its job: no credentials, nothing of the parent's but the socket.

    Raises:
        OSError: the system starts no process.
    """
    ours, theirs = socket.socketpair()
    stderr = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the child
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"}
    environment |= {name: os.environ[name] for name in _OF_THE_INTERPRETER if os.environ.get(name)}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "cutback.sandbox.child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the worker, which ends its children itself
        )
    return Child(process, ours, stderr)
