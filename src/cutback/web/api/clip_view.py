"""A clip as the API shows it: as events do, with links, and with what to do about a failure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from cutback.domain.base import iso
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import Clip
from cutback.domain.errors import RETRYABLE_REASONS, SurroundingsError
from cutback.domain.remedies import remedy_of
from cutback.domain.requests.sources import CameraSpan, Range
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.web.api.problems import is_retryable, problem_type


@dataclass(frozen=True, slots=True)
class ClipView:
    """How clips look to a caller. Pure."""

    api: str
    """Where the API is, such as `http://127.0.0.1:8080`."""
    settings: Settings
    tenant: str
    """The caller's; empty for a caller who sees the clips of every tenant."""
    recordings: Mapping[str, CameraRecording] = field(default_factory=dict)
    """What the catalogue knows of the recordings that the clips are cut from, by key."""

    def show(self, clip: Clip) -> dict[str, Any]:
        """Return the clip as events have it, with links, and with what to do about a failure."""
        shown = clip.public()
        if clip.failure is not None:
            reason = clip.failure.reason
            shown["failure"] |= {
                "type": problem_type(self.settings, reason),
                "retryable": is_retryable(reason, transient=reason in RETRYABLE_REASONS),
                "remedy": remedy_of(reason),
            }
        if found := recorded(clip, self.recordings):
            camera, begins = found
            shown["recorded"] = {"camera": camera} | ({"begins": iso(begins)} if begins is not None else {})
        return shown | self._links(clip)

    def address_of(self, clip: Clip) -> str:
        """Return the URL of the clip."""
        return f"{self.api}/v1/clips/{clip.shown_id if self.tenant else clip.id}"

    def _links(self, clip: Clip) -> dict[str, Any]:
        """Return where the clip, its events and its files are."""
        found: dict[str, Any] = {
            "self": self.address_of(clip),
            "events": f"{self.api}/v1/events?clip={clip.shown_id}",
        }
        if clip.result is not None:
            found["media"] = {
                "clip": media_url(self.api, clip.result.key),
                "posters": [
                    {"url": media_url(self.api, poster.key), "width": poster.width, "height": poster.height}
                    for poster in clip.result.posters
                ],
            }
            if clip.result.pictures:
                found["media"]["pictures"] = {each.name: media_url(self.api, each.key) for each in clip.result.pictures}
            if clip.result.outputs:
                found["media"]["outputs"] = {each.name: media_url(self.api, each.key) for each in clip.result.outputs}
        return found


def recordings_of(services: Services, clips: Iterable[Clip]) -> dict[str, CameraRecording]:
    """Return what the catalogue knows of the recordings that clips begin with, by key.

    Nothing while the catalogue does not answer: clips are shown without it.
    """
    sources = (clip.request.source[0] for clip in clips)
    keys = list(dict.fromkeys(source.recording for source in sources if isinstance(source, Range)))
    try:
        return services.catalogue.get_recordings(keys) if keys else {}
    except SurroundingsError:
        return {}


def recorded(clip: Clip, recordings: Mapping[str, CameraRecording]) -> tuple[str, datetime | None] | None:
    """Return the camera that recorded the clip's first frame, and when, as far as that is known. Pure."""
    source = clip.request.source[0]
    spans = clip.result.spans if clip.result is not None else ()
    if isinstance(source, CameraSpan):
        return source.camera, next((each.begins for each in spans if each.camera and each.begins), source.start)
    if not isinstance(source, Range) or (recording := recordings.get(source.recording)) is None:
        return None
    start = next((each.start for each in spans if each.recording == source.recording and not each.asset), source.start)
    if not isinstance(start, Fraction):  # a frame, or a time from the end: only the file says when that is
        return recording.camera, None
    return recording.camera, recording.start + timedelta(microseconds=round(start * 1_000_000))


def media_url(api: str, key: str) -> str:
    """Return the URL of a file of a clip. Keys consist of characters that URLs allow. Pure."""
    return f"{api}/v1/media/{key}"


def etag_of(clip: Clip) -> str:
    """Return the entity tag of the clip as it is now. It begins with the revision. Pure."""
    progress = json.dumps(clip.progress.model_dump(mode="json")).encode()
    return f'"{clip.revision}-{hashlib.sha256(progress).hexdigest()[:8]}"'


def tags_in(header: str) -> list[str]:
    """Return the entity tags in `If-Match` or `If-None-Match`, without the mark of weak ones. Pure."""
    return [part.strip().removeprefix("W/") for part in header.split(",") if part.strip()]


def names_revision(header: str, clip: Clip) -> bool:
    """Whether `If-Match` names the clip's revision. Progress does not count: it changes all the time. Pure."""
    return any(tag == "*" or tag.strip('"').split("-")[0] == str(clip.revision) for tag in tags_in(header))
