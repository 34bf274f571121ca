"""Handles a recording's arrival: registers it, sends the clips that wait for it back to the queue, applies rules.

Store events, scans and the command line all call `enter_recording`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from cutback.catalogue.register import Arrival, Registered, own_key, register, register_all, remove
from cutback.domain.cameras import placing
from cutback.domain.cameras.store_event import StoreEvent
from cutback.domain.errors import CutbackError
from cutback.lifecycle.moment_clips import apply_rules
from cutback.lifecycle.waiting import requeue_waiting_clips
from cutback.services import Services

log = logging.getLogger(__name__)

_PAGE = 500


def enter_recording(
    services: Services,
    key: str,
    *,
    camera: str = "",
    start: datetime | None = None,
    etag: str = "",
    sequencer: str = "",
    again: bool = False,
    forced: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Registered:
    """Register the recording. If it is new or changed, requeue the clips that wait for it, and clip its moments.

    `again` means that an earlier call may have ended between the two steps; a known recording then counts as new. The
    other arguments are those of `register`.

    Raises:
        CutbackError: like `register`.
        SurroundingsError: records or queue do not answer; call this once more, with `again`.
    """
    found = register(
        services, key, camera=camera, start=start, etag=etag, sequencer=sequencer, forced=forced, stopped=stopped
    )
    if found.recording is not None and (found.is_news or (again and found.what == "known")):
        requeue_waiting_clips(services, found.recording)
        apply_rules(services, found.recording)
    return found


def enter_recordings(
    services: Services,
    arrivals: Sequence[Arrival],
    *,
    forced: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Registered | CutbackError]:
    """As `enter_recording` for each, for less than it costs one by one. Errors of single recordings are results.

    Raises:
        SurroundingsError: store, catalogue, records or queue do not answer; call this once more, with `Arrival.again`.
        StoppedError: `stopped` answered True.
    """
    results = register_all(services, arrivals, forced=forced, stopped=stopped)
    for arrival, found in zip(arrivals, results, strict=True):
        if isinstance(found, CutbackError) or found.recording is None:
            continue
        if found.is_news or (arrival.again and found.what == "known"):
            requeue_waiting_clips(services, found.recording)
            apply_rules(services, found.recording)
    return results


def place_again(services: Services, *, limit: int | None = None) -> int:
    """Recompute cameras and start times of recordings that were registered with other rules than the current ones.

    No recording is opened. Handles up to `limit` recordings, or all. Returns how many there were. Clips that wait for
    a camera with new recordings go back to the queue.

    Raises:
        SurroundingsError: catalogue, records or queue do not answer. Call this again.
    """
    rules = services.settings.key_rules
    count = 0
    while limit is None or count < limit:
        found = services.catalogue.placed_by_other_rules(
            rules.fingerprint, limit=_PAGE if limit is None else min(_PAGE, limit - count)
        )
        if not found:
            break
        placed = [placing.place_again(recording, rules) for recording in found]
        moved = services.catalogue.put_recordings(placed)
        for recording, is_news in zip(placed, moved, strict=True):
            if is_news:
                requeue_waiting_clips(services, recording)
        count += len(found)
        log.info("stage=placed_again recordings=%d moved=%d", len(found), sum(moved))
    return count


def note_event(
    services: Services, event: StoreEvent, *, again: bool = False, stopped: Callable[[], bool] = lambda: False
) -> Registered | None:
    """Apply a store's event to the catalogue. Returns the recording, if one was registered.

    Events of other stores, and of objects that are not recordings, are ignored. For `again`, see `enter_recording`.

    Raises:
        CutbackError: like `enter_recording`.
    """
    key = own_key(services, event)
    if key is None:
        log.info("stage=catalogued bucket=%r key=%r ignored=yes", event.bucket, event.key)
        return None
    if event.kind == "removed":
        if remove(services, key, event) or services.catalogue.get_recording(key) is None:
            return None
        # A version was removed, but another one exists: the known one, or an older one. The latter was stored before
        # what is known, so only the event can say that it counts from now on.
        return enter_recording(services, key, sequencer=event.sequencer, again=again, stopped=stopped)
    return enter_recording(services, key, etag=event.etag, sequencer=event.sequencer, again=again, stopped=stopped)
