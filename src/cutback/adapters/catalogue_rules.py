"""The decisions that all implementations of Catalogue share. Pure."""

from __future__ import annotations

from datetime import timedelta

from cutback.adapters.ordering import to_micros
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.cameras.store_event import Standing, is_outdated

REMOVALS_KEPT = timedelta(days=30)
"""How long removals are remembered: longer than any queue keeps an event about an object's arrival."""

_HOW_HEARD = ("sequencer", "stored_at", "rules")


def standing(recording: CameraRecording) -> Standing:
    """Return what orders this recording among other news about its key."""
    return Standing(recording.sequencer, recording.stored_at)


def to_enter(recording: CameraRecording, known: CameraRecording) -> CameraRecording | None:
    """Return the entry that replaces `known` after news of `recording`; None if nothing changes."""
    if is_outdated(standing(recording), standing(known)):
        return None
    if known.etag == recording.etag and not recording.sequencer:
        recording = recording.model_copy(update={"sequencer": known.sequencer})
    return None if recording == known else recording


def says_the_same(one: CameraRecording, other: CameraRecording) -> bool:
    """Whether they differ only in the event that reported them."""
    return one.model_copy(update={name: getattr(other, name) for name in _HOW_HEARD}) == other


def length_class(recording: CameraRecording) -> int:
    """Return the number of bits of its length in microseconds: a recording of class n is shorter than 2^n µs.

    Within a class, a recording that overlaps a span begins at most 2^n µs before it. So a span is looked up with one
    narrow index read for each of a camera's few classes, however long its longest recording is.
    """
    return max(0, to_micros(recording.end) - to_micros(recording.start)).bit_length()
