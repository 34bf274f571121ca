"""Fills gaps in the footage with pictures: the previous one, frozen, or black ones.

Players and editors expect frames at the usual rate, so a gap has them too. But one GOP is encoded only once, and the
clip refers to the same bytes as often as the gap needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from cutback.cutting.codecs.encoder import Shape
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.edited_pictures import EditedPictures
from cutback.cutting.edits.solid import fill_with
from cutback.cutting.index import Track
from cutback.cutting.mp4.layout import SPOOL, OutTrack
from cutback.cutting.plan.parts import PlannedRange
from cutback.cutting.spool import Spool
from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError

GROUP = Fraction(2)
"""Seconds from one keyframe to the next, as for everything that is encoded."""

MOST_FRAMES = 2_000_000
"""Maximum frames in one gap."""

_NEAR = 25
"""Frames on either side of the frozen one that determine the frame rate."""

_SHORTEST = Fraction(1, 240)
"""Maximum seconds of a frame."""


class _Sample(NamedTuple):
    """An encoded picture in the spool: the `frame`-th one of its GOP in presentation order."""

    frame: int
    offset: int
    size: int
    keyframe: bool


def period_of(part: PlannedRange) -> Fraction:
    """Return the seconds between frames of a gap: the usual interval around the frame before it."""
    track = _track(part)
    near = [track.pts[n] for n in track.order[max(0, part.held - _NEAR) : part.held + _NEAR]]
    steps = sorted(after - before for before, after in pairwise(near))
    ticks = steps[len(steps) // 2] if steps else track.duration(track.order[part.held])
    return max(Fraction(ticks, track.timescale), _SHORTEST)


def frames_in(part: PlannedRange) -> int:
    """Return how many frames fill a gap; 0 if it is shorter than half a frame, so that the previous one lasts longer.

    Raises:
        MediaTooLargeError: there are too many.
    """
    count = round(part.piece.duration / period_of(part))
    if count > MOST_FRAMES:
        raise MediaTooLargeError(f"A gap needs {count} frames to fill it.")
    return count


def fill(
    part: PlannedRange, base: Fraction, shape: Shape, out: OutTrack, spool: Spool, edits: EditedPictures
) -> list[int]:
    """Add a gap's pictures to the track, from `base` seconds of the clip. Returns their times, in the track's ticks.

    Raises:
        MediaUnreadableError: the picture next to the gap cannot be decoded.
        MediaTooLargeError: it needs too many frames.
    """
    count, period = frames_in(part), period_of(part)
    if not count:
        return []
    picture = held_picture(part, shape, edits)
    size = min(count, max(1, round(GROUP / period)))
    groups = {length: _encode(picture, length, period, shape, out, spool) for length in {size, count % size} - {0}}
    times = [round(edits.finished(base + number * period) * out.timescale) for number in range(count)]
    for begin in range(0, count, size):
        for sample in groups[min(size, count - begin)]:
            out.add(
                pts=times[begin + sample.frame],
                size=sample.size,
                sync=sample.keyframe,
                origin=SPOOL,
                offset=sample.offset,
            )
    return times


def held_picture(part: PlannedRange, shape: Shape, edits: EditedPictures) -> Picture:
    """Return the picture that fills a gap.

    Raises:
        MediaUnreadableError: it cannot be decoded.
    """
    found = next(edits.changed(_track(part), part.media.frames(part.held, part.held + 1), None, shape.fit), None)
    if found is None:
        raise MediaUnreadableError("The picture next to a gap cannot be decoded.")
    picture = replace(found, frame=shape.fit(found.frame))
    if part.piece.fill == "black":
        fill_with(picture.frame)
    return picture


def _encode(
    picture: Picture, length: int, period: Fraction, shape: Shape, out: OutTrack, spool: Spool
) -> list[_Sample]:
    """Encode a GOP, in decoding order."""
    ticks = [round(number * period * out.timescale) for number in range(length)]
    numbers = {tick: number for number, tick in enumerate(ticks)}
    return [
        _Sample(numbers[coded.pts], spool.append(coded.data), len(coded.data), coded.keyframe)
        for coded in shape.encode(_again(picture, length), ticks.__getitem__, length)
    ]


def _again(picture: Picture, times: int) -> Iterator[Picture]:
    for number in range(times):
        picture.frame.pts = number
        yield picture


def _track(part: PlannedRange) -> Track:
    track = part.media.index.video
    assert track is not None
    return track
