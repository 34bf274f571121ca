"""Background maintenance of clips.

Announces remaining events, expires and sweeps clips, finds clips that lost their message, removes old records.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import (
    CutbackError,
    LeaseLostError,
    WorkersDiedError,
    WrongStateError,
)
from cutback.lifecycle import accept, made_files
from cutback.lifecycle.arrivals import place_again
from cutback.lifecycle.attempt import clear
from cutback.lifecycle.commit import announce_events, announce_now, commit_change
from cutback.lifecycle.dead_letter_index import DeadLetterIndex, fingerprint
from cutback.lifecycle.delivery_log import forget_deliveries
from cutback.lifecycle.uploads import remove_abandoned as remove_abandoned_uploads
from cutback.ports import DeadLetter
from cutback.services import Services

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=1)
"""An event younger than this is left to the worker that committed it, so that most events are announced only once."""

_PAGE = 100
_PLACED_AT_ONCE = 2000
_MOST_LETTERS = 1000

_dead_letters = DeadLetterIndex()
"""Remembers the dead letters read before, so that each is parsed only once per process."""


def housekeep(services: Services) -> None:
    """Do one round of everything. A failure is logged, and the next round tries again. Raises nothing."""
    for chore in (
        announce,
        tidy,
        fail_clips_of_dead_letters,
        place_some_again,
        prune,
        remove_abandoned_uploads,
        made_files.remove_old,
    ):
        try:
            chore(services)
        except CutbackError as error:
            log.warning("stage=housekeeping chore=%s postponed=yes reason=%s", chore.__name__, error)
        except Exception:  # a bug in one chore must not stop the others or the worker
            log.exception("stage=housekeeping chore=%s postponed=yes", chore.__name__)


def place_some_again(services: Services) -> int:
    """Recompute cameras and start times that were found with other rules, some per round. Returns how many.

    Raises:
        SurroundingsError: catalogue, records or queue do not answer.
    """
    return place_again(services, limit=_PLACED_AT_ONCE)


def announce(services: Services) -> int:
    """Announce the events whose workers died before announcing them. Returns how many.

    Raises:
        RecordsUnavailableError: the records do not answer.
    """
    total = 0
    while True:
        before = services.clock() - GRACE
        page = services.records.unannounced(limit=_PAGE)
        told, left = announce_events(services, [event for event in page if event.time <= before])
        total += told
        if left or told < _PAGE:
            return total


def tidy(services: Services) -> int:
    """Remove expired clips and what attempts left behind; send lost messages again. Returns the number of clips.

    Raises:
        SurroundingsError: records or queue do not answer.
    """
    due = services.records.due(services.clock(), limit=_PAGE)
    for clip in due:
        try:
            _tidy_clip(services, clip)
        except (WrongStateError, LeaseLostError):
            log.debug("clip=%s changed meanwhile", clip.id)
        except CutbackError:
            raise
        except Exception:  # one clip must not prevent tidying the others
            log.exception("stage=housekeeping clip=%s postponed=yes", clip.id)
    return len(due)


def _tidy_clip(services: Services, clip: Clip) -> None:
    now = services.clock()
    if clip.state is ClipState.READY and clip.expires_at is not None and clip.expires_at <= now:
        clip = commit_change(services, clip.id, lambda clip: clip.expired(now=now))
        services.checkpoint("expired")
        announce_now(services, clip)
    if clip.is_deleted(now) and clip.state.final and clip.state is not ClipState.EXPIRED:
        clip = commit_change(services, clip.id, lambda clip: clip.deleted(now=now))
        services.checkpoint("deleted")
        announce_now(services, clip)
    if clip.state is ClipState.PROCESSING and clip.lease_until is not None and clip.lease_until < now:
        abandoned = clip.attempt
        clip = commit_change(
            services,
            clip.id,
            lambda clip: clip.given_back(WorkersDiedError(), attempt=abandoned, now=now, sweep_at=now),
        )
        announce_now(services, clip)
    if clip.sweep_at is None or clip.sweep_at > now:
        return
    if clip.state is ClipState.WAITING:
        services.queue.send(clip.request.model_dump_json())
        services.records.commit(clip.looked_for(now=now, again_at=now + accept.RESEND_AFTER), announce=False)
        return
    if clip.state is ClipState.QUEUED:
        # If the message is not lost after all, the duplicate is harmless.
        services.queue.send(clip.request.model_dump_json())
        log.warning("stage=housekeeping clip=%s sent_again=yes", clip.id)
    elif clip.state.final and not clear(services, clip):
        return
    # Only if the clip is unchanged: a change since then may require another sweep.
    services.records.commit(clip.swept(now=now), announce=False)


def fail_clips_of_dead_letters(services: Services) -> int:
    """Fail the clips whose messages became dead letters because every worker died. Returns how many.

    Raises:
        SurroundingsError: records or queue do not answer.
    """
    count, zones = 0, services.settings.request_rules
    for letter in services.queue.dead_letters(limit=_PAGE):
        for wish in _dead_letters.wanted(letter, zones):
            clip = services.records.get_clip(wish.clip_id)
            if clip is None or not _is_orphan(clip, letter, services):
                continue
            # A dead letter may use the id of an unrelated clip, which must not fail.
            if fingerprint(clip.request) == wish.fingerprint:
                count += _fail(services, clip)
    return count


def _is_orphan(clip: Clip, letter: DeadLetter, services: Services) -> bool:
    leased = clip.lease_until is not None and clip.lease_until > services.clock()
    # A clip that changed after its message became a dead letter was queued again, and has another message.
    return not clip.state.final and not leased and clip.updated_at <= letter.died_at


def _fail(services: Services, clip: Clip) -> bool:
    now = services.clock()
    claimed = clip.claimed(worker=services.worker, now=now, lease=services.settings.lease_time)
    if not services.records.commit(claimed, announce=False):
        return False
    sweep_at = now + services.settings.sweep_delay
    failed = claimed.failed(WorkersDiedError(), attempt=claimed.attempt, now=now, sweep_at=sweep_at)
    if not services.records.commit(failed):
        return False
    log.warning("stage=housekeeping clip=%s failed=%s", clip.id, WorkersDiedError.reason)
    announce_now(services, failed)
    clear(services, failed)
    return True


def prune(services: Services) -> int:
    """Remove old records with their events, as `CUTBACK_KEEP_RECORDS` says, some per round. Returns how many.

    A message that was sent while the record was to be kept must not make the clip again, however late it is delivered.
    So the record stays as long as the queue or the dead letters may have such a message. Files are not touched.

    Raises:
        SurroundingsError: records or queue do not answer.
    """
    settings = services.settings
    if not settings.keep_records:
        return 0
    kept_for = timedelta(seconds=settings.keep_records)
    if not services.records.settled_before(services.clock() - kept_for, limit=1):
        return 0
    # First the dead letters: one that is sent back meanwhile is then found in the queue.
    letters = services.queue.dead_letters(limit=_MOST_LETTERS)
    if len(letters) == _MOST_LETTERS:
        log.warning("stage=housekeeping pruned=no reason=%r", f"there are {_MOST_LETTERS} dead letters or more")
        return 0
    kept = {wish.clip_id for letter in letters for wish in _dead_letters.wanted(letter, settings.request_rules)}
    queues = [services.queue, *([services.long_queue] if services.long_queue else [])]
    delivered = min(queue.nothing_sent_before() for queue in queues)
    found = services.records.settled_before(delivered - kept_for, limit=_PAGE + len(kept))
    old = [clip for clip in found if clip.id not in kept][:_PAGE]
    for clip in old:  # first, so that no log is left over; a clip that stays has lost only an old log
        forget_deliveries(services, clip.id)
    count = services.records.remove_clips(old)
    log.info("stage=housekeeping pruned=%d", count)
    return count
