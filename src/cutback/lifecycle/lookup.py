"""Looks up a clip: its record, and where its file is."""

from __future__ import annotations

from urllib.parse import urlsplit

from cutback.domain.clips.clip import Clip
from cutback.domain.clips.older_answer import ClipLocation
from cutback.domain.errors import ClipNotFoundError, CutbackError, ObjectNotFoundError
from cutback.services import Services
from cutback.settings.settings import Settings


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
