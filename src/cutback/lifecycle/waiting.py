"""Clips whose footage has not arrived: how they start to wait, and how they return to the queue."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from cutback.catalogue.locate import Found, Never, NotYet, Patience, Refresh, Verdict, locate_footage
from cutback.domain.cameras.coverage import Coverage, reach
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import FootageNotYetError, WrongStateError
from cutback.domain.requests.request import ClipRequest
from cutback.lifecycle.commit import announce_now

if TYPE_CHECKING:
    from cutback.services import Services

log = logging.getLogger(__name__)


def patience_of(services: Services) -> Patience:
    """Return how long clips wait, according to the settings."""
    settings = services.settings
    return Patience(
        deadline=timedelta(seconds=settings.footage_deadline),
        late=timedelta(seconds=settings.late_footage),
        retention=timedelta(seconds=settings.retention),
        drift=Fraction(settings.clock_drift) / 1_000_000,
    )


def look_up(services: Services, request: ClipRequest, *, asked_at: datetime) -> list[Verdict]:
    """Return what is known about each of the request's camera spans (`all_spans`), in order.

    Raises:
        SurroundingsError: the catalogue or a store does not answer.
    """
    patience, now = patience_of(services), services.clock()
    return [
        locate_footage(span, services.catalogue, patience, asked_at=asked_at, now=now, refresh=_refreshing(services))
        for span in request.all_spans
    ]


def start_waiting_if_needed(services: Services, clip: Clip) -> bool:
    """Let the clip wait if its footage has not arrived. Returns whether it waits; its message is then done.

    A recording that arrives between the first look and the change of the record finds no waiting clip. So the
    catalogue is read once more after that change.

    Raises:
        RecordsUnavailableError: the records do not answer.
        StorageUnavailableError: a recording that is still being written could not be read.
    """
    if not clip.request.all_spans or clip.state.final or clip.state is ClipState.PROCESSING:
        return False
    missing = _not_yet(look_up(services, clip.request, asked_at=clip.created_at))
    if missing is None:
        return False
    waiting = _note(services, clip, missing)
    return waiting is not None and _not_yet(look_up(services, clip.request, asked_at=clip.created_at)) is not None


def coverages(services: Services, clip: Clip) -> list[Coverage]:
    """Return the coverage of each of the clip's camera spans, in order, without waiting any longer.

    Raises:
        FootageMissingError: there is no footage, or some is missing and the request does not allow gaps.
        FootageExpiredError: the footage is older than recordings are kept.
        SurroundingsError: the catalogue or a store does not answer, or footage vanished a moment ago.
    """
    found = []
    for verdict in look_up(services, clip.request, asked_at=clip.created_at):
        match verdict:
            case Found(coverage):
                found.append(coverage)
            case Never(error):
                raise error
            case NotYet():
                raise FootageNotYetError
    return found


def requeue_waiting_clips(services: Services, recording: CameraRecording) -> int:
    """Send the clips that may need a new or longer recording back to the queue. Returns how many.

    The camera's waiting clips are read page by page. A clip that starts to wait meanwhile finds the recording itself.

    Raises:
        SurroundingsError: records or queue do not answer. Call this again; otherwise the clips wait until `look_at`.
    """
    until = reach(recording, patience_of(services).drift)
    count, cursor = 0, None
    while True:
        page = services.records.waiting_for(recording.camera, cursor=cursor)
        bodies = [clip.request.model_dump_json() for clip in page.clips if _begins(clip, recording.camera) < until]
        services.queue.send_all(bodies)
        count += len(bodies)
        cursor = page.next_cursor
        if cursor is None:
            return count


def _begins(clip: Clip, camera: str) -> datetime:
    """Return the earliest moment of the camera that the clip requests. A recording that ends before it is irrelevant.

    A recording after the missing time is relevant: it shows that nothing more will arrive.
    """
    return min(span.start for span in clip.request.all_spans if span.camera == camera)


def _not_yet(verdicts: list[Verdict]) -> NotYet | None:
    missing = [each for each in verdicts if isinstance(each, NotYet)]
    if not missing or not all(isinstance(each, NotYet | Found) for each in verdicts):
        return None  # complete, or lost for good: the attempt finds out
    return max(missing, key=lambda each: each.look_at)


def _note(services: Services, clip: Clip, missing: NotYet) -> Clip | None:
    """Return the waiting clip; None if it changed state meanwhile. Its event is stored only the first time."""
    now = services.clock()
    told = clip.state is ClipState.WAITING and clip.waits_for == missing.camera
    try:
        waiting = clip.waiting(
            camera=missing.camera,
            expected_at=missing.expected_at,
            look_at=missing.look_at,
            until=missing.until,
            camera_is_new=missing.camera_is_new,
            now=now,
        )
    except WrongStateError:
        return None
    if not services.records.commit(waiting, announce=not told):
        return None
    log.info("stage=waiting clip=%s camera=%s look_at=%s", clip.id, missing.camera, missing.look_at.isoformat())
    if not told:
        announce_now(services, waiting)
    return waiting


def _refreshing(services: Services) -> Refresh:
    def refresh(recording: CameraRecording) -> CameraRecording | None:
        from cutback.catalogue.register import register

        register(services, recording.key)
        return services.catalogue.get_recording(recording.key)

    return refresh
