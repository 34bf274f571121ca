"""How a message becomes a clip: every stage, in order."""

from __future__ import annotations

from collections.abc import Callable

from cutback.cutting.job import CutProgress, Rendition
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.domain.clips.clip import Clip, ClipResult, CutSpan, Progress
from cutback.domain.errors import (
    CutbackError,
    ObjectExistsError,
    ObjectNotFoundError,
    StoppedError,
    StorageUnavailableError,
    WorkersDiedError,
)
from cutback.domain.requests.request import parse_request
from cutback.lifecycle import accept
from cutback.lifecycle.attempt import Done, Outcome, claim, clear, end_attempt, finish, prefix
from cutback.lifecycle.clip_pictures import store_pictures
from cutback.lifecycle.commit import announce_now
from cutback.lifecycle.copied_parts import CopySource
from cutback.lifecycle.lease import Lease
from cutback.lifecycle.outputs import store_outputs
from cutback.lifecycle.posters import storing_posters
from cutback.lifecycle.stages import Stages
from cutback.lifecycle.waiting import coverages, start_waiting_if_needed
from cutback.ports import Message
from cutback.reading.open_playlist import is_playlist
from cutback.reading.resolve import OpenedSources, resolve
from cutback.services import Services
from cutback.storage.multipart import CopiedRange


def make_clip(
    services: Services,
    message: Message,
    *,
    stopping: Callable[[], bool] = lambda: False,
    why: Callable[[], CutbackError] = StoppedError,
) -> Outcome:
    """Parse ► record ► wait? ► claim ► resolve ► render ► store ► commit ► announce; the caller acknowledges last.

    Whatever goes wrong, the result is what to do with the message; only what ends the process is raised. `stopping`
    says whether the worker wants to stop; the work then returns to the queue immediately. `why` gives the reason.
    """
    attempt: Clip | None = None
    stages = Stages(services)
    try:
        request = parse_request(message.body, services.settings.request_rules)
        stages.reached("parsed", request.stored_id, 0)

        clip = accept.record(services, request)
        stages.reached("recorded", clip.id, clip.attempt)

        if start_waiting_if_needed(services, clip):
            stages.reached("waiting", clip.id, clip.attempt)
            return Done()

        claimed = claim(services, clip, message)
        if not isinstance(claimed, Clip):
            return claimed
        attempt = claimed
        stages.reached("claimed", clip.id, attempt.attempt)
        _check_tries(services, message)

        with (
            Lease(services, attempt, message, stopping=stopping) as lease,
            resolve(
                request,
                services.sources,
                services.cache,
                stopped=lease.stopped,
                coverages=coverages(services, attempt),
                assets=services.assets,
                copied_in_store=services.settings.copy_in_store,
            ) as footage,
        ):
            stages.reached("resolved", clip.id, attempt.attempt)

            settings = services.settings
            job = footage.job(
                request, settings.limits, keep_location=settings.keep_location, pictures=settings.pictures
            )
            with services.cutter.render(
                job, footage.readers, on_progress=_noting(lease, footage), stopped=lease.stopped
            ) as rendition:
                facts = rendition.facts
                stages.reached("rendered", clip.id, attempt.attempt, parts=facts.stages, reading=facts.read_seconds)

                lease.check()
                result = _store(services, attempt, rendition, footage, lease=lease, stages=stages)
                stages.reached("stored", clip.id, attempt.attempt)

        finished = finish(services, attempt, result)
        stages.reached("committed", clip.id, attempt.attempt)

        announce_now(services, finished)
        if finished.attempt > 1:
            clear(services, finished)
        stages.reached("announced", clip.id, attempt.attempt)
        return Done()
    except Exception as error:  # noqa: BLE001 - a bug must not lose a message; end_attempt logs it whole
        return end_attempt(services, attempt, message, why() if isinstance(error, StoppedError) else error)


def _check_tries(services: Services, message: Message) -> None:
    # A try that fails with an error is decided at its end, so only workers that died can exceed the number of tries.
    if message.receive_count > services.policy.max_tries:
        raise WorkersDiedError


def _copied(services: Services, footage: OpenedSources) -> CopySource:
    recordings = footage.recordings

    def range_of(extent: Extent) -> CopiedRange | None:
        if extent.origin == SPOOL or recordings[extent.origin].is_asset:
            return None
        if is_playlist(recordings[extent.origin].key):  # several objects that are read as one
            return None
        info = footage.readers[extent.origin].info
        return services.sources.range_of(info.key, info.etag, extent.offset, extent.length)

    return range_of


def _store(
    services: Services, attempt: Clip, rendition: Rendition, footage: OpenedSources, *, lease: Lease, stages: Stages
) -> ClipResult:
    facts = rendition.facts
    folder = prefix(attempt.id, attempt.attempt)
    try:
        with storing_posters(services.clips, folder, rendition, lease) as posters:
            copied = _copied(services, footage) if services.settings.copy_in_store else None
            outputs = store_outputs(services.clips, folder, rendition, attempt.request, lease, copied=copied)
        pictures, missing = store_pictures(services.clips, folder, rendition, lease)
    except (ObjectExistsError, ObjectNotFoundError) as error:
        # Only this attempt uses this folder: something else wrote to it or swept it. The next attempt has another one.
        raise StorageUnavailableError(error.detail) from error
    recordings = footage.recordings
    return ClipResult(
        key=outputs[0].key,
        size=facts.size,
        etag=outputs[0].etag,
        duration=facts.duration,
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        frames_copied=facts.frames_copied,
        frames_encoded=facts.frames_encoded,
        spans=tuple(
            CutSpan(
                recording=recordings[span.source].key,
                etag=recordings[span.source].etag,
                start=span.start,
                end=span.end,
                clamped=span.clamped,
                camera=camera,
                begins=begins,
                asset=recordings[span.source].is_asset,
            )
            for span, (camera, begins) in ((span, footage.wall_clock(span)) for span in facts.spans)
        ),
        gaps=footage.gaps,
        insets=footage.inset_recordings,
        bytes_read=footage.bytes_read,
        requests=footage.requests,
        source_size=footage.size,
        seconds=round(stages.seconds, 3),
        stages=stages.took("store"),
        remade=facts.remade,
        notes=(*footage.notes, *facts.notes, *missing),
        edits=facts.edits,
        posters=posters.files,
        pictures=pictures,
        outputs=() if attempt.request.is_one_plain_mp4 else outputs,
    )


def _noting(lease: Lease, footage: OpenedSources) -> Callable[[CutProgress], None]:
    def note(progress: CutProgress) -> None:
        fraction = min(max(progress.fraction, 0.0), 1.0)
        lease.note(Progress(fraction=fraction, bytes=footage.bytes_read, frames=progress.frames))

    return note
