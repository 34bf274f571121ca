"""Finds out how many channels the sound of a clip has, so that none is encoded that has the right ones already."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction

from cutback.cutting.index import Track, TrackName
from cutback.cutting.plan.pieces import Located
from cutback.cutting.source.footage import MediaSource

_LOOKED_AT = Fraction(1)
"""Seconds of sound in which the first sample is looked for, before all of the range is."""


def channels_of(pieces: Sequence[Located], heard: Sequence[TrackName]) -> set[int]:
    """Return how many channels the audio tracks `heard` have in these ranges; 0 for one in which they change.

    Decodes the first sound of each, because containers are often wrong about it. What is silent has none.
    """
    found: dict[tuple[int, int], int] = {}
    for media, source, piece in pieces:
        for name in heard if piece.fill is None else ():
            track = media.index.audio_track(name)
            if track is not None and (source, track.id) not in found:
                found[source, track.id] = _channels(media, track, piece.start, piece.end)
    return set(found.values())


def _channels(media: MediaSource, track: Track, start: Fraction, end: Fraction) -> int:
    if len(track.descriptions) > 1:
        return 0
    for until in (min(end, start + _LOOKED_AT), end):
        with closing(media.sound(track, start, until)) as sound:
            if (frame := next(sound, None)) is not None:
                return frame.layout.nb_channels
    return track.descriptions[0].channels
