"""Finds the workers that run on this machine: each holds a lock, which the system releases when the worker ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "workers"


@contextmanager
def present(data: Path, worker: str, database: Path | None = None) -> Iterator[None]:
    """Register as a running worker of this data folder while the block lasts, and note which file its database is."""
    path = data / FOLDER / worker
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.truncate(handle, 0)
        os.write(handle, b"" if database is None else _identity(database).encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def running(data: Path) -> list[str]:
    """Return the names of the workers that run on this data folder. Files that dead workers left are ignored."""
    return [path.name for path in _files(data) if _is_held(path)]


def left_behind(data: Path) -> list[str]:
    """Return the names of workers that ran on this data folder and died, as far as their files tell."""
    return [path.name for path in _files(data) if not _is_held(path)]


def started_with_another_file(data: Path, database: Path) -> list[str]:
    """Return the names of running workers that began when `database` was another file than now, or is one no more."""
    now = _identity(database)
    return [name for name in running(data) if _noted(data / FOLDER / name) not in {"", now}]


def _files(data: Path) -> list[Path]:
    try:
        return sorted((data / FOLDER).iterdir())
    except OSError:
        return []


def _identity(path: Path) -> str:
    """Which file has this path; `-` if none has."""
    try:
        status = path.stat()
    except OSError:
        return "-"
    return f"{status.st_dev}:{status.st_ino}"


def _noted(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


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
