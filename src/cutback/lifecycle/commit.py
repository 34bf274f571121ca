"""Changes a clip's record and announces the change: the two parts of every step in a clip's life."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from cutback.domain.clips.clip import Clip
from cutback.domain.clips.event import Event
from cutback.domain.clips.older_answer import legacy_answer
from cutback.domain.errors import CutbackError, RecordsUnavailableError
from cutback.lifecycle.lookup import clip_location, get_clip
from cutback.ports import EVENT_COUNTER
from cutback.services import Services

log = logging.getLogger(__name__)

Unchanged = TypeVar("Unchanged")

_RACES = 50


def commit_change(
    services: Services,
    clip_id: str,
    change: Callable[[Clip], Clip | Unchanged],
    *,
    announce: bool = True,
    known: Clip | None = None,
) -> Clip | Unchanged:
    """Apply `change` to the clip's current record; start again if another process changes the clip first.

    If `change` returns anything but a clip, the record stays as it is, and that value is returned. Otherwise the event
    is stored together with the change, unless `announce` is False, and the changed clip is returned. Pass the clip as
    `known` if you have just read it; this saves a read.

    Raises:
        ClipNotFoundError: there is no such clip.
        CutbackError: whatever `change` raises.
        RecordsUnavailableError: the records do not answer, or other processes were faster every time.
    """
    for _ in range(_RACES):
        clip = known or get_clip(services, clip_id)
        known = None
        changed = change(clip)
        if not isinstance(changed, Clip):
            return changed
        if services.records.commit(changed, announce=announce):
            return changed
    raise RecordsUnavailableError(f"The clip {clip_id} is being changed by too many processes at once.")


def announce_now(services: Services, clip: Clip) -> None:
    """Announce the change that was just committed. Raises nothing: if this fails, housekeeping announces it later."""
    services.cache.bump(EVENT_COUNTER)
    try:
        announce_events(services, [clip.event()])
    except CutbackError as error:
        log.warning("event=%s.%d announced=later reason=%s", clip.id, clip.revision, error)


def announce_events(services: Services, events: Iterable[Event]) -> tuple[int, int]:
    """Pass events to every announcer and mark them as announced. Returns how many succeeded and how many failed.

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
