"""Copies the database while it is in use, with SQLite's online backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from cutback.domain.errors import OutputExistsError, OutputIsSourceError, OutputUnwritableError, RecordsUnavailableError

_PAGES = 2000
"""Pages that are copied at a time; writers can write in between."""


def back_up(database: Path, target: Path, *, replace: bool) -> int:
    """Copy the database to `target`, complete and checked, or not at all. Returns its size in bytes.

    Raises:
        OutputExistsError: `target` exists, and `replace` is not set.
        OutputIsSourceError: `target` is the database itself.
        OutputUnwritableError: `target` cannot be written.
        RecordsUnavailableError: the database cannot be read or is damaged.
    """
    if target.exists():
        if target.samefile(database):
            raise OutputIsSourceError(f"It is {target}.")
        if not replace:
            raise OutputExistsError(f"It is {target}.")
    beside = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
    try:
        beside.touch(mode=0o600, exist_ok=False)
        _copy(database, beside)
        beside.replace(target)
        return target.stat().st_size
    except sqlite3.Error as error:
        raise RecordsUnavailableError(f"{database} could not be copied to {target}.") from error
    except OSError as error:
        raise OutputUnwritableError(f"{target}: {error.strerror}.") from error
    finally:
        for name in (beside, *(beside.with_name(beside.name + end) for end in ("-journal", "-wal", "-shm"))):
            with suppress(OSError):
                name.unlink(missing_ok=True)


def _copy(database: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy, pages=_PAGES)
        copy.execute("PRAGMA journal_mode = DELETE")  # a single file, without -wal and -shm
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise RecordsUnavailableError(f"{database} is damaged: its copy failed the check.")
    with target.open("rb") as written:
        os.fsync(written.fileno())
