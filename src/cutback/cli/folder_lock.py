"""Allows only one `cutback up` per data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cutback.cli.exit_codes import AlreadyRunningError

NAME = "up.lock"


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the folder's lock; the system releases it when the process ends, however it ends.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    handle = os.open(data / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 20, 0).decode(errors="replace").strip()
            raise AlreadyRunningError(
                f"It is process {owner or 'unknown'}, on {data.absolute()}. "
                "For more workers, set CUTBACK_WORKERS or start: cutback worker"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
