"""Writes a clip to a file: chooses its name, protects existing files, and never leaves a partial clip."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TypeAlias

from cutback.domain.errors import (
    CutbackError,
    OutputExistsError,
    OutputIsSourceError,
    OutputUnwritableError,
    StoppedError,
    StorageFullError,
    WrongUsageError,
)

Stopped: TypeAlias = Callable[[], bool]
"""Says whether the work was stopped."""

STANDARD_OUTPUT = "-"
_ALSO = {".mp4": (".m4v",), ".jpg": (".jpeg",), ".opus": (".ogg",), ".m4a": (".mp4",)}
"""Other extensions that files of a format may have."""

_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", re.ASCII)


def choose(output: str | None, default: str) -> Path | None:
    """Return the clip's file, or None for standard output. `default` is its name if the output is a folder.

    Its extension is that of the clip's format.

    Raises:
        WrongUsageError: the name has another format's extension, or standard output is a terminal.
        OutputUnwritableError: nothing can be written there.
    """
    if output == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise WrongUsageError("Standard output is a terminal; redirect it to a file or a program.")
        return None
    return choose_file(output, default)


def choose_file(output: str | None, default: str) -> Path:
    """Return the clip's file; standard output is not possible here. Raises like `choose`."""
    target = Path(default if output is None else output)
    if _mode(target) is not None and target.is_dir():
        target /= default
    elif output is not None and output.endswith("/"):
        raise OutputUnwritableError(f"The folder {output} does not exist.")
    ending = _ENDING.search(target.name)
    right = Path(default).suffix
    if ending and ending[0].lower() not in (right, *_ALSO.get(right, ())):
        kind = right.removeprefix(".").upper()
        raise WrongUsageError(f"{output}: its format is {kind}; name it {target.with_suffix(right).name}.")
    _check_folder(target.parent)
    return target


def check_replaceable(target: Path, sources: Iterable[Path], *, force: bool) -> None:
    """Check that writing the clip does not destroy another file.

    Raises:
        OutputIsSourceError: the clip is cut from this very file, possibly under another name.
        OutputExistsError: the file exists, and `force` is not set.
    """
    there = _mode(target)
    if there is None:
        return
    for source in sources:
        if source.exists() and target.samefile(source):  # compares device and inode, so links are recognised too
            raise OutputIsSourceError(f"It is {target}.")
    if stat.S_ISREG(there) and not force:
        raise OutputExistsError(f"It is {target}.")


def write(target: Path | None, chunks: Iterable[bytes], *, force: bool, stopped: Callable[[], bool]) -> None:
    """Write the clip to a temporary file next to `target`, then rename it. If this fails, nothing remains.

    Standard output (None), devices and pipes are written directly.

    Raises:
        OutputExistsError: another program created the file meanwhile.
        OutputUnwritableError: the file cannot be written.
        StorageFullError: there is no space.
        StoppedError: the work was stopped.
        BrokenPipeError: the reader of standard output has closed it.
    """
    if target is None:
        _copy(chunks, sys.stdout.buffer, stopped)
        sys.stdout.buffer.flush()
        return
    try:
        if not stat.S_ISREG(_mode(target) or stat.S_IFREG):
            with target.open("wb") as file:
                _copy(chunks, file, stopped)
            return
        beside = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
        try:
            with beside.open("xb") as file:
                _copy(chunks, file, stopped)
            _put(beside, target, force=force)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(error, target) from error


def _copy(chunks: Iterable[bytes], file: IO[bytes], stopped: Callable[[], bool]) -> None:
    for chunk in chunks:
        if stopped():
            raise StoppedError
        file.write(chunk)


def _put(beside: Path, target: Path, *, force: bool) -> None:
    if force:
        beside.replace(target)
        return
    try:
        os.link(beside, target)  # unlike a rename, this never replaces
    except FileExistsError:
        raise OutputExistsError(f"It is {target}.") from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise OutputExistsError(f"It is {target}.") from None
        beside.replace(target)


def _mode(path: Path) -> int | None:
    """Return the mode of an existing file; None if there is none."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unwritable(error, path) from error


def _check_folder(folder: Path) -> None:
    """Check the folder before the work rather than after it."""
    if folder.is_dir():
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputUnwritableError(f"You may not write to the folder {folder}.")
        return
    nearest = next((above for above in [folder, *folder.parents] if above.exists()), folder)
    if not nearest.is_dir():
        raise OutputUnwritableError(f"{nearest} is a file, not a folder.")
    raise OutputUnwritableError(f"The folder {folder} does not exist.")


def unwritable(error: OSError, target: Path) -> CutbackError:
    """Return the error to report when the system refuses to write a file."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError(f"It is {target}.")
    if error.errno == errno.ENAMETOOLONG:
        return OutputUnwritableError(f"The name {target.name[:60]}… is too long.")
    return OutputUnwritableError(f"{target}: {error.strerror}.")
