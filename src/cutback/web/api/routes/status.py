"""The state of the installation, for administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from cutback.web.api.access import Operator
from cutback.web.api.context import ServicesDep
from cutback.web.api.openapi import responses
from cutback.worker.status import check_dependencies, gather, last_day_of

router = APIRouter(tags=["status"])


@router.get("/status", response_model=None, responses=responses("Status", 200, errors=(422,)))
def read_status(
    services: ServicesDep,
    _caller: Operator,
    max_age: Annotated[int, Query(ge=1, le=10**7, description="Seconds that a clip may be queued.")] = 600,
) -> dict[str, Any]:
    """Return what `cutback status --json` shows, and each dependency with the seconds that it took to answer.

    While records or queue do not answer, there are only the dependencies, and `attention` names them.
    """
    dependencies = check_dependencies(services)
    failed = [each for each in dependencies if not each["ok"]]
    sentences = [f"{each['name']} does not answer: {each['reason']}." for each in failed]
    if {each["name"] for each in failed} & {"records", "queue", "webhooks"}:
        return {"dependencies": dependencies, "attention": sentences}
    found = gather(services, timedelta(seconds=max_age))
    return {**found, "dependencies": dependencies, "attention": [*sentences, *found["attention"]]}


@router.get("/status/day", response_model=None, responses=responses("StatusDay", 200, errors=(422, 503)))
def read_day(services: ServicesDep, _caller: Operator) -> dict[str, Any]:
    """Return what was made in each of the last 24 hours, and how long it took. The figures are at most a minute old."""
    return last_day_of(services)
