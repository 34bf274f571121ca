"""Stores of recordings and clips: folders, S3 and compatible services, Google Cloud Storage, Azure."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Literal, TypeVar

from cutback.domain.errors import (
    CutbackError,
    InvalidRequestError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    SourceChangedError,
    StorageUnavailableError,
    SymlinkOutsideError,
)
from cutback.domain.media_types import UNKNOWN, media_type_of
from cutback.storage.connect import connect, folder_of, without_secrets
from cutback.storage.download import streamed
from cutback.storage.errors import check, translating
from cutback.storage.folder import Folder
from cutback.storage.multipart import CopiedRange, MultipartUploads, Part, in_parts
from cutback.storage.object_info import ObjectInfo, StoredObject, info_of
from cutback.storage.upload import collect, counted, part_size_of, upload

if TYPE_CHECKING:
    from pathlib import Path

    from obstore import Attributes
    from obstore.store import ObjectStore

__all__ = ["MIB", "ObjectInfo", "Store", "StoredObject"]

log = logging.getLogger(__name__)

T = TypeVar("T")

MIB = 1024 * 1024
LARGEST_COPY = 5 * 1024 * MIB
"""Maximum bytes that S3 copies in one request; a larger object cannot be moved to its key."""
_HIDDEN = ".cutback-part"
"""The suffix of unfinished objects; `list` ignores them, `delete_prefix` removes them."""


class Store:
    """Objects with keys. Threads may share it; a forked process must not use it (spawn children instead).

    Every method raises `StorageUnavailableError` if the store cannot be reached or refuses the request, and
    `InvalidRequestError` if a key is invalid (`cutback.domain.requests.sources.check_key`). In a folder, symbolic
    links that lead out of it are refused, and only regular files are objects.
    """

    def __init__(
        self, url: str, objects: ObjectStore, folder: Folder | None, uploads: MultipartUploads | None = None
    ) -> None:
        """Use `Store.open`."""
        self.url = url
        """The real path of a folder, or a URL without a final `/`."""
        self._objects = objects
        self._folder = folder
        self._uploads = uploads

    @classmethod
    def open(
        cls,
        url: str,
        *,
        options: Mapping[str, str] | None = None,
        create: bool = False,
        uploads: MultipartUploads | None = None,
    ) -> Store:
        """Open a folder (a path or a `file://` URL), or an `s3://`, `gs://` or `az://` URL.

        `create` creates the folder if necessary. `options` are those of obstore, with the names that it documents:
        `endpoint`, `region`, `access_key_id`, `virtual_hosted_style_request`, `skip_signature`, `allow_http`,
        `timeout` and so on. Missing ones come from the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`). Large objects
        are made by `uploads`, if given. Nothing is sent yet; `check_writable` does that.

        Raises:
            SettingsError: the URL or an option is invalid, or the folder is a file.
            StorageUnavailableError: the folder does not exist or cannot be created.
        """
        path = folder_of(url)
        objects = connect(url, path, options or {}, create=create)
        if path is None:
            return cls(without_secrets(url), objects, None, uploads)
        folder = Folder(path)
        return cls(str(folder.root), objects, folder)

    @property
    def is_folder(self) -> bool:
        """Whether reads cost no round trip."""
        return self._folder is not None

    def link_outside(self, key: str) -> Path | None:
        """Return where a symbolic link at the key, or on its way, leads, if that is outside the store's folder.

        None if no link leads out, if the store is not a folder, or if this is no key.
        """
        if self._folder is None:
            return None
        try:
            check(key)
            return self._folder.link_outside(key)
        except (InvalidRequestError, OSError):
            return None

    def blocked_by(self, key: str) -> str | None:
        """Return the key of the file or folder because of which no object can have this key; None if nothing is.

        In a folder, no file can be below another file, and none can have the name of a folder.

        Raises:
            StorageUnavailableError: the folder cannot be read.
        """
        if self._folder is None:
            return None
        check(key)
        with translating(key):
            return self._folder.blocked_by(key)

    def check_there(self) -> None:
        """Check that the store exists and is not empty. At most one request.

        Raises:
            StorageUnavailableError: it is missing or empty, like a folder whose disk is not mounted.
        """
        with translating(self.url):
            if self._folder is not None:
                there = self._folder.holds_anything()
            else:
                there = any(batch for batch in self._objects.list(None, chunk_size=1))
        if not there:
            raise StorageUnavailableError(
                f"{self.url} is missing or empty. If it is a folder, check that its disk is mounted."
            )

    def url_for(self, key: str) -> str:
        """Return the object's absolute path or URL."""
        check(key)
        return f"{self.url}/{key}" if self._folder is None else str(self._folder.path(key))

    def head(self, key: str) -> ObjectInfo:
        """Return what the store reports about the object now. One request.

        Raises:
            ObjectNotFoundError: there is no such object.
        """
        with self._reading(key):
            return info_of(self._objects.head(key))

    def read_range(self, key: str, etag: str, start: int, length: int) -> bytes:
        """Read exactly `length` (at least 1) bytes from `start`, of that version. One request.

        Raises:
            SourceChangedError: the object has another version now, or ends before the end of the range.
            ObjectNotFoundError: the object does not exist any more.
        """
        with self._reading(key):
            answer = self._objects.get(key, options={"if_match": etag, "range": (start, start + length)})
            data = answer.bytes().to_bytes()
        if len(data) != length:
            raise SourceChangedError(f"{key}.")
        return data

    def stream_range(self, key: str, etag: str, start: int, length: int) -> Iterator[bytes]:
        """Yield the same bytes as `read_range`, in chunks, with few of them in memory at once. One request.

        Raises like `read_range`, during iteration.
        """
        if self.is_folder and self._folder is not None:
            with self._reading(key):
                return self._folder.read(key, etag, start, start + length)
        return streamed(self._objects, key, etag, start, start + length)

    def read_grown(
        self, key: str, etag: str, start: int, length: int, *, unchanged: Iterable[tuple[int, bytes]]
    ) -> bytes | None:
        """Read exactly `length` bytes from `start`, of that version, from a longer one that was appended to.

        Only a file in a folder grows in place. `unchanged` contains (offset, bytes) of that version. Returns None if
        the file no longer contains one of them, if it is another file, or if the store is not a folder.

        Raises:
            ObjectNotFoundError: the object does not exist any more.
        """
        if self._folder is None:
            return None
        with self._reading(key):
            return self._folder.read_grown(key, etag, start, length, unchanged)

    def presigned_url(self, key: str, *, lasts: timedelta) -> str:
        """Return a URL with which anybody can read the object for a while. No request.

        Raises:
            StorageUnavailableError: the store, such as a folder, or its credentials cannot make one.
        """
        import obstore

        check(key)
        if self._folder is not None:
            raise StorageUnavailableError(f"{self.url} is a folder, which has no presigned URLs.")
        with translating(key):
            return obstore.sign(self._objects, "GET", key, lasts)  # type: ignore[call-overload,no-any-return]

    def get_bytes(self, key: str, limit: int) -> bytes:
        """Read a small object completely.

        Raises:
            ObjectNotFoundError: there is no such object.
            ObjectTooLargeError: it has more than `limit` bytes; they were not read.
        """
        with self._reading(key):
            answer = self._objects.get(key)
            size = answer.meta["size"]
            if size <= limit:
                return answer.bytes().to_bytes()
        raise ObjectTooLargeError(f"{key} has {size} bytes; the limit is {limit}.")

    def metadata(self, key: str) -> dict[str, str]:
        """Return an object's user-defined metadata; empty in a folder. One request. Raises like `head`."""
        if self._folder is not None:
            return {}
        with self._reading(key):
            attributes = self._objects.get(key, options={"head": True}).attributes
        return {str(name).lower(): str(value) for name, value in attributes.items()}

    def list(self, prefix: str = "", *, on_link: Callable[[str], None] = lambda _key: None) -> Iterator[ObjectInfo]:
        """Yield the objects below `prefix`, which names whole segments: `a/b` finds `a/b/c`, not `a/bc`.

        Sorted only within each folder. Unfinished objects are ignored. `on_link` is called with the key of each
        symbolic link, to a file or a folder, that leads out of the store's folder; it is not followed.
        """
        if prefix:
            prefix = prefix.removesuffix("/")
            check(prefix)
        if self._folder is not None:
            yield from self._list_folder(self._folder, prefix, on_link)
            return
        with translating(prefix or self.url):
            for batch in self._objects.list(prefix or None, chunk_size=1000):
                yield from (info_of(meta) for meta in batch if not meta["path"].endswith(_HIDDEN))

    def _list_folder(self, folder: Folder, prefix: str, on_link: Callable[[str], None]) -> Iterator[ObjectInfo]:
        files = folder.files(prefix)
        while True:
            with translating(prefix or self.url):
                found = next(files, None)
            if found is None:
                return
            key, info = found
            if key.endswith(_HIDDEN):
                continue
            try:
                check(key)
                yield info or self.head(key)
            except SymlinkOutsideError:
                on_link(key)
            except (ObjectNotFoundError, InvalidRequestError) as error:
                log.debug("ignored in the listing: %s", error)

    # --- writing ---------------------------------------------------------------------------------

    def put(
        self, key: str, chunks: Iterable[bytes], *, size: int | None = None, if_absent: bool = True
    ) -> StoredObject:
        """Store an object completely or not at all; in a folder, it also survives a power failure.

        This thread takes the chunks, and at most about 64 MiB of them are in memory. Their exceptions pass through
        unchanged. `size` is checked, if given. With `if_absent`, an existing object is never overwritten, even if two
        writers do this at once. A large object is uploaded in parts, and the upload completed on condition that `key`
        is free. Where the store was opened without `uploads`, it is uploaded with a key next to `key` and then moved
        within the store on that condition; one of more than `LARGEST_COPY` bytes is uploaded to `key` itself, which
        an empty object reserves meanwhile.

        An interrupted multipart upload to S3 leaves parts that only a lifecycle rule of the bucket removes.

        Raises:
            ObjectExistsError: `if_absent` is set and the object exists.
            StorageFullError: there is no space.
            InternalError: the chunks do not have `size` bytes in total.
        """
        check(key)
        if self._folder is not None:
            with translating(key, writing=True):
                self._folder.check_creatable(key)
        rest = counted(chunks, size, key)
        # A small object, whose end is reached here, is stored with one conditional request.
        start, finished = collect(rest, (4 if self.is_folder else 32) * MIB)
        etag = None
        if finished:
            data = b"".join(start)
            size, etag = len(data), self._put_whole(key, data, if_absent=if_absent)
        elif self._uploads is not None and if_absent:
            etag = self._assemble(key, in_parts(chain(start, rest), part_size_of(size or 0)))
        elif self._folder is None and if_absent and size is not None and size > LARGEST_COPY:
            self._put_reserved(key, chain(start, rest), size)
        else:
            self._put_parts(key, chain(start, rest), if_absent=if_absent)
        if self._folder is not None:
            with translating(key, writing=True):
                self._folder.make_durable(key)
        if self._folder is None and size is not None and etag:
            return StoredObject(key, size, etag)
        found = self.head(key)
        return StoredObject(key, found.size, found.etag)

    def assemble(self, key: str, parts: Iterable[Part], *, size: int) -> StoredObject | None:
        """Store an object of `size` bytes from parts, completely or not at all, and never over an existing one.

        Each part but the last must have `SMALLEST_PART` bytes. Only for stores with `uploads`. Returns None if the
        store made an object of another size, which is removed: it cannot copy ranges.

        Raises:
            ObjectExistsError: the object exists.
            SourceChangedError: an object to copy from has another version now, or none.
        """
        check(key)
        etag = self._assemble(key, parts)
        found = self.head(key)  # some services take a range that is to be copied for the whole object
        if found.size != size:
            log.warning("key=%r size=%d expected=%d hint='the store cannot copy ranges'", key, found.size, size)
            self.delete(key)
            return None
        return StoredObject(key, size, etag)

    def _assemble(self, key: str, parts: Iterable[Part]) -> str:
        assert self._uploads is not None
        content_type = self._attributes(key).get("Content-Type")
        return self._uploads.assemble(
            key,
            parts,
            content_type=None if content_type is None else str(content_type),
            reserve=lambda: self._reserve(key),
        )

    def _reserve(self, key: str) -> None:
        self._put_whole(key, b"", if_absent=True)

    def range_of(self, key: str, etag: str, offset: int, length: int) -> CopiedRange:
        """Return a range of an object for `assemble` of a store at the same service. Not for folders. No request."""
        check(key)
        bucket, _, prefix = self.url.partition("://")[2].partition("/")
        return CopiedRange(bucket, f"{prefix}/{key}" if prefix else key, etag, offset, length)

    def _put_whole(self, key: str, data: bytes, *, if_absent: bool) -> str | None:
        if if_absent:
            return self._create(key, lambda: self._put_at_once(key, data, "create"))
        with translating(key, writing=True):
            return self._put_at_once(key, data, "overwrite")

    def _put_at_once(self, key: str, data: bytes, mode: Literal["create", "overwrite"]) -> str | None:
        put = self._objects.put(key, data, mode=mode, attributes=self._attributes(key), use_multipart=False)
        return put["e_tag"]

    def _attributes(self, key: str) -> Attributes:
        """Return what the store tells those who read the object without us. A folder keeps nothing of the kind."""
        kind = media_type_of(key)
        return {} if self._folder is not None or kind == UNKNOWN else {"Content-Type": kind}

    def _put_parts(self, key: str, chunks: Iterator[bytes], *, if_absent: bool) -> None:
        target = f"{key}.{secrets.token_hex(6)}{_HIDDEN}" if if_absent or self._folder is not None else key
        if self._folder is not None:
            self._folder.write(target, chunks)
        else:
            upload(self._objects, target, chunks, part_size=8 * MIB, name=key, attributes=self._attributes(key))
        if target == key:
            return
        try:
            self._create(key, lambda: self._objects.rename(target, key, overwrite=not if_absent))
        except BaseException:
            with suppress(CutbackError):
                self.delete(target)
            raise

    def _put_reserved(self, key: str, chunks: Iterator[bytes], size: int) -> None:
        self._reserve(key)
        try:
            size_of_part = part_size_of(size)
            upload(self._objects, key, chunks, part_size=size_of_part, name=key, attributes=self._attributes(key))
        except BaseException:
            with suppress(CutbackError):
                self.delete(key)
            raise

    def _create(self, key: str, act: Callable[[], T]) -> T:
        """Create an object by `act`, and return what it returns.

        A conflict (S3's 409) may also mean a concurrent write, so check and try again.
        """
        for _ in range(3):
            try:
                with translating(key, writing=True):
                    return act()
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
        """Remove an object, if it exists."""
        check(key)
        with translating(key, writing=True):
            if self._folder is not None:
                self._folder.remove_file(key)
                return
            with suppress(FileNotFoundError):
                self._objects.delete(key)

    def delete_prefix(self, prefix: str, *, keep: str | None = None) -> int:
        """Remove everything below `prefix` except the object `keep`. Returns how many objects were removed.

        This includes unfinished objects; in a folder, also files that a killed writer left and folders that become
        empty. `prefix` names whole segments, as in `list`.
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
        """Write a small object, read it and remove it, to find wrong settings at the start.

        Raises:
            StorageFullError: there is no space.
        """
        key = f"check-{secrets.token_hex(8)}{_HIDDEN}"
        try:
            self.put(key, [b"cutback"])
            self.get_bytes(key, 64)
        finally:
            with suppress(CutbackError):
                self.delete(key)

    def close(self) -> None:
        """Close what `open` was given."""
        if self._uploads is not None:
            self._uploads.close()

    # --- internal --------------------------------------------------------------------------------

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        check(key)
        with translating(key):
            if self._folder is not None:
                self._folder.check_readable(key)
            yield
