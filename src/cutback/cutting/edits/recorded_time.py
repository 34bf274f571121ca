"""What texts say about the moment at which a picture was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from cutback.cutting.edits.step import PaintedClip, PaintedPart
from cutback.cutting.edits.subtitles import Cue
from cutback.domain.errors import EditImpossibleError
from cutback.domain.text_fields import FRAME_FORMATS, filled

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SHORTEST_CUE = Fraction(1, 30)
"""Seconds. In a clip that is much faster than time, not every second is shown."""


@lru_cache(maxsize=128)
def zone_of(name: str) -> ZoneInfo:
    """Return a time zone. Its file is read once, while files can still be opened."""
    return ZoneInfo(name)


def local_time(epoch: Fraction, zone: str) -> datetime:
    """Return the local time of a moment in seconds since 1970."""
    # A frame's time may be rounded down by a tick; it is not of the second before.
    return (_EPOCH + timedelta(microseconds=int(epoch * 1_000_000) + 1000)).astimezone(zone_of(zone))


def with_moment(text: str, zone: str, moment: tuple[Fraction, str] | None) -> str:
    """Return a text with the values of its fields, at the moment at which a picture was recorded by a camera."""

    def value(field: str) -> str:
        assert moment is not None
        if field == "camera":
            return moment[1]
        if field == "zone":
            return zone
        return local_time(moment[0], zone).strftime(FRAME_FORMATS[field])

    return filled(text, value)


def cues_by_second(
    name: str, scene: PaintedClip, part: PaintedPart, text: Callable[[tuple[Fraction, str] | None], str]
) -> Iterator[Cue]:
    """Yield subtitles for a part of the clip, a new one whenever a camera's clock goes on by a second.

    Raises:
        EditImpossibleError: it goes on more often than the limit; `name` is the edit's.
    """
    if (seconds := scene.time.recorded_seconds) > scene.most_subtitles:
        raise EditImpossibleError(
            f"{name}: {seconds} seconds as subtitles are too many; the limit is {scene.most_subtitles}. Draw them, or "
            "use a shorter part."
        )
    full = {scene.retimed(cut) for cut in scene.time.full_seconds()}
    begins = [part.start]
    for second in sorted(full):
        if begins[-1] + _SHORTEST_CUE <= second < part.end:
            begins.append(second)
    last: Cue | None = None
    for start, end in pairwise([*begins, part.end]):
        shown = text(scene.time.moment(scene.cut((start + end) / 2)))
        if last is not None and last.text != shown:
            yield last
            last = None
        last = Cue(start if last is None else last.start, end, shown)
    if last is not None:
        yield last
