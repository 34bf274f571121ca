"""Starts the process that cuts a clip."""

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
    """The process, the socket to it, and its error output."""

    process: subprocess.Popen[bytes]
    sock: socket.socket
    stderr: BinaryIO

    def kill(self) -> None:
        """Kill it immediately."""
        self.sock.close()
        self.process.kill()
        self.process.wait()
        self.stderr.close()

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error."""
        self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, self.stderr.tell() - 2000))
        return self.stderr.read().decode(errors="replace").strip()


_QUIET = {"SVT_LOG": "1"}
"""The encoder of AV1 says what it does on standard error, which is for what goes wrong."""

_OF_THE_INTERPRETER = ("LD_LIBRARY_PATH",)
"""Variables that some interpreters need to start: Lambda's finds its own library by this one."""


_OWN_PARSER = "own-parser"


def start_child(*, own_parser_only: bool = False) -> Child:
    """A process that waits for its job: no credentials, nothing of the parent's but the socket.

    With `own_parser_only` it has no libraries of FFmpeg and only probes; it starts in a third of the time.

    Raises:
        OSError: the system cannot start a process.
    """
    ours, theirs = socket.socketpair()
    stderr = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the child
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"} | _QUIET
    environment |= {name: os.environ[name] for name in _OF_THE_INTERPRETER if os.environ.get(name)}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "cutback.sandbox.child", str(theirs.fileno()), *[_OWN_PARSER] * own_parser_only],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=environment,
            start_new_session=True,  # only the worker handles Ctrl-C, and then ends its children
        )
    return Child(process, ours, stderr)
