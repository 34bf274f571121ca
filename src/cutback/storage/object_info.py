"""What a store reports about an object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cutback.domain.errors import StorageUnavailableError

if TYPE_CHECKING:
    from obstore import ObjectMeta


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object of a store, at one version."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """The version. In a folder, it consists of the file's inode, modification time (µs) and size."""
    modified: datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that was just stored. A store says no more about it in its answer."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """The version, as in `ObjectInfo`."""


def info_of(meta: ObjectMeta) -> ObjectInfo:
    """Convert obstore's metadata.

    Raises:
        StorageUnavailableError: the store reports no version.
    """
    etag = meta["e_tag"]
    if not etag:
        raise StorageUnavailableError(f"{meta['path']}: the store reports no versions (ETags) of its objects.")
    return ObjectInfo(meta["path"], meta["size"], etag, meta["last_modified"])
