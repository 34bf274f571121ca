"""Files made from recordings when somebody asks for them: kept in the cache and, for some days, in the clip store.

They are kept under the recording's key and version, so a changed recording has others. Whatever fails here only costs
making the file again.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta

from cutback.domain.errors import CutbackError, ObjectNotFoundError
from cutback.services import Services

log = logging.getLogger(__name__)

FOLDER = "_made"
"""The folder in the clip store. No clip's id begins with an underscore."""
_LARGEST = 64 * 1024 * 1024
"""Bytes."""
_SWEPT = "made-files-swept"
"""In the cache while the folder need not be looked through again."""
_MOST_REMOVED = 10_000


def find(services: Services, key: str, etag: str, name: str) -> bytes | None:
    """Return the file if it is kept."""
    cached = _cached(key, etag, name)
    known = services.cache.get(cached)
    if known is not None:
        return known
    try:
        stored = services.clips.get_bytes(_stored(key, etag, name), _LARGEST)
    except ObjectNotFoundError:
        return None
    except CutbackError as error:
        log.debug("made=%r kept=no reason=%s", name, error)
        return None
    services.cache.set(cached, stored)
    return stored


def put(services: Services, key: str, etag: str, name: str, content: bytes) -> None:
    """Keep a file."""
    services.cache.set(_cached(key, etag, name), content)
    try:
        services.clips.put(_stored(key, etag, name), [content], size=len(content), if_absent=False)
    except CutbackError as error:
        log.debug("made=%r kept=no reason=%s", name, error)


def remove_old(services: Services) -> int:
    """Remove files older than CUTBACK_KEEP_PICTURES; at most once an hour. Returns how many.

    Raises:
        StorageUnavailableError: the store does not answer.
    """
    kept_for = services.settings.keep_pictures
    if not kept_for or services.cache.get(_SWEPT) is not None:
        return 0
    services.cache.set(_SWEPT, b"1")  # which it keeps for an hour
    before = services.clock() - timedelta(seconds=kept_for)
    count = 0
    for info in services.clips.list(FOLDER):
        if info.modified < before:
            services.clips.delete(info.key)
            count += 1
            if count == _MOST_REMOVED:
                break
    return count


def _version(key: str, etag: str) -> str:
    bare = etag.removeprefix("W/").strip('"')
    return hashlib.sha256(f"{key} {bare}".encode()).hexdigest()[:40]


def _cached(key: str, etag: str, name: str) -> str:
    return f"made:{_version(key, etag)}:{name}"


def _stored(key: str, etag: str, name: str) -> str:
    return f"{FOLDER}/{_version(key, etag)}/{name}"
