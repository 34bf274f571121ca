"""A recording's index, as plain JSON: for people who want to know what cutting it will be like."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from cutback.cutting.index import Index, Track
from cutback.domain.times import format_seconds


def describe(index: Index, *, copies: bool) -> dict[str, Any]:
    """Container, duration, tracks, and how the keyframes lie. Times are decimal seconds.

    `copies` says whether the recording's samples may stand in an MP4 as they are.
    """
    video = index.video
    return {
        "container": index.container,
        "duration": format_seconds(index.end),
        **({} if index.created is None else {"created": index.created.isoformat()}),
        "fragmented": index.fragmented,
        "truncated": index.truncated,
        "open_ended": index.open_ended,
        "tracks": [_track(track) for track in index.tracks],
        "keyframes": None if video is None else _keyframes(index, video),
        "copies": copies and video is not None and video.descriptions[0].codec == "h264",
        "notes": list(index.notes),
    }


def _track(track: Track) -> dict[str, Any]:
    description = track.descriptions[0]
    made: dict[str, Any] = {"kind": track.kind, "codec": description.codec, "language": track.language}
    if not track.order:
        return made
    length = track.end - track.start
    made |= {"start": format_seconds(track.start), "duration": format_seconds(length), "samples": len(track.order)}
    made["bits_per_second"] = round(sum(track.sizes) * 8 / length) if length > 0 else 0
    if track.kind == "video":
        made |= {"width": description.width, "height": description.height}
        made["frames_per_second"] = round(float(len(track.order) / length), 3) if length > 0 else 0
    elif track.kind == "audio":
        made |= {"sample_rate": description.sample_rate, "channels": description.channels}
    return made


def _keyframes(index: Index, video: Track) -> dict[str, Any]:
    times = sorted(video.seconds(video.pts[sample]) for sample in video.sync)
    gaps = [later - earlier for earlier, later in pairwise([*times, max(index.end, *times)])] if times else []
    return {
        "count": len(times),
        "longest": format_seconds(max(gaps, default=Fraction(0)), 6),
        "average": format_seconds(sum(gaps, Fraction(0)) / len(gaps) if gaps else Fraction(0), 6),
    }
