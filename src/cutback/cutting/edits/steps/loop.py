"""`loop`: shows the clip, or a part of it, several times, as if the request had named its ranges as often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from cutback.cutting.edit_values.time import Loop
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.step import EditStep
from cutback.cutting.plan.pieces import Located
from cutback.cutting.plan.plan import FrameRange, rank_at
from cutback.cutting.source.footage import MediaSource
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import FRAME_TOLERANCE, format_seconds


class LoopStep(EditStep[Loop]):
    """Repeats ranges."""

    edit = Loop

    def needs_pictures(self, edit: Loop) -> bool:
        """See `EditStep`."""
        del edit
        return False

    def pieces(self, edit: Loop, pieces: Sequence[Located], time: ClipTime) -> Sequence[Located]:
        """See `EditStep`."""
        start = Fraction(0) if edit.start is None else time.cut(edit.start, "loop")
        end = time.duration if edit.end is None else time.cut(edit.end, "loop")
        if end <= start:
            raise EditImpossibleError(f"loop: its part ends at {format_seconds(end, 3)} s, before it begins.")
        before, rest = _split(pieces, start)
        part, behind = _split(rest, end - sum((piece.duration for _, _, piece in before), Fraction(0)))
        if not part:
            raise EditImpossibleError("loop: no frame begins in its part.")
        return [*before, *(part * edit.times), *behind]

    def described(self, edit: Loop) -> str:
        """See `EditStep`."""
        what = "the clip" if edit.start is None and edit.end is None else "a part"
        return f"loop: {what} is shown {edit.times} times"


def _split(pieces: Sequence[Located], at: Fraction) -> tuple[list[Located], list[Located]]:
    """Split ranges at a time: at the first frame that begins there or later."""
    before: list[Located] = []
    for place, (media, source, piece) in enumerate(pieces):
        if at >= piece.duration - FRAME_TOLERANCE:
            before.append((media, source, piece))
            at -= piece.duration
            continue
        parts = list(_parts(media, source, piece, at))
        if len(parts) == 2:
            return [*before, parts[0]], [parts[1], *pieces[place + 1 :]]
        return before, list(pieces[place:])
    return before, []


def _parts(media: MediaSource, source: int, piece: FrameRange, at: Fraction) -> Iterator[Located]:
    """Yield a range in two parts, or whole if it would be split before its first or behind its last frame."""
    video, time = media.index.video, piece.start + at
    if at <= FRAME_TOLERANCE:
        yield media, source, piece
    elif piece.fill is not None or video is None:
        yield media, source, replace(piece, end=time)
        yield media, source, replace(piece, start=time)
    else:
        rank = rank_at(video, time)
        if not piece.first < rank < piece.stop:
            yield media, source, piece
            return
        time = video.seconds(video.pts[video.order[rank]])
        yield media, source, replace(piece, end=time, stop=rank)
        yield media, source, replace(piece, start=time, first=rank)
