"""Shares: links to a finished clip for people without a key. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from cutback.domain.base import Model, Moment

KIND = "share"
"""The name in the registry."""

_ID_SIGNS, _MAC_SIGNS = 24, 32
_TOKEN = re.compile(rf"[0-9a-f]{{{_ID_SIGNS + _MAC_SIGNS}}}")
_MONTH = 30 * 86400


class ShareFields(Model):
    """What a caller says about a share."""

    clip: Annotated[str, Field(min_length=1, max_length=400)] = Field(description="The id of a clip that is ready.")
    expires_in: Annotated[int, Field(strict=True, ge=60, le=10 * 366 * 86400)] = Field(
        _MONTH, description="Seconds for which the link works."
    )
    download: bool = Field(default=True, description="Whether the page offers the file for download.")


class Share(Model):
    """A share."""

    id: str
    tenant: str = ""
    clip: str
    """The stored id."""
    shown_clip: str
    """The id that the tenant knows."""
    download: bool
    created_at: Moment
    expires_at: Moment

    def is_over(self, now: datetime) -> bool:
        """Whether the link has stopped working."""
        return now >= self.expires_at

    def public(self) -> dict[str, Any]:
        """Return the share as the API shows it, without its link."""
        shown = self.model_dump(mode="json", exclude={"tenant", "clip", "shown_clip"})
        return {**shown, "clip": self.shown_clip}


def make_token(share_id: str, secret: bytes) -> str:
    """Return the token of a share's link: its id, and a signature of it, in hexadecimal digits.

    Every sign of a token counts: no two tokens mean the same share, as some would in Base64.
    """
    return share_id + _mac(share_id, secret)


def read_token(token: str, secret: bytes) -> str | None:
    """Return the id of a share; None if the token was not made with this secret."""
    if not _TOKEN.fullmatch(token):
        return None
    share_id = token[:_ID_SIGNS]
    return share_id if hmac.compare_digest(token[_ID_SIGNS:], _mac(share_id, secret)) else None


def _mac(share_id: str, secret: bytes) -> str:
    return hmac.new(secret, b"cutback share " + share_id.encode(), hashlib.sha256).hexdigest()[:_MAC_SIGNS]
