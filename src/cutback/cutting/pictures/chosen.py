"""Decodes the pictures of a run, or only those of them that are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cutback.cutting.codecs.memory import pixels_of
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.graph import GraphsInUse, PictureGraph
from cutback.cutting.index import Track, decode_start
from cutback.cutting.pictures.between import blended, with_motion
from cutback.cutting.pictures.fields import with_fields
from cutback.cutting.plan.plan import PlannedRun, ShownFrame
from cutback.cutting.source.footage import MediaSource
from cutback.domain.errors import MediaUnreadableError


def decoded_run(media: MediaSource, track: Track, run: PlannedRun) -> Iterator[Picture]:
    """Yield the pictures of a run as often as they are shown, in order.

    Raises:
        MediaUnreadableError: one of them cannot be decoded.
    """
    if run.shown is None:
        yield from media.frames(run.first, run.end)
        return
    if run.between == "blend":
        yield from blended(media, run)
        return
    if run.between == "fields":
        yield from with_fields(media, run)
        return
    if run.between == "interpolate":
        yield from with_motion(media, track, run)
        return
    if run.backwards:
        yield from _backwards(media, track, run)
        return
    graphs = GraphsInUse()
    for group in _groups(track, run.shown):
        times = Counter(track.pts[track.order[frame.rank]] for frame in group)
        for picture in media.frames(group[0].rank, group[-1].rank + 1):
            count = times.pop(picture.frame.pts or 0, 0)
            if count == 1:
                yield picture
                continue
            like = picture.frame
            for _ in range(count):
                # Another frame with the same pixels: the caller sets the time of one while the next is still painted.
                same = graphs.graph("same", like, lambda like=like: PictureGraph(like, []))  # type: ignore[misc]
                yield replace(picture, frame=same.apply(like))
        if times:
            raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")


KEPT = 24_000_000
"""Bytes of decoded pictures that are kept to show them backwards: a group of pictures can be far larger."""


def _backwards(media: MediaSource, track: Track, run: PlannedRun) -> Iterator[Picture]:
    """Decode from the end, in slices that fit into memory; a group with several slices is decoded for each of them."""
    entry = track.descriptions[0]
    size = max(1, pixels_of(entry).bytes)
    most = max(2, KEPT // size)
    stop = run.end
    while stop > run.first:
        begin = max(run.first, stop - most, _group_start(track, stop - 1))
        pictures = list(media.frames(begin, stop))
        if len(pictures) != stop - begin:
            raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")
        while pictures:
            yield pictures.pop()
        stop = begin


def _group_start(track: Track, rank: int) -> int:
    """Return the first presented frame of a frame's GOP, or one behind it: at most the frame itself."""
    start = decode_start(track, track.order[rank])
    return min(rank, track.rank(start))


def _groups(track: Track, shown: Sequence[ShownFrame]) -> Iterator[list[ShownFrame]]:
    """Split frames into those that are decoded together: those of one GOP, and of GOPs right behind each other."""
    group: list[ShownFrame] = []
    for frame in shown:
        if group and decode_start(track, track.order[frame.rank]) > max(track.order[each.rank] for each in group) + 1:
            yield group
            group = []
        group.append(frame)
    if group:
        yield group


def numbered(pictures: Iterator[Picture]) -> Iterator[Picture]:
    """Yield pictures with their numbers instead of times; the same picture may come several times."""
    for number, picture in enumerate(pictures):
        picture.frame.pts = number
        yield picture
