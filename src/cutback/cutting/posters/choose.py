"""Chooses the picture that represents a clip, and makes its posters.

Pictures that are decoded anyway, to check the clip's joins, come first, because they cost nothing. Only if none of them
is good enough, or nothing had to be decoded, a few keyframes of the clip are decoded, each by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av

from cutback.cutting.codecs import pictures
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.index import Track, decode_start
from cutback.cutting.job import ByteSource, Limits, Poster
from cutback.cutting.posters.still import Jpeg, Still, encode, jpeg_of, still_of
from cutback.cutting.spool import Spool
from cutback.domain.errors import CutbackError
from cutback.domain.times import FRAME_TOLERANCE

WIDTHS = (300, 640, 1500, 3000)
"""Pixels."""

_JUDGED = 640
"""The width at which pictures are compared: enough to distinguish sharp from blurred ones, and fast."""

_EVERY = 12
"""One of this many consecutive pictures is examined."""

_MOST = 3
"""Maximum pictures that are examined among those decoded anyway, and maximum keyframes."""

_DARK, _BRIGHT = 32, 224
"""Mean luma (0 to 255) outside of which a picture scores lower, down to zero at black and white."""

_DETAIL = 0.25
"""Minimum bits per pixel in the JPEG of a sharp picture; blurred ones need fewer."""


class Choice:
    """The best picture so far."""

    def __init__(self) -> None:
        self._best: Still | None = None
        self._score = 0.0
        self._seen = self._looked = 0
        self.track: Track | None = None
        """The clip's video track; None without video."""

    def opened(self, track: Track) -> None:
        """See `verify.Onlooker`."""
        self.track = track

    def pass_by(self, track: Track, picture: Picture) -> None:
        """Take a picture that was decoded for another purpose; some of these are examined."""
        if not self.good and self._looked < _MOST and self._seen % _EVERY == 0:
            self.look(track, picture)
        self._seen += 1

    def look(self, track: Track, picture: Picture) -> None:
        """Keep the picture if it is better than the best so far."""
        self._looked += 1
        still = still_of(picture, track)
        try:
            score = _score(still)
        except av.FFmpegError:
            return  # a size that is not possible in JPEG
        if self._best is None or score > self._score:
            self._best, self._score = still, score

    @property
    def good(self) -> bool:
        """Whether the best picture is neither dark nor blurred, so that no more need be examined."""
        return self._score >= _DETAIL

    @property
    def best(self) -> Still | None:
        """The best picture; None if none was examined."""
        return self._best


def _score(still: Still) -> float:
    """Return a score: detail in bits per pixel, reduced for dark or bright pictures. Higher is better."""
    small = still.scaled(_JUDGED)
    detail = 8 * len(encode(small)) / (small.width * small.height)
    tiny = bytes(small.reformat(width=32, height=18, format="gray").planes[0])
    mean = sum(tiny) / len(tiny)
    light = min(1.0, max(0.0, mean - 16) / (_DARK - 16), max(0.0, 240 - mean) / (240 - _BRIGHT))
    return detail * light


def choose(choice: Choice, clip: ByteSource, limits: Limits, at: Fraction | None = None) -> Still | None:
    """Return the picture that represents a finished clip; None without video.

    `at` is when it is shown, in seconds; None: it is chosen.
    """
    if at is not None and choice.track is not None and choice.track.order:
        choice = _shown_at(choice.track, at, clip, limits)
        if choice.best is not None:
            return choice.best
    if not choice.good:
        _look_further(choice, clip, limits)
    return choice.best


def draw(still: Still | None, spool: Spool) -> tuple[Poster, ...]:
    """Make a picture's posters, one for each of `WIDTHS`, in the spool.

    If the picture is narrower, the poster has the picture's width.
    """
    if still is None:
        return ()
    widths = sorted({min(width, still.width) for width in WIDTHS})
    with ThreadPoolExecutor(1, thread_name_prefix="jpeg") as aside:  # encodes one while the next is scaled
        try:
            coming = {width: aside.submit(jpeg_of, still.shown(width)) for width in reversed(widths)}
            made = {width: jpeg.result() for width, jpeg in coming.items()}
        except av.FFmpegError:
            return ()
    offsets = {width: spool.append(jpeg.data) for width, jpeg in made.items()}
    return tuple(_poster(width, made[own], offsets[own]) for width in WIDTHS for own in [min(width, still.width)])


def _poster(fits: int, jpeg: Jpeg, offset: int) -> Poster:
    return Poster(fits, jpeg.width, jpeg.height, offset, len(jpeg.data))


def _look_further(choice: Choice, clip: ByteSource, limits: Limits) -> None:
    track = choice.track
    if track is None or not track.order:
        return
    for number in _keyframes(track):
        _decode(choice, track, clip, range(number, number + 1), number, limits)
        if choice.good:
            return
    if choice.best is None:  # no keyframe is presented, or none can be decoded by itself
        number = track.order[0]
        _decode(choice, track, clip, range(number + 1), number, limits, damaged=True)


def _shown_at(track: Track, at: Fraction, clip: ByteSource, limits: Limits) -> Choice:
    number = track.order[max(0, track.rank_at(track.ticks(at + FRAME_TOLERANCE)) - 1)]
    found = Choice()
    found.opened(track)
    _decode(found, track, clip, range(decode_start(track, number), number + 1), number, limits, damaged=True)
    return found


def _keyframes(track: Track) -> Iterator[int]:
    """Yield some presented keyframes, from the middle outwards; a poster must not show what the edit list hides."""
    low, high = track.window
    shown = [number for number in track.sync if low <= track.pts[number] < high]
    places = (len(shown) * part // 4 for part in (2, 1, 3))
    return (shown[place] for place in dict.fromkeys(places) if place < len(shown))


def _decode(
    choice: Choice, track: Track, clip: ByteSource, run: range, wanted: int, limits: Limits, *, damaged: bool = False
) -> None:
    time = track.pts[wanted]
    try:
        for picture in pictures.decode(track, clip, run, lambda pts: pts == time, limits):
            if damaged or not picture.frame.is_corrupt:
                choice.look(track, picture)
    except CutbackError:
        return  # it cannot be decoded by itself; another one can
