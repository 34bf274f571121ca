"""A recording from a pipe: kept in a temporary file, because cutting reads it in any order."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from cutback.domain.errors import MediaTooLargeError, StoppedError, StorageFullError, WrongUsageError

FILE = Path("/dev/stdin")
NAME = "stdin"
"""The recording's name, in default names of clips and in messages."""
_CHUNK = 1024 * 1024
_LOOK_EVERY = 0.2
"""Seconds between looks at whether to stop while nothing arrives."""


@contextlib.contextmanager
def saved(*, limit: int, stopped: Callable[[], bool]) -> Iterator[Path]:
    """Read standard input to its end into a file in the temporary folder; it is removed afterwards.

    Raises:
        WrongUsageError: standard input is a terminal.
        MediaTooLargeError: it has more than `limit` bytes.
        StorageFullError: the temporary folder is full.
        StoppedError: `stopped` answered True.
    """
    if sys.stdin.isatty():
        raise WrongUsageError("Standard input is a terminal; - reads a recording from a pipe or a file.")
    with tempfile.TemporaryDirectory(prefix="cutback-") as folder:
        path = Path(folder) / NAME
        try:
            with path.open("wb") as file:
                for chunk in _chunks(limit, stopped):
                    file.write(chunk)
        except OSError as error:
            raise StorageFullError(f"The temporary folder {tempfile.gettempdir()} cannot be written.") from error
        yield path


def _chunks(limit: int, stopped: Callable[[], bool]) -> Iterator[bytes]:
    source, size = sys.stdin.fileno(), 0
    while True:
        if stopped():
            raise StoppedError
        if not select.select([source], [], [], _LOOK_EVERY)[0]:
            continue
        chunk = os.read(source, _CHUNK)
        if not chunk:
            return
        size += len(chunk)
        if size > limit:
            raise MediaTooLargeError(f"Standard input has more than {limit} bytes (CUTBACK_LIMIT_PIPE_BYTES).")
        yield chunk
