"""Looks up a clip: its record, and where its file is."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cutback.domain.base import read_stored
from cutback.domain.clips.clip import Clip
from cutback.domain.clips.older_answer import ClipLocation
from cutback.domain.errors import ClipNotFoundError, CutbackError, ObjectNotFoundError
from cutback.ports import clip_counter
from cutback.services import Services
from cutback.settings.settings import Settings

_TRUSTED = timedelta(seconds=5)


def get_clip(services: Services, clip_id: str) -> Clip:
    """Return the clip's current record.

    Raises:
        ClipNotFoundError: there is no such clip.
        RecordsUnavailableError: the records do not answer.
    """
    clip = services.records.get_clip(clip_id)
    if clip is None:
        raise ClipNotFoundError(f"The id is {clip_id}.")
    return clip


def look_at_clip(services: Services, clip_id: str) -> Clip:
    """Like `get_clip`, for readers: with a shared cache, the record comes from it if it has not changed.

    Not if the records are on this machine, though: SQLite answers faster than a cache does. Progress, which heartbeats
    write without changing the record, may be `_TRUSTED` old.

    The clip's counter is read first, and changes after each change of the record. What is found under its value was
    therefore read from the records after the change before. Should a change of the counter be lost, the record is
    outdated for `_TRUSTED` at most. Changes must be based on `get_clip`.
    """
    if services.settings.local_records or not services.settings.cache_url:
        return get_clip(services, clip_id)  # other processes change records without telling this one
    cache, name = services.cache, clip_counter(clip_id)
    count = cache.count(name)
    if count is None:
        clip = get_clip(services, clip_id)
        cache.bump(name)
        return clip
    entry = f"{name}:{count}"
    now = services.clock()
    known = cache.get(entry)
    if known is not None:
        read_at, _, content = known.partition(b" ")
        if abs(now - datetime.fromisoformat(read_at.decode())) < _TRUSTED:
            return read_stored(Clip, content)
    clip = get_clip(services, clip_id)
    cache.set(entry, f"{now.isoformat()} {clip.model_dump_json()}".encode())
    return clip


def clip_url(services: Services, clip: Clip) -> str | None:
    """Return where the finished clip is: a path or a URL. None until it is ready."""
    return None if clip.result is None else f"{services.settings.clip_url.rstrip('/')}/{clip.result.key}"


def is_file_missing(services: Services, clip: Clip) -> bool | None:
    """Whether a ready clip's file is gone from the clip store. None if the clip has no file, or the store no answer."""
    if clip.result is None:
        return None
    try:
        services.clips.head(clip.result.key)
    except ObjectNotFoundError:
        return True
    except CutbackError:
        return None
    return False


def clip_location(settings: Settings) -> ClipLocation:
    """Return where clips are stored, in the terms of the older message format."""
    url = urlsplit(settings.clip_url)
    bucket = url.netloc if url.scheme not in {"", "file"} else settings.clip_url
    address = settings.clip_address or settings.clip_url
    return ClipLocation(bucket, address.rstrip("/") + "/")
