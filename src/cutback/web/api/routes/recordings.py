"""Recordings of the catalogue."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, ConfigDict, Field

from cutback.domain.base import Model
from cutback.domain.errors import Fault, InvalidRequestError
from cutback.web.api.access import Reader
from cutback.web.api.context import Address, ServicesDep
from cutback.web.api.openapi import responses
from cutback.web.api.recording_view import show_recording
from cutback.web.api.visible import may_see_recording, visible_recording

router = APIRouter(tags=["recordings"])

Key = Annotated[str, Path(description="The recording's key in the source store.", max_length=1024)]


class RecordingFilter(Model):
    """Which recordings to list."""

    model_config = ConfigDict(extra="forbid")

    camera: str | None = Field(None, max_length=200, description="Recordings of this camera.")
    begins: AwareDatetime | None = Field(None, alias="from", description="Recordings that end after this moment.")
    ends: AwareDatetime | None = Field(None, alias="to", description="Recordings that begin before this moment.")
    limit: int = Field(50, ge=1, le=200, description="Most recordings of one page.")
    cursor: str | None = Field(None, max_length=2000, description="`next` of the page before.")


@router.get("/recordings", response_model=None, responses=responses("Page", 200, errors=(422, 503)))
def list_recordings(
    wanted: Annotated[RecordingFilter, Query()], services: ServicesDep, caller: Reader, address: Address
) -> dict[str, Any]:
    """List recordings by start. A page has only what the caller may see, so it may be short."""
    try:
        page = services.catalogue.list_recordings(
            wanted.camera, start=wanted.begins, end=wanted.ends, limit=wanted.limit, cursor=wanted.cursor
        )
    except ValueError:
        raise InvalidRequestError([Fault("cursor", "must be `next` of a page")]) from None
    visible = [each for each in page.recordings if may_see_recording(caller, each)]
    return {"items": [show_recording(each, address) for each in visible], "next": page.next_cursor}


@router.get(
    "/recordings/{key:path}", response_model=None, responses=responses("Recording", 200, errors=(404, 422, 503))
)
def read_recording(key: Key, services: ServicesDep, caller: Reader, address: Address) -> dict[str, Any]:
    """Return a recording of the catalogue."""
    return show_recording(visible_recording(services, caller, key), address)
