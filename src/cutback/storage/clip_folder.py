"""Writes an output with several files, such as HLS, into a folder of its own: all of its files, or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from cutback.domain.errors import OutputExistsError, OutputUnwritableError
from cutback.storage import clip_file


def check(folder: Path, *, force: bool) -> None:
    """Check that a folder can be written, before the work.

    Raises:
        OutputExistsError: it has files, and `force` is not set.
        OutputUnwritableError: it is a file, or cannot be read.
    """
    try:
        if folder.is_dir():
            if not force and any(folder.iterdir()):
                raise OutputExistsError(f"It is the folder {folder}.")
        elif folder.exists():
            raise OutputUnwritableError(f"{folder} is a file, not a folder.")
    except OSError as error:
        raise clip_file.unwritable(error, folder) from error


def write(
    folder: Path,
    files: Sequence[tuple[str, Iterable[bytes]]],
    sources: Sequence[Path],
    *,
    force: bool,
    stopped: clip_file.Stopped,
) -> None:
    """Write files, by name, to a temporary folder, then rename it. If this fails, nothing remains.

    If the folder exists, only files with the same names are replaced, the first one last: it refers to the others.

    Raises:
        OutputExistsError: the folder has files, and `force` is not set.
        OutputIsSourceError: one of them would replace the recording.
        CutbackError: as `clip_file.write`.
    """
    check(folder, force=force)
    for name, _ in files:
        clip_file.check_replaceable(folder / name, sources, force=force)
    beside = folder.with_name(f".{folder.name[:200]}.{os.getpid()}.part")
    try:
        beside.mkdir()
        for name, chunks in files:
            clip_file.write(beside / name, chunks, force=False, stopped=stopped)
        if not folder.is_dir():
            beside.rename(folder)
            return
        for name, _ in reversed(files):
            (beside / name).replace(folder / name)
    except OSError as error:
        raise clip_file.unwritable(error, folder) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file or a folder that was written."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
