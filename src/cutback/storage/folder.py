"""What a folder needs beyond what obstore does for it: no way out, durable files, a clean sweep."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from cutback.domain.errors import ObjectNotFoundError, SourceChangedError, StorageUnavailableError
from cutback.storage.errors import translating

_STAGED = re.compile(r".*#\d+", re.DOTALL)
"""obstore writes to such a name first; a process killed meanwhile leaves it behind."""

_PIECE = 1024 * 1024
_TRIES = 5
_BEGUN = 8 * 1024 * 1024
"""Bytes after which the disk is set to work."""


class Folder:
    """The folder behind a store, known by its real path.

    Symbolic links inside it are followed as long as they stay inside; one that leads out is refused,
    for reading and for writing, so that a key can never name a file elsewhere on the machine. Whoever
    can change the folder while Cutback runs is trusted: the check and the use are two steps.
    """

    def __init__(self, root: Path) -> None:
        """`root` must exist; it may itself be a link."""
        self.root = root.resolve(strict=True)

    def path(self, key: str) -> Path:
        """Where the object lies; nothing is looked up."""
        return self.root / key

    def check_readable(self, key: str) -> None:
        """Let only regular files inside the folder pass; opening a named pipe would hang for ever.

        Raises:
            ObjectNotFoundError: there is none under this key.
            OSError: the folder cannot be looked at.
        """
        if not self._inside(key):
            raise ObjectNotFoundError(f"{key}: a symbolic link leads out of the folder {self.root}.")
        if not stat.S_ISREG(self.path(key).stat().st_mode):
            raise ObjectNotFoundError(f"{key}: is not a file.")

    def holds_anything(self) -> bool:
        """Whether the folder is there and not empty.

        Raises:
            OSError: it cannot be looked at.
        """
        try:
            with os.scandir(self.root) as entries:
                return next(entries, None) is not None
        except (FileNotFoundError, NotADirectoryError):
            return False

    def check_creatable(self, key: str) -> None:
        """Raises `StorageUnavailableError` when a symbolic link would lead the new file out of the folder."""
        if not self._inside(key):
            raise StorageUnavailableError(f"{key}: a symbolic link leads out of the folder {self.root}.")

    def _inside(self, key: str) -> bool:
        return Path(os.path.realpath(self.path(key))).is_relative_to(self.root)

    def read(self, key: str, etag: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end` (excluded) of one version, in pieces; see `check_readable` first.

        Raises:
            SourceChangedError: it is another version, or became one meanwhile, or ends before the range does.
            ObjectNotFoundError: it is gone.
        """
        with translating(key):
            handle = os.open(self.path(key), os.O_RDONLY | os.O_NONBLOCK)
            try:
                while start < end:
                    # Looked at before and after each piece: a file may be rewritten in place.
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
        """As `Store.read_grown`; see `check_readable` first."""
        handle = os.open(self.path(key), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if _inode(os.fstat(handle)) != etag.strip('"').partition("-")[0]:
                return None
            data = os.pread(handle, length, start)
            # Compared afterwards: a change that came before this read must not pass.
            same = all(os.pread(handle, len(known), at) == known for at, known in unchanged)
            return data if same and len(data) == length else None
        finally:
            os.close(handle)

    def write(self, key: str, chunks: Iterable[bytes]) -> None:
        """A new file of these chunks; nothing is left of it when they, or the disk, fail.

        Raises:
            CutbackError: as `translating` puts what the system says.
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
            with suppress(FileNotFoundError):  # swept away meanwhile, as it was empty
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def make_durable(self, key: str) -> None:
        """Return once the file, and its name in its folders, would survive a loss of power.

        Raises:
            OSError: the disk could not write them.
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

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of the files below `prefix` (all, when empty), without following links to folders.

        Raises:
            StorageUnavailableError: the folder itself is missing.
        """
        top = self.path(prefix) if prefix else self.root
        if not self.root.is_dir():
            raise StorageUnavailableError(f"The folder {self.root} is missing. Is its disk mounted?")
        for place, folders, names in os.walk(top, onerror=_raise_unless_gone):
            folders.sort()
            for name in sorted(names):
                if not _STAGED.fullmatch(name):
                    yield Path(place, name).relative_to(self.root).as_posix()

    def remove_below(self, prefix: str, *, keep: str | None) -> int:
        """Remove every file below `prefix`, half-written ones too, then the folders left empty.

        Links are removed, never followed. Returns the number of files.

        Raises:
            StorageUnavailableError: `prefix` is or lies behind a symbolic link.
            OSError: something could not be removed.
        """
        top = self.path(prefix)
        if os.path.realpath(top) != str(top):
            raise StorageUnavailableError(f"{prefix}: a symbolic link is in its path; nothing was removed.")
        kept = None if keep is None else self.path(keep)
        removed = 0
        for place, folders, names in os.walk(top, topdown=False, onerror=_raise_unless_gone):
            links = [name for name in folders if Path(place, name).is_symlink()]
            for path in (Path(place, name) for name in [*names, *links]):
                if path != kept:
                    path.unlink(missing_ok=True)
                    removed += 1
            with suppress(OSError):
                Path(place).rmdir()  # fails while something is in it, as it should
        self._remove_empty_folders(top.parent)
        return removed

    def remove_file(self, key: str) -> None:
        """Remove one file, or the link of that name, if there is one, and the folders left empty.

        Raises:
            StorageUnavailableError: a symbolic link leads out of the folder.
            OSError: it could not be removed.
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


def _raise_unless_gone(error: OSError) -> None:
    if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
        raise error


def _begin_writing(handle: int, start: int, end: int) -> None:
    """Let the disk begin with what was written, so that making it durable does not begin only at the end.

    Linux does so before it forgets pages that are said to be needed no more; those not written yet it keeps.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(handle, start, end - start, os.POSIX_FADV_DONTNEED)


def _inode(status: os.stat_result) -> str:
    """What a file's etag begins with: it stays while the file grows."""
    return f"{status.st_ino:x}"


def _version(status: os.stat_result) -> str:
    """As obstore makes a file's etag."""
    return f'"{_inode(status)}-{status.st_mtime_ns // 1000:x}-{status.st_size:x}"'
