"""Makes clips of moments: of those that somebody asks for, and of those in recordings that arrive, as rules say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cutback.domain.cameras.moments import CameraMoment
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import Clip
from cutback.domain.errors import DifferentRequestError
from cutback.domain.requests.moment_rule import MomentRule
from cutback.domain.requests.request import validate_request
from cutback.lifecycle.accept import submit_or_find
from cutback.lifecycle.lookup import get_clip
from cutback.lifecycle.moments import camera_moments
from cutback.services import Services

log = logging.getLogger(__name__)

_UNDECIDED = timedelta(seconds=15)
"""A moment that is not over so long before a recording's end is left to the next recording."""
_OVER = timedelta(seconds=5)
"""What ends so long before a recording's end does not change with what follows."""


@dataclass(frozen=True, slots=True)
class MomentClip:
    """The clip of a moment."""

    moment: CameraMoment
    clip: Clip
    is_new: bool


def clip_moments(
    services: Services, camera: str, moments: Iterable[CameraMoment], rule: MomentRule
) -> list[MomentClip]:
    """Request a clip of each moment. A moment that has a clip keeps it, whatever the rule was then.

    Raises:
        InvalidRequestError: a request is invalid.
        SurroundingsError: records or queue do not answer; call this again.
    """
    made = []
    for moment in moments:
        request = validate_request(rule.request(camera, moment), services.settings.request_rules)
        try:
            clip, is_new = submit_or_find(services, request)
        except DifferentRequestError:
            clip, is_new = get_clip(services, request.stored_id), False
        made.append(MomentClip(moment, clip, is_new))
    return made


def apply_rules(services: Services, recording: CameraRecording) -> list[MomentClip]:
    """Make clips of the moments of a recording that has arrived, as CUTBACK_MOMENT_RULES says. Idempotent.

    A moment that may continue in the next recording waits for it: each recording also decides the last seconds of the
    one before.

    Raises:
        SurroundingsError: a store, the records or the queue do not answer; call this again.
    """
    rules = [rule for rule in services.settings.moment_rules if rule.is_for(recording.camera)]
    if not rules or recording.growing:
        return []
    least = min(rule.strength for rule in rules)
    found = camera_moments(services, recording.camera, recording.start - _UNDECIDED, recording.end, least=least)
    moments = _decided(found.moments, recording)
    made = []
    for rule in rules:
        strong = [moment for moment in moments if moment.strength >= rule.strength]
        made += clip_moments(services, recording.camera, strong, rule)
    log.info("stage=moments key=%r moments=%d new=%d", recording.key, len(moments), sum(each.is_new for each in made))
    return made


def _decided(moments: Sequence[CameraMoment], recording: CameraRecording) -> list[CameraMoment]:
    edge = recording.end - _UNDECIDED
    over = recording.end - _OVER
    return [moment for moment in moments if moment.peak < edge or moment.ends < over]
