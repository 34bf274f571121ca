"""Dead letters: messages that failed every retry, for administrators to look at and to send back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from cutback.domain.base import Model
from cutback.lifecycle import dead_letters
from cutback.lifecycle.dead_letters import QueueName
from cutback.web.api.access import Operator
from cutback.web.api.context import ServicesDep
from cutback.web.api.strict_json import StrictRoute

router = APIRouter(tags=["dead letters"], route_class=StrictRoute)


class Redrive(Model):
    """Which dead letters to send back: those with these ids, or all."""

    queue: QueueName = QueueName.CLIPS
    ids: tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...] = Field((), max_length=1000)
    """Ids of dead letters or of their clips."""
    all: bool = False

    @model_validator(mode="after")
    def _check_choice(self) -> Redrive:
        if self.all == bool(self.ids):
            raise ValueError("must have either ids, or all: true")
        return self


@router.get("/dead-letters")
def list_dead_letters(
    services: ServicesDep,
    _caller: Operator,
    queue: Annotated[QueueName, Query()] = QueueName.CLIPS,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most items of the page.")] = 100,
) -> dict[str, Any]:
    """List the newest dead letters."""
    found = dead_letters.queue_of(services, queue).dead_letters(limit=limit)
    rules = services.settings.request_rules
    return {"items": [dead_letters.as_dict(letter, rules) for letter in found], "next": None}


@router.post("/dead-letters/redrive")
def redrive(wanted: Redrive, services: ServicesDep, _caller: Operator) -> dict[str, Any]:
    """Send dead letters back to their queue, to be tried again, and queue their failed clips. Fix the cause first."""
    count = dead_letters.redrive(services, wanted.queue, None if wanted.all else wanted.ids)
    return {"queue": wanted.queue, "redriven": count}
