"""What every Catalogue decides alike, whatever it keeps recordings in. Pure."""

from __future__ import annotations

from datetime import timedelta

from cutback.adapters.ordering import to_micros
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.cameras.store_event import Standing, is_outdated

REMOVALS_KEPT = timedelta(days=30)
"""Longer than any queue keeps the news of an object's arrival."""

_HOW_HEARD = ("sequencer", "stored_at", "rules")


def standing(recording: CameraRecording) -> Standing:
    """What decides whether this or other news of the key counts."""
    return Standing(recording.sequencer, recording.stored_at)


def to_enter(recording: CameraRecording, known: CameraRecording) -> CameraRecording | None:
    """What takes the place of `known`, now that `recording` is heard of; None if all stays as it is."""
    if is_outdated(standing(recording), standing(known)):
        return None
    if known.etag == recording.etag and not recording.sequencer:
        recording = recording.model_copy(update={"sequencer": known.sequencer})
    return None if recording == known else recording


def says_the_same(one: CameraRecording, other: CameraRecording) -> bool:
    """Whether they differ in nothing but how they were heard of."""
    return one.model_copy(update={name: getattr(other, name) for name in _HOW_HEARD}) == other


def length_class(recording: CameraRecording) -> int:
    """The number of bits of its length in microseconds: one of class n is shorter than 2^n µs.

    Whatever overlaps a span then begins, within each class, at most 2^n µs before it, so that a span is looked up by
    one narrow read of an index for each of the few classes that a camera has, however long its longest recording is.
    """
    return max(0, to_micros(recording.end) - to_micros(recording.start)).bit_length()
