"""Looks up what a caller may see. What the caller may not see does not exist for it."""

from __future__ import annotations

from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import Clip
from cutback.domain.errors import CameraUnknownError, ClipNotFoundError, RecordingNotFoundError
from cutback.domain.requests.ids import stored_id
from cutback.domain.requests.request import ClipRequest
from cutback.lifecycle.lookup import look_at_clip
from cutback.services import Services
from cutback.web.api.access import Caller


def visible_clip(services: Services, caller: Caller, clip_id: str) -> Clip:
    """Return a clip by the id that the caller knows it by. Without a tenant, that may be `<tenant>.<id>`.

    Raises:
        ClipNotFoundError: there is no such clip, it is deleted for good, or the caller may not see it.
        RecordsUnavailableError: the records do not answer.
    """
    clip = look_at_clip(services, stored_id(caller.tenant, clip_id))
    if not caller.may_see_clip(clip) or clip.is_deleted(services.clock()):
        raise ClipNotFoundError(f"The id is {clip_id}.")
    return clip


def may_see_recording(caller: Caller, recording: CameraRecording) -> bool:
    """Whether a recording is visible to the caller, by its key or by its camera."""
    return caller.may_see_key(recording.key) or caller.may_see_camera(recording.camera)


def visible_recording(services: Services, caller: Caller, key: str) -> CameraRecording:
    """Return a recording of the catalogue.

    Raises:
        RecordingNotFoundError: the catalogue does not have it, or the caller may not see it.
        RecordsUnavailableError: the catalogue does not answer.
    """
    recording = services.catalogue.get_recording(key)
    if recording is None or not may_see_recording(caller, recording):
        raise RecordingNotFoundError("The catalogue does not have it.")
    return recording


def check_sources(services: Services, caller: Caller, request: ClipRequest) -> None:
    """Check that the caller may see every recording and camera that a request names.

    The catalogue is asked only about recordings whose keys are not visible to the caller.

    Raises:
        RecordingNotFoundError: it may not see a recording, by its key or by its camera.
        CameraUnknownError: it may not see a camera.
        RecordsUnavailableError: the catalogue does not answer.
    """
    for key in {*(piece.recording for piece in request.ranges), *request.inset_recordings}:
        if not caller.may_see_key(key) and not _sees_by_camera(services, caller, key):
            raise RecordingNotFoundError(f"The key is {key}.")
    for span in request.all_spans:
        if not caller.may_see_camera(span.camera):
            raise CameraUnknownError(f"The name is {span.camera}.")


def _sees_by_camera(services: Services, caller: Caller, key: str) -> bool:
    recording = services.catalogue.get_recording(key)
    return recording is not None and caller.may_see_camera(recording.camera)
