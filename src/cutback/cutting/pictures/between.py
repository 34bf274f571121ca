"""Slow motion: the pictures between frames, mixed or interpolated."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av

from cutback.cutting.codecs.encoder import in_encodable_format
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.graph import GraphsInUse, MixGraph, PictureGraph, interpolated
from cutback.cutting.index import Track
from cutback.cutting.plan.plan import PlannedRun
from cutback.cutting.source.footage import MediaSource
from cutback.domain.errors import MediaUnreadableError

_HELD_AT_END = 4
"""How often the last picture is given to the filter: it needs frames after those between which it interpolates."""


def blended(media: MediaSource, run: PlannedRun) -> Iterator[Picture]:
    """Yield the shown pictures of a run; one between two frames is a mix of both.

    Raises:
        MediaUnreadableError: one of them cannot be decoded.
    """
    assert run.shown is not None
    graphs = GraphsInUse()
    rank = run.shown[0].rank
    pictures = media.frames(rank, min(run.end, run.shown[-1].rank + 2))
    current, following = next(pictures, None), next(pictures, None)
    for shown in run.shown:
        while rank < shown.rank:
            current, following, rank = following, next(pictures, None), rank + 1
        if current is None:
            raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")
        this = in_encodable_format(current.frame)
        if not shown.part or following is None:
            # Another frame with the same pixels: the caller sets its time while this one is still in use.
            same = graphs.graph("same", this, lambda like=this: PictureGraph(like, []))  # type: ignore[misc]
            yield replace(current, frame=same.apply(this))
            continue
        mix = graphs.graph("mix", this, lambda like=this: MixGraph(like))  # type: ignore[misc]
        yield replace(current, frame=mix.apply(in_encodable_format(following.frame), this, shown.part))


def with_motion(media: MediaSource, track: Track, run: PlannedRun) -> Iterator[Picture]:
    """Yield the shown pictures of a run; those between frames are where their motion would be.

    Raises:
        MediaUnreadableError: there are none.
    """
    assert run.shown is not None
    if len(run.shown) == 1:
        yield from blended(media, run)
        return
    first, last = run.shown[0], run.shown[-1]
    rate = Fraction(len(run.shown) - 1) / (last.at - first.at)
    stop = min(run.end, last.rank + 2)
    times = [track.seconds(track.pts[sample]) / run.speed for sample in track.order[first.rank : stop]]
    zero = times[0] + first.part * (times[1] - times[0]) if len(times) > 1 else times[0]
    latest: deque[Picture] = deque(maxlen=1)

    def timed() -> Iterator[tuple[av.VideoFrame, float]]:
        for picture, at in zip(media.frames(first.rank, stop), times, strict=False):
            latest.append(picture)
            yield in_encodable_format(picture.frame), float(max(at - zero, Fraction(0)))
        for number in range(1, _HELD_AT_END + 1):
            for picture in latest:
                # A frame of its own: the filter still has the one before.
                again = PictureGraph(picture.frame, []).apply(picture.frame)
                yield in_encodable_format(again), float(times[-1] - zero + number / rate)

    count, held = 0, None
    for frame in interpolated(timed(), float(rate)):
        if count == len(run.shown):
            break
        held = Picture(frame, latest[0].aspect)
        count += 1
        yield held
    while held is not None and count < len(run.shown):
        count += 1
        yield held
