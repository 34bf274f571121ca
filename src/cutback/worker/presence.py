"""Finds the workers that run on this machine: each holds a lock, which the system releases when the worker ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "workers"


@contextmanager
def present(data: Path, worker: str) -> Iterator[None]:
    """Register as a running worker of this data folder while the block lasts."""
    path = data / FOLDER / worker
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def running(data: Path) -> list[str]:
    """Return the names of the workers that run on this data folder. Files that dead workers left are ignored."""
    try:
        paths = sorted((data / FOLDER).iterdir())
    except OSError:
        return []
    return [path.name for path in paths if _is_held(path)]


def _is_held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
