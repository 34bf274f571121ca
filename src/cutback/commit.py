"""Changing a clip's record and telling of it: the two halves of every step a clip takes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from cutback.clip import Clip
from cutback.errors import ClipNotFoundError, CutbackError, RecordsUnavailableError
from cutback.event import Event
from cutback.legacy_answer import legacy_answer
from cutback.lookup import clip_location
from cutback.services import Services

log = logging.getLogger(__name__)

_RACES = 50


def commit_change(services: Services, clip_id: str, change: Callable[[Clip], Clip], *, announce: bool = True) -> Clip:
    """Apply `change` to the clip as it stands, again from the start whenever somebody else was faster.

    The event is stored with the change unless `announce` is False. Returns the changed clip.

    Raises:
        ClipNotFoundError: there is no such clip.
        CutbackError: whatever `change` raises, having looked at the clip.
        RecordsUnavailableError: the records do not answer, or the clip never stood still.
    """
    for _ in range(_RACES):
        clip = services.records.get_clip(clip_id)
        if clip is None:
            raise ClipNotFoundError(clip_id)
        changed = change(clip)
        if services.records.commit(changed, announce=announce):
            return changed
    raise RecordsUnavailableError(f"The clip {clip_id} is being changed by too many at once.")


def announce_now(services: Services, clip: Clip) -> None:
    """Tell of the change just committed. What fails here, housekeeping makes up for: nothing is raised."""
    try:
        announce_events(services, [clip.event()])
    except CutbackError as error:
        log.warning("event=%s.%d announced=later reason=%s", clip.id, clip.revision, error)


def announce_events(services: Services, events: Iterable[Event]) -> tuple[int, int]:
    """Hand events to every announcer and mark them. Returns how many were taken over and how many not.

    Raises:
        RecordsUnavailableError: the events could not be marked; they will be announced again.
    """
    told, left = [], 0
    for event in events:
        try:
            answer = legacy_answer(event, clip_location(services.settings))
            for announcer in services.announcers:
                announcer.announce(event)
                if answer is not None:
                    announcer.announce(answer)
        except CutbackError as error:
            left += 1
            log.warning("event=%s announced=later reason=%s", event.id, error)
        else:
            told.append(event.id)
    if told:
        services.records.mark_announced(told)
    return len(told), left
