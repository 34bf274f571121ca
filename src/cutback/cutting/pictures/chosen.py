"""Decodes the pictures of a run, or only those of them that are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.index import Track, decode_start
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
    for group in _groups(track, run.shown):
        times = Counter(track.pts[track.order[frame.rank]] for frame in group)
        for picture in media.frames(group[0].rank, group[-1].rank + 1):
            for _ in range(times.pop(picture.frame.pts or 0, 0)):
                yield picture
        if times:
            raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")


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
