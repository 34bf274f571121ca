"""Starts processes by forking one that has imported everything already.

Starting Python and importing takes most of what a short process costs, and tests start thousands. All of a test process
come from the same server, which Python's `multiprocessing` starts with the first.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.forkserver import ensure_running
from multiprocessing.reduction import DupFd
from typing import Any, cast

import pytest

from cutback.sandbox.start_child import Child

_ONE_AT_A_TIME = threading.Lock()
"""`multiprocessing` looks whether its processes have ended whenever it starts one; two threads must not do that."""


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.preloaded"])
    return context


class ForkedProcess:
    """A process that calls a function; what tests and `ChildCutter` use of `subprocess.Popen`."""

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        """`work` is found by its name, so it is a function of a module. It may be given sockets and `DupFd`s."""
        self._process: ForkServerProcess = _context().Process(target=work, args=arguments, daemon=True)
        with _ONE_AT_A_TIME:
            self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit code, as `subprocess.Popen` has it; None as long as the process runs."""
        with _ONE_AT_A_TIME:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it runs longer than `timeout`, in seconds.
        """
        while (code := self.poll()) is None:
            if not wait([self._process.sentinel], timeout):
                raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return code

    def kill(self) -> None:
        """As `subprocess.Popen.kill`."""
        if self.poll() is None:
            self._process.kill()


@contextmanager
def forked_children() -> Iterator[None]:
    """Let each `ChildCutter` of this process fork its children. They confine themselves as others do."""
    _context()
    ensure_running()  # before a test has a temporary folder of its own and looks what is left in it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cutback.sandbox.cutter.start_child", _start_child)
        yield


def _start_child(*, own_parser_only: bool = False) -> Child:
    """As `start_child`."""
    ours, theirs = socket.socketpair()
    stderr = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the child
    with theirs:
        process = ForkedProcess(_cut, theirs, DupFd(stderr.fileno()), own_parser_only)
    return Child(cast("subprocess.Popen[bytes]", process), ours, stderr)


def _cut(sock: socket.socket, stderr: Any, own_parser_only: bool) -> None:  # noqa: FBT001 - called by position
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor, file in ((0, nowhere), (1, nowhere), (2, stderr.detach())):
        os.dup2(file, descriptor)
    os.environ.clear()
    sys.argv = ["child", str(sock.detach()), *["own-parser"] * own_parser_only]

    from cutback.sandbox.child import main

    main()
    os._exit(0)  # the end of a `multiprocessing` process does what a confined one must not
