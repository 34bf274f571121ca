"""What a store tells of an object."""

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
    """The version. In a folder it is made of the file's inode, time of change (µs) and size."""
    modified: datetime


def info_of(meta: ObjectMeta) -> ObjectInfo:
    """From obstore's own.

    Raises:
        StorageUnavailableError: the store tells no version.
    """
    etag = meta["e_tag"]
    if not etag:
        raise StorageUnavailableError(f"{meta['path']}: the store tells no version (etag) of its objects.")
    return ObjectInfo(meta["path"], meta["size"], etag, meta["last_modified"])
