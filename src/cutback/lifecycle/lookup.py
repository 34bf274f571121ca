"""Looking a clip up: its record, and where its file lies."""

from __future__ import annotations

from urllib.parse import urlsplit

from cutback.domain.clips.clip import Clip
from cutback.domain.clips.older_answer import ClipLocation
from cutback.domain.errors import ClipNotFoundError
from cutback.services import Services
from cutback.settings.settings import Settings


def get_clip(services: Services, clip_id: str) -> Clip:
    """The clip as it stands.

    Raises:
        ClipNotFoundError: there is none.
        RecordsUnavailableError: the records do not answer.
    """
    clip = services.records.get_clip(clip_id)
    if clip is None:
        raise ClipNotFoundError(f"The id is {clip_id}.")
    return clip


def clip_url(services: Services, clip: Clip) -> str | None:
    """Where the finished clip lies: a path that can be opened, or a URL. None until it is ready."""
    return None if clip.result is None else f"{services.settings.clip_url.rstrip('/')}/{clip.result.key}"


def clip_location(settings: Settings) -> ClipLocation:
    """Where all clips lie, as consumers of the older message format are told."""
    url = urlsplit(settings.clip_url)
    bucket = url.netloc if url.scheme not in {"", "file"} else settings.clip_url
    address = settings.clip_address or settings.clip_url
    return ClipLocation(bucket, address.rstrip("/") + "/")
