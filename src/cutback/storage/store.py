"""Stores of recordings and clips: a folder, S3 and what is compatible with it, Google Cloud Storage, Azure."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING

from cutback.domain.errors import (
    CutbackError,
    InvalidRequestError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    SourceChangedError,
    StorageUnavailableError,
)
from cutback.storage.connect import connect, folder_of, without_secrets
from cutback.storage.download import streamed
from cutback.storage.errors import check, translating
from cutback.storage.folder import Folder
from cutback.storage.object_info import ObjectInfo, info_of
from cutback.storage.upload import collect, counted, part_size_of, upload

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["MIB", "ObjectInfo", "Store"]

log = logging.getLogger(__name__)

MIB = 1024 * 1024
LARGEST_COPY = 5 * 1024 * MIB
"""Bytes that S3 copies in one request; a larger object cannot be moved to its key."""
_HIDDEN = ".cutback-part"
"""Ends the names of objects that are not finished; `list` passes over them, `delete_prefix` removes them."""


class Store:
    """Objects under keys. Safe to use from several threads, not across a fork (spawn children instead).

    Every method raises `StorageUnavailableError` when the store cannot be reached or refuses, and
    `InvalidRequestError` when a key is none (`cutback.domain.requests.request.check_key`). In a folder, symbolic links
    that lead out of it are refused, and only regular files are objects.
    """

    def __init__(self, url: str, objects: ObjectStore, folder: Folder | None) -> None:
        """Use `Store.open`."""
        self.url = url
        """What was opened: a folder's real path, or a URL without a `/` at its end."""
        self._objects = objects
        self._folder = folder

    @classmethod
    def open(cls, url: str, *, options: Mapping[str, str] | None = None, create: bool = False) -> Store:
        """Open a folder (a path or a `file://` URL), or an `s3://`, `gs://` or `az://` URL.

        `create` makes the folder, if need be. `options` are obstore's own, by the names it documents:
        `endpoint`, `region`, `access_key_id`, `virtual_hosted_style_request`, `skip_signature`,
        `allow_http`, `timeout` and so on. What they leave out comes from the environment (`AWS_…`,
        `GOOGLE_…`, `AZURE_…`). Nothing is sent yet; `check_writable` does.

        Raises:
            SettingsError: the URL or an option is wrong, or the folder is a file.
            StorageUnavailableError: there is no such folder, or it cannot be made.
        """
        path = folder_of(url)
        objects = connect(url, path, options or {}, create=create)
        if path is None:
            return cls(without_secrets(url), objects, None)
        folder = Folder(path)
        return cls(str(folder.root), objects, folder)

    @property
    def is_folder(self) -> bool:
        """Whether reads cost no round trip."""
        return self._folder is not None

    def check_there(self) -> None:
        """See that the store is there and holds something. At most one request.

        Raises:
            StorageUnavailableError: it is missing or empty, as a folder is whose disk is not mounted.
        """
        with translating(self.url):
            if self._folder is not None:
                there = self._folder.holds_anything()
            else:
                there = any(batch for batch in self._objects.list(None, chunk_size=1))
        if not there:
            raise StorageUnavailableError(f"{self.url} is missing or empty. Is its disk mounted?")

    def url_for(self, key: str) -> str:
        """Where a person finds the object: an absolute path, or a URL."""
        check(key)
        return f"{self.url}/{key}" if self._folder is None else str(self._folder.path(key))

    def head(self, key: str) -> ObjectInfo:
        """What lies under `key` now. One request.

        Raises:
            ObjectNotFoundError: nothing.
        """
        with self._reading(key):
            return info_of(self._objects.head(key))

    def read_range(self, key: str, etag: str, start: int, length: int) -> bytes:
        """Exactly `length` (at least 1) bytes from `start` of that version. One request.

        Raises:
            SourceChangedError: the object is another version now, or ends before the range does.
            ObjectNotFoundError: the object is gone.
        """
        with self._reading(key):
            answer = self._objects.get(key, options={"if_match": etag, "range": (start, start + length)})
            data = answer.bytes().to_bytes()
        if len(data) != length:
            raise SourceChangedError(f"{key}.")
        return data

    def stream_range(self, key: str, etag: str, start: int, length: int) -> Iterator[bytes]:
        """The same bytes as `read_range` gives, in pieces, with few of them held at once. One request.

        Raises as `read_range`, while the pieces are taken.
        """
        if self.is_folder and self._folder is not None:
            with self._reading(key):
                return self._folder.read(key, etag, start, start + length)
        return streamed(self._objects, key, etag, start, start + length)

    def read_grown(
        self, key: str, etag: str, start: int, length: int, *, unchanged: Iterable[tuple[int, bytes]]
    ) -> bytes | None:
        """Exactly `length` bytes from `start` of that version, out of a longer one that was made by appending to it.

        Only a folder's file grows in place. `unchanged` holds (offset, bytes) of that version: if one of them is not
        in the file any more, or it is another file, or not a folder's, there is no answer (None).

        Raises:
            ObjectNotFoundError: the object is gone.
        """
        if self._folder is None:
            return None
        with self._reading(key):
            return self._folder.read_grown(key, etag, start, length, unchanged)

    def get_bytes(self, key: str, limit: int) -> bytes:
        """The whole of a small object.

        Raises:
            ObjectNotFoundError: there is none.
            ObjectTooLargeError: it has more than `limit` bytes; they were not read.
        """
        with self._reading(key):
            answer = self._objects.get(key)
            size = answer.meta["size"]
            if size <= limit:
                return answer.bytes().to_bytes()
        raise ObjectTooLargeError(f"{key} has {size} bytes; no more than {limit} are read.")

    def metadata(self, key: str) -> dict[str, str]:
        """What was said of an object when it was stored; nothing in a folder. One request. Raises as `head`."""
        if self._folder is not None:
            return {}
        with self._reading(key):
            attributes = self._objects.get(key, options={"head": True}).attributes
        return {str(name).lower(): str(value) for name, value in attributes.items()}

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects below `prefix`, which names whole segments: `a/b` finds `a/b/c`, not `a/bc`.

        Sorted within each folder only. Objects that are not finished are left out.
        """
        if prefix:
            prefix = prefix.removesuffix("/")
            check(prefix)
        if self._folder is not None:
            yield from self._list_folder(self._folder, prefix)
            return
        with translating(prefix or self.url):
            for batch in self._objects.list(prefix or None, chunk_size=1000):
                yield from (info_of(meta) for meta in batch if not meta["path"].endswith(_HIDDEN))

    def _list_folder(self, folder: Folder, prefix: str) -> Iterator[ObjectInfo]:
        keys = folder.keys(prefix)
        while True:
            with translating(prefix or self.url):
                key = next(keys, None)
            if key is None:
                return
            if key.endswith(_HIDDEN):
                continue
            try:
                yield self.head(key)
            except (ObjectNotFoundError, InvalidRequestError) as error:
                log.debug("left out of the listing: %s", error)

    # --- writing ---------------------------------------------------------------------------------

    def put(self, key: str, chunks: Iterable[bytes], *, size: int | None = None, if_absent: bool = True) -> ObjectInfo:
        """Store an object as a whole or not at all; in a folder it also survives a loss of power.

        The chunks are taken in this thread and at most some 64 MiB of them are held. What they raise
        comes out unchanged. `size` is checked, if given. With `if_absent`, an object that is there
        already is never overwritten, not even by two writers at once: a large one goes to a key of its
        own beside `key` and is moved, inside the store, on the condition that `key` is free. One of more than
        `LARGEST_COPY` is uploaded to `key` itself, which an empty object reserves meanwhile.

        An interrupted multipart upload to S3 leaves parts that only a lifecycle rule of the bucket removes.

        Raises:
            ObjectExistsError: `if_absent` was asked for and there is one.
            StorageFullError: no room.
            InternalError: the chunks did not have `size` bytes in all.
        """
        check(key)
        if self._folder is not None:
            with translating(key, writing=True):
                self._folder.check_creatable(key)
        rest = counted(chunks, size, key)
        # Awaiting the end here lets a small object go in one conditional request.
        start, finished = collect(rest, (4 if self.is_folder else 32) * MIB)
        if finished:
            self._put_whole(key, b"".join(start), if_absent=if_absent)
        elif self._folder is None and if_absent and size is not None and size > LARGEST_COPY:
            self._put_reserved(key, chain(start, rest), size)
        else:
            self._put_parts(key, chain(start, rest), if_absent=if_absent)
        if self._folder is not None:
            with translating(key, writing=True):
                self._folder.make_durable(key)
        return self.head(key)

    def _put_whole(self, key: str, data: bytes, *, if_absent: bool) -> None:
        if if_absent:
            self._create(key, lambda: self._objects.put(key, data, mode="create", use_multipart=False))
            return
        with translating(key, writing=True):
            self._objects.put(key, data, mode="overwrite", use_multipart=False)

    def _put_parts(self, key: str, chunks: Iterator[bytes], *, if_absent: bool) -> None:
        target = f"{key}.{secrets.token_hex(6)}{_HIDDEN}" if if_absent or self._folder is not None else key
        if self._folder is not None:
            self._folder.write(target, chunks)
        else:
            upload(self._objects, target, chunks, part_size=8 * MIB, name=key)
        if target == key:
            return
        try:
            self._create(key, lambda: self._objects.rename(target, key, overwrite=not if_absent))
        except BaseException:
            with suppress(CutbackError):
                self.delete(target)
            raise

    def _put_reserved(self, key: str, chunks: Iterator[bytes], size: int) -> None:
        self._put_whole(key, b"", if_absent=True)
        try:
            upload(self._objects, key, chunks, part_size=part_size_of(size), name=key)
        except BaseException:
            with suppress(CutbackError):
                self.delete(key)
            raise

    def _create(self, key: str, act: Callable[[], object]) -> None:
        """A conflict may also mean that another write was under way (S3's 409): look, and try again."""
        for _ in range(3):
            try:
                with translating(key, writing=True):
                    act()
                return
            except ObjectExistsError:
                if self._exists(key):
                    raise
        raise StorageUnavailableError(f"{key}: the store reported a conflict three times.")

    def _exists(self, key: str) -> bool:
        with translating(key), suppress(FileNotFoundError):
            self._objects.head(key)
            return True
        return False

    def delete(self, key: str) -> None:
        """Remove an object. It need not be there."""
        check(key)
        with translating(key, writing=True):
            if self._folder is not None:
                self._folder.remove_file(key)
                return
            with suppress(FileNotFoundError):
                self._objects.delete(key)

    def delete_prefix(self, prefix: str, *, keep: str | None = None) -> int:
        """Remove everything below `prefix` but the object `keep`; returns how many there were.

        Objects that were never finished go too, and in a folder what a killed writer left and the
        folders that become empty. `prefix` names whole segments, as in `list`.
        """
        prefix = prefix.removesuffix("/")
        check(prefix)
        with translating(prefix, writing=True):
            if self._folder is not None:
                return self._folder.remove_below(prefix, keep=keep)
            removed = 0
            for batch in self._objects.list(prefix, chunk_size=1000):
                keys = [meta["path"] for meta in batch if meta["path"] != keep]
                for key in keys:
                    with suppress(FileNotFoundError):
                        self._objects.delete(key)
                removed += len(keys)
            return removed

    def check_writable(self) -> None:
        """Write a small object, read it and remove it, so that a wrong setting shows at the start.

        Raises:
            StorageFullError: no room.
        """
        key = f"check-{secrets.token_hex(8)}{_HIDDEN}"
        try:
            self.put(key, [b"cutback"])
            self.get_bytes(key, 64)
        finally:
            with suppress(CutbackError):
                self.delete(key)

    # --- small things ----------------------------------------------------------------------------

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        check(key)
        with translating(key):
            if self._folder is not None:
                self._folder.check_readable(key)
            yield
