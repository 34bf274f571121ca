"""Both fields of interlaced frames as pictures of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import av

from cutback.cutting.codecs.encoder import in_encodable_format
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.graph import GraphsInUse, PictureGraph, of_fields
from cutback.cutting.plan.plan import PlannedRun, ShownFrame
from cutback.cutting.source.footage import MediaSource
from cutback.domain.errors import MediaUnreadableError


def with_fields(media: MediaSource, run: PlannedRun) -> Iterator[Picture]:
    """Yield the shown fields of a run. Both fields of a frame that is not interlaced are the frame.

    Raises:
        MediaUnreadableError: one of them cannot be decoded.
    """
    assert run.shown is not None
    begin = max(run.first, run.shown[0].rank - 1)  # the missing rows are computed from the frames before and behind
    stop = min(run.end, run.shown[-1].rank + 2)
    origins: list[Picture] = []

    def frames() -> Iterator[av.VideoFrame]:
        for picture in media.frames(begin, stop):
            origins.append(replace(picture, frame=None))  # type: ignore[arg-type]  # what it says besides its pixels
            yield in_encodable_format(picture.frame)

    graphs = GraphsInUse()
    waiting = deque(run.shown)
    last: av.VideoFrame | None = None

    def again(shown: ShownFrame) -> Picture:
        """The last field once more, as a frame of its own: the caller sets the time of one while another is in use."""
        if last is None:
            raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")
        like = last
        same = graphs.graph("same", like, lambda: PictureGraph(like, []))
        return replace(origins[shown.rank - begin], frame=same.apply(like))

    for number, second, frame in of_fields(frames()):
        place = (begin + number, second)
        while waiting and _place(waiting[0]) < place:
            yield again(waiting.popleft())
        last = frame
        if waiting and _place(waiting[0]) == place:
            yield again(waiting.popleft())
    while waiting:
        yield again(waiting.popleft())


def _place(shown: ShownFrame) -> tuple[int, bool]:
    return shown.rank, shown.part > 0
