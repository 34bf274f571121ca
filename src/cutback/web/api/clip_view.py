"""A clip as the API shows it: as events do, with links, and with what to do about a failure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cutback.domain.clips.clip import Clip
from cutback.domain.errors import RETRYABLE_REASONS
from cutback.domain.remedies import remedy_of
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
