"""The file that a clip is written to: its name, what it must not replace, and how it gets there whole."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from cutback.domain.errors import (
    CutbackError,
    OutputExistsError,
    OutputIsSourceError,
    OutputUnwritableError,
    StoppedError,
    StorageFullError,
    WrongUsageError,
)

STANDARD_OUTPUT = "-"
ENDINGS = (".mp4", ".m4v")
"""What a clip's file may be called: a clip is always an MP4."""

_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", re.ASCII)


def choose(output: str | None, default: str) -> Path | None:
    """Where the clip goes: a file, or None for the standard output. `default` names it within a folder.

    Raises:
        WrongUsageError: the name ends as that of another format, or the standard output is a terminal.
        OutputUnwritableError: nothing can be written there.
    """
    if output == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise WrongUsageError("A video does not belong on a terminal; send the output to a file or a program.")
        return None
    return choose_file(output, default)


def choose_file(output: str | None, default: str) -> Path:
    """Where the clip goes, if it goes to a file. Raises as `choose`."""
    target = Path(default if output is None else output)
    if _mode(target) is not None and target.is_dir():
        target /= default
    elif output is not None and output.endswith("/"):
        raise OutputUnwritableError(f"There is no folder {output}")
    ending = _ENDING.search(target.name)
    if ending and ending[0].lower() not in ENDINGS:
        raise WrongUsageError(f"{output}: a clip is an MP4; name it {target.with_suffix('.mp4').name}.")
    _check_folder(target.parent)
    return target


def check_replaceable(target: Path, sources: Iterable[Path], *, force: bool) -> None:
    """See that writing the clip destroys nothing that somebody needs.

    Raises:
        OutputIsSourceError: it is one of the files that the clip is cut from, by whatever name.
        OutputExistsError: there is a file, and `force` does not allow to replace it.
    """
    there = _mode(target)
    if there is None:
        return
    for source in sources:
        if source.exists() and target.samefile(source):  # compares device and inode: a link is no way round
            raise OutputIsSourceError(f"It is {target}.")
    if stat.S_ISREG(there) and not force:
        raise OutputExistsError(f"It is {target}.")


def write(target: Path | None, chunks: Iterable[bytes], *, force: bool, stopped: Callable[[], bool]) -> None:
    """Write the clip beside its place, then put it there whole; nothing is left when that fails.

    The standard output (None), a device and a pipe are written as they are.

    Raises:
        OutputExistsError: somebody put a file there meanwhile.
        OutputUnwritableError: it cannot be written.
        StorageFullError: there is no room.
        StoppedError: nobody wants it any more.
        BrokenPipeError: whoever read the standard output has enough.
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
        raise _unwritable(error, target) from error


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
    """The mode of what is there; None where nothing is."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unwritable(error, path) from error


def _check_folder(folder: Path) -> None:
    """Before a minute of work rather than after it."""
    if folder.is_dir():
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputUnwritableError(f"You may not write to the folder {folder}.")
        return
    nearest = next((above for above in [folder, *folder.parents] if above.exists()), folder)
    if not nearest.is_dir():
        raise OutputUnwritableError(f"{nearest} is a file, not a folder.")
    raise OutputUnwritableError(f"There is no folder {folder}.")


def _unwritable(error: OSError, target: Path) -> CutbackError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError(f"It is {target}.")
    if error.errno == errno.ENAMETOOLONG:
        return OutputUnwritableError(f"The name {target.name[:60]}… is too long.")
    return OutputUnwritableError(f"{target}: {error.strerror}.")
