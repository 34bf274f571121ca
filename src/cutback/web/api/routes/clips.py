"""Clips: request them, list them, look at one, change it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from cutback.domain.clips.clip import Clip
from cutback.domain.errors import ClipNotFoundError
from cutback.lifecycle.lookup import get_clip
from cutback.services import Services
from cutback.web.api.access import Caller, Reader
from cutback.web.api.context import ServicesDep

router = APIRouter(tags=["clips"])


@router.get("/clips/{clip_id}")
def read_clip(clip_id: str, services: ServicesDep, caller: Reader) -> dict[str, Any]:
    """Return a clip."""
    return _visible(services, caller, clip_id).public()


def _visible(services: Services, caller: Caller, clip_id: str) -> Clip:
    clip = get_clip(services, clip_id)
    if not caller.may_see_clip(clip):
        raise ClipNotFoundError(f"The id is {clip_id}.")
    return clip
