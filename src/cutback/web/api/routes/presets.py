"""Presets of requests: the built-in ones, and the installation's own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from cutback.domain.requests.presets import PRESETS
from cutback.web.api.access import Reader
from cutback.web.api.context import ServicesDep
from cutback.web.api.openapi import responses

router = APIRouter(tags=["clips"])


@router.get("/presets", response_model=None, responses=responses("Page", 200))
def list_presets(services: ServicesDep, caller: Reader) -> dict[str, Any]:  # noqa: ARG001 - the scope
    """List the presets, and the edits and output fields to which they expand."""
    own = services.settings.request_rules.presets
    found = [{"name": name, "own": name in own, **each.as_json()} for name, each in {**PRESETS, **own}.items()]
    return {"items": found, "next": None}
