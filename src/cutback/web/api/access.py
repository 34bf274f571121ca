"""Who calls: the tenant, the key and its scopes. Every route takes a `Reader`, `Requester` or `Admin`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Security

from cutback.domain.clips.clip import Clip


class Scope(StrEnum):
    """What a key permits."""

    READ = "read"
    REQUEST = "request"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    tenant: str
    """Empty for the whole installation."""
    key_id: str
    """Empty without a key."""
    scopes: frozenset[Scope]

    def may_see_key(self, key: str) -> bool:
        """Whether a recording with this key is visible to the caller."""
        return not self.tenant and bool(key)

    def may_see_camera(self, name: str) -> bool:
        """Whether a camera is visible to the caller."""
        return not self.tenant and bool(name)

    def may_see_clip(self, clip: Clip) -> bool:
        """Whether a clip is visible to the caller."""
        return not self.tenant and bool(clip.id)


def open_caller() -> Caller:
    """Return the caller without a key: on this machine, everybody may do everything."""
    return Caller("", "", frozenset(Scope))


Reader = Annotated[Caller, Security(open_caller)]
"""A caller who may read."""
Requester = Annotated[Caller, Security(open_caller)]
"""A caller who may request, change and delete clips."""
Admin = Annotated[Caller, Security(open_caller)]
"""A caller who may do everything."""
