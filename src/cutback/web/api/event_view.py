"""Which events a caller may see, and how."""

from __future__ import annotations

from typing import Any

from cutback.domain.clips.event import Event
from cutback.web.api.access import Caller


def may_see(caller: Caller, event: Event) -> bool:
    """Whether the event is of a clip that the caller may see."""
    return not caller.tenant or event.data.get("tenant", "") == caller.tenant


def show(caller: Caller, event: Event) -> dict[str, Any]:
    """Return the event as this caller sees it, which is what webhooks and SNS have as well."""
    del caller
    return event.body()
