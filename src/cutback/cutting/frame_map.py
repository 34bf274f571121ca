"""When each frame of a recording is shown. Runs in the child process."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

from cutback.cutting.index import Track
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.source.footage import open_media
from cutback.domain.errors import MediaTooLargeError, RangeOutsideRecordingError
from cutback.domain.times import format_seconds

MOST_ENTRIES = 90_000
"""Most runs and keyframes of a map."""


def frame_map(source: ByteSource, limits: Limits) -> dict[str, Any]:
    """Return the map of a recording: frame n is shown as long as the n-th duration says, and keyframes by number.

    `durations` is run-length coded: [ticks, how many frames in a row]. `start` is when the first frame is shown, in
    seconds from the recording's time zero; from there on, all is whole ticks of 1 / `time_scale` seconds.

    Raises:
        RangeOutsideRecordingError: the recording has no pictures.
        MediaTooLargeError: the map would be too large.
        CutbackError: like `open_media`.
    """
    track = open_media(source, limits).index.video
    if track is None or not track.order:
        raise RangeOutsideRecordingError("The recording has no pictures.")
    durations, keyframes = _durations(track), _keyframes(track)
    if len(durations) + len(keyframes) > MOST_ENTRIES:
        raise MediaTooLargeError("Its frames are too irregular for a frame map.")
    return {
        "time_scale": track.timescale,
        "start": format_seconds(track.start),
        "end": format_seconds(track.end),
        "frames": len(track.order),
        "durations": durations,
        "keyframes": keyframes,
    }


def _durations(track: Track) -> list[list[int]]:
    times = [track.pts[sample] for sample in track.order]
    steps = [later - earlier for earlier, later in pairwise(times)]
    steps.append(track.end_of(track.order[-1]) - times[-1])
    return [[step, sum(1 for _ in run)] for step, run in groupby(steps)]


def _keyframes(track: Track) -> list[int]:
    sync = frozenset(track.sync)
    return [rank for rank, sample in enumerate(track.order) if sample in sync]
