"""Looks for motion in small pictures of parts of recordings. Runs in the child process.

Sizes of coded pictures rise for other reasons than motion: noise in the dark, rain on the lens, an encoder that changes
its quality. In pictures of a few pixels, all of these average out, and what moves remains.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

import av
from av.video.reformatter import Interpolation
from PIL import Image, ImageChops, ImageStat

from cutback.cutting.index import Track, byte_ranges
from cutback.cutting.job import ByteSource, CutJob, CutRange
from cutback.cutting.source.footage import MediaSource, open_media
from cutback.cutting.sprites import keyframes_of
from cutback.domain.errors import CutbackError
from cutback.domain.times import FRAME_TOLERANCE

_SMALLER = 12
"""How many times smaller the pictures are that are compared: noise averages out over so many pixels, squared."""
_NARROWEST, _WIDEST = 32, 160
"""Pixels of a small picture."""
_APART = Fraction(1)
"""Seconds between pictures that are decoded for this."""
_CLOSE = Fraction(5, 2)
"""Keyframes at most so many seconds apart suffice."""
_CHANGED = 12
"""Levels of 256 by which a pixel differs from the one before if something moved there."""
_LEAST_SHARE = 1000
"""One of so many pixels differs if something moved: a surfer far away is a few of them."""


def motion(job: CutJob, sources: Sequence[ByteSource]) -> dict[str, Any]:
    """Look into each range of the job: `motion` has, for each, how many pairs of pictures there are, and moved ones.

    The pictures are keyframes if these are close to each other, else one a second. A range that cannot be read has no
    pairs.
    """
    found = [[0, 0] for _ in job.ranges]
    ranges = [(number, wanted) for number, wanted in enumerate(job.ranges) if isinstance(wanted, CutRange)]
    for source, group in groupby(ranges, key=lambda each: each[1].source):
        try:
            media = open_media(sources[source], job.limits)
        except CutbackError:
            continue
        for number, wanted in group:
            try:
                found[number] = _moved(media, sources[source], wanted)
            except (CutbackError, av.FFmpegError):
                continue
    return {"motion": found}


def _moved(media: MediaSource, source: ByteSource, wanted: CutRange) -> list[int]:
    track = media.index.video
    if track is None or not track.order:
        return [0, 0]
    assert isinstance(wanted.start, Fraction)
    assert isinstance(wanted.end, Fraction)
    ranks = pictures_of(track, wanted.start, wanted.end)
    if set(ranks) <= set(keyframes_of(track)):
        source.prefetch(byte_ranges(track, sorted(track.order[rank] for rank in ranks)))
    pictures = list(_small(media, track, ranks))
    pairs = [each for each in pairwise(pictures) if each[0].size == each[1].size]
    return [len(pairs), sum(_differ(*each) for each in pairs)]


def pictures_of(track: Track, start: Fraction, end: Fraction) -> list[int]:
    """Return the ranks of the pictures that show whether something moves in [start, end), in seconds. Pure."""
    times = {rank: track.seconds(track.pts[track.order[rank]]) for rank in keyframes_of(track)}
    marks = [rank for rank, at in times.items() if start <= at < end]
    stops = [max(start, track.start), *(times[rank] for rank in marks), min(end, track.end)]
    if len(marks) > 1 and max(after - before for before, after in pairwise(stops)) <= _CLOSE:
        return marks
    count = max(0, -(-(min(end, track.end) - start) // _APART))
    due = (start + number * _APART for number in range(count))
    ranks = (track.rank_at(track.ticks(at + FRAME_TOLERANCE)) - 1 for at in due)
    return list(dict.fromkeys(rank for rank in ranks if rank >= 0))


def _small(media: MediaSource, track: Track, ranks: Sequence[int]) -> Iterator[Image.Image]:
    keyframes = keyframes_of(track)
    for _, group in groupby(ranks, key=lambda rank: bisect_right(keyframes, rank)):
        run = list(group)
        wanted = {track.pts[track.order[rank]] for rank in run}
        for picture in media.frames(run[0], run[-1] + 1):
            if picture.frame.pts in wanted:
                yield _grey(picture.frame)


def _grey(frame: av.VideoFrame) -> Image.Image:
    width = min(max(_NARROWEST, frame.width // _SMALLER), _WIDEST)
    height = max(1, frame.height * width // frame.width)
    small = frame.reformat(width, height, "gray", interpolation=Interpolation.AREA)
    plane = small.planes[0]
    return Image.frombytes("L", (width, height), bytes(plane), "raw", "L", plane.line_size, 1)


def _differ(one: Image.Image, other: Image.Image) -> bool:
    """Whether something moved from one picture to the other. That all of it became brighter is no motion."""
    shift = round(ImageStat.Stat(one).mean[0] - ImageStat.Stat(other).mean[0])
    other = other.point([min(255, max(0, level + shift)) for level in range(256)])
    changed = sum(ImageChops.difference(one, other).histogram()[_CHANGED:])
    return bool(changed * _LEAST_SHARE >= one.width * one.height)
