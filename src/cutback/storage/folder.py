"""What obstore does not do for folders: keep keys inside, make files durable, remove leftovers."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from cutback.domain.errors import (
    ObjectNotFoundError,
    SourceChangedError,
    StorageUnavailableError,
    SymlinkOutsideError,
)
from cutback.storage.errors import translating
from cutback.storage.object_info import ObjectInfo

_STAGED = re.compile(r".*#\d+", re.DOTALL)
"""The names that obstore writes to first; a killed process leaves such a file behind."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PIECE = 1024 * 1024
_TRIES = 5
_BEGUN = 8 * 1024 * 1024
"""Bytes after which writing to the disk begins."""


class Folder:
    """The folder behind a store, known by its real path.

    Symbolic links are followed only inside the folder. One that leads out is refused, for reading and for writing, so
    that a key can never name another file on the machine. Users who can change the folder while Cutback runs are
    trusted, because check and use are two steps.
    """

    def __init__(self, root: Path) -> None:
        """`root` must exist; it may be a link."""
        self.root = root.resolve(strict=True)

    def path(self, key: str) -> Path:
        """Return the path of an object, without accessing it."""
        return self.root / key

    def check_readable(self, key: str) -> None:
        """Check that the key names a regular file inside the folder; opening a named pipe would block for ever.

        Raises:
            SymlinkOutsideError: a symbolic link leads out of the folder.
            ObjectNotFoundError: it does not.
            OSError: the folder cannot be read.
        """
        if not self._inside(key):
            raise SymlinkOutsideError(f"{key}: a symbolic link leads out of the folder {self.root}.")
        if not stat.S_ISREG(self.path(key).stat().st_mode):
            raise ObjectNotFoundError(f"{key} is not a file.")

    def link_outside(self, key: str) -> Path | None:
        """Return where a symbolic link on the key's way leads, if that is outside the folder; None otherwise."""
        if self._inside(key):
            return None
        return Path(os.path.realpath(self.path(key)))

    def blocked_by(self, key: str) -> str | None:
        """Return the file on the key's way, or the folder that has the key as its name; None if there is neither."""
        way = [str(parent) for parent in reversed(PurePosixPath(key).parents)][1:]
        for each in way:
            if self.path(each).exists() and not self.path(each).is_dir():
                return each
        return key if self.path(key).is_dir() else None

    def holds_anything(self) -> bool:
        """Whether the folder exists and is not empty.

        Raises:
            OSError: it cannot be read.
        """
        try:
            with os.scandir(self.root) as entries:
                return next(entries, None) is not None
        except (FileNotFoundError, NotADirectoryError):
            return False

    def check_creatable(self, key: str) -> None:
        """Raise `StorageUnavailableError` if a symbolic link leads the new file out of the folder."""
        if not self._inside(key):
            raise StorageUnavailableError(f"{key}: a symbolic link leads out of the folder {self.root}.")

    def _inside(self, key: str) -> bool:
        return Path(os.path.realpath(self.path(key))).is_relative_to(self.root)

    def read(self, key: str, etag: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` to `end` (excluded) of one version, in chunks. Call `check_readable` first.

        Raises:
            SourceChangedError: the file has another version, changes meanwhile, or ends before the end of the range.
            ObjectNotFoundError: the file does not exist any more.
        """
        with translating(key):
            handle = os.open(self.path(key), os.O_RDONLY | os.O_NONBLOCK)
            try:
                while start < end:
                    # Check before and after each chunk, because a file may be rewritten in place.
                    piece = os.pread(handle, min(_PIECE, end - start), start)
                    if not piece or _version(os.fstat(handle)) != etag:
                        raise SourceChangedError(f"{key}.")
                    start += len(piece)
                    yield piece
            finally:
                os.close(handle)

    def read_grown(
        self, key: str, etag: str, start: int, length: int, unchanged: Iterable[tuple[int, bytes]]
    ) -> bytes | None:
        """Do what `Store.read_grown` describes. Call `check_readable` first."""
        handle = os.open(self.path(key), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if _inode(os.fstat(handle)) != etag.strip('"').partition("-")[0]:
                return None
            data = os.pread(handle, length, start)
            # Compare after reading, to notice any change made before the read.
            same = all(os.pread(handle, len(known), at) == known for at, known in unchanged)
            return data if same and len(data) == length else None
        finally:
            os.close(handle)

    def write(self, key: str, chunks: Iterable[bytes]) -> None:
        """Write the chunks to a new file; if they or the disk fail, nothing of it remains.

        Raises:
            CutbackError: the system failed; translated by `translating`.
            Exception: what `chunks` raised, unchanged.
        """
        with translating(key, writing=True):
            handle = self._create(self.path(key))
        written = begun = 0
        try:
            for chunk in chunks:
                with translating(key, writing=True):
                    rest = memoryview(chunk)
                    while rest:
                        rest = rest[os.write(handle, rest) :]
                    written += len(chunk)
                    if written - begun >= _BEGUN:
                        _begin_writing(handle, begun, written)
                        begun = written
        except BaseException:
            self.path(key).unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)

    def _create(self, path: Path) -> int:
        for _ in range(_TRIES):
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # removed meanwhile, because it was empty
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def make_durable(self, key: str) -> None:
        """Flush the file and its folders to the disk, so that they survive a power failure.

        Raises:
            OSError: the disk cannot write them.
        """
        path = self.path(key)
        while True:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            if path == self.root:
                return
            path = path.parent

    def files(self, prefix: str) -> Iterator[tuple[str, ObjectInfo | None]]:
        """Yield the files below `prefix` (empty: all) by key, without following links to folders.

        A link comes without information: it may lead out of the folder, so look at it by itself.

        Raises:
            StorageUnavailableError: the folder itself is missing.
        """
        if not self.root.is_dir():
            raise StorageUnavailableError(f"The folder {self.root} is missing. Check that its disk is mounted.")
        yield from self._files(self.path(prefix) if prefix else self.root, f"{prefix}/" if prefix else "")

    def _files(self, place: Path | str, before: str) -> Iterator[tuple[str, ObjectInfo | None]]:
        try:
            with os.scandir(place) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            _raise_unless_gone(error)
            return
        folders = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry)
            elif not _STAGED.fullmatch(entry.name):
                with suppress(FileNotFoundError):  # removed meanwhile
                    yield before + entry.name, _info(before + entry.name, entry)
        for entry in folders:
            yield from self._files(entry.path, f"{before}{entry.name}/")

    def remove_below(self, prefix: str, *, keep: str | None) -> int:
        """Remove every file below `prefix`, including incomplete ones, then the empty folders.

        Links are removed, never followed. Returns the number of files.

        Raises:
            StorageUnavailableError: `prefix` is a symbolic link or contains one.
            OSError: a file or folder could not be removed.
        """
        top = self.path(prefix)
        if os.path.realpath(top) != str(top):
            raise StorageUnavailableError(f"{prefix}: its path contains a symbolic link; nothing was removed.")
        kept = None if keep is None else self.path(keep)
        removed = 0
        for place, folders, names in os.walk(top, topdown=False, onerror=_raise_unless_gone):
            links = [name for name in folders if Path(place, name).is_symlink()]
            for path in (Path(place, name) for name in [*names, *links]):
                if path != kept:
                    path.unlink(missing_ok=True)
                    removed += 1
            with suppress(OSError):
                Path(place).rmdir()  # fails if it is not empty, as intended
        self._remove_empty_folders(top.parent)
        return removed

    def remove_file(self, key: str) -> None:
        """Remove a file or link, if it exists, then the empty folders.

        Raises:
            StorageUnavailableError: a symbolic link leads out of the folder.
            OSError: it cannot be removed.
        """
        path = self.path(key)
        if not Path(os.path.realpath(path.parent)).is_relative_to(self.root):
            raise StorageUnavailableError(f"{key}: a symbolic link leads out of the folder {self.root}.")
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        self._remove_empty_folders(path.parent)

    def _remove_empty_folders(self, path: Path) -> None:
        while path != self.root:
            try:
                path.rmdir()
            except OSError as error:
                if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
                    return
            path = path.parent


def _info(key: str, entry: os.DirEntry[str]) -> ObjectInfo | None:
    """As obstore describes a file; None for anything else."""
    if not entry.is_file(follow_symlinks=False):
        return None
    status = entry.stat(follow_symlinks=False)
    modified = _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
    return ObjectInfo(key, status.st_size, _version(status), modified)


def _raise_unless_gone(error: OSError) -> None:
    if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
        raise error


def _begin_writing(handle: int, start: int, end: int) -> None:
    """Begin to write this range to the disk now, so that less remains for `make_durable` at the end.

    Linux starts this before it drops pages that are marked as unneeded; it keeps pages that are not written yet.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(handle, start, end - start, os.POSIX_FADV_DONTNEED)


def _inode(status: os.stat_result) -> str:
    """Return the first part of a file's ETag, which stays the same while the file grows."""
    return f"{status.st_ino:x}"


def _version(status: os.stat_result) -> str:
    """Return a file's ETag, made like obstore's."""
    return f'"{_inode(status)}-{status.st_mtime_ns // 1000:x}-{status.st_size:x}"'
