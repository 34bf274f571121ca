"""Reads what cameras cover over a whole span, however many recordings that is."""

from __future__ import annotations

from datetime import datetime

from cutback.domain.cameras.covered import Covered
from cutback.ports import Catalogue

_PAGE = 1000


def covered_by(
    catalogue: Catalogue, camera: str | None, start: datetime | None, end: datetime | None
) -> dict[str, Covered]:
    """Return what one camera or all cover with recordings that overlap [start, end). Only periods are kept in memory.

    Raises:
        RecordsUnavailableError: the catalogue does not answer.
    """
    found: dict[str, Covered] = {}
    cursor = None
    while True:
        page = catalogue.list_recordings(camera, start=start, end=end, limit=_PAGE, cursor=cursor)
        for recording in page.recordings:
            found.setdefault(recording.camera, Covered()).add(recording)
        cursor = page.next_cursor
        if cursor is None:
            return found
