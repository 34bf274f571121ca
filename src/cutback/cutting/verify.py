"""Checks a finished clip before it is stored: reads its index back and decodes its joins."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from operator import lt
from typing import Protocol

from cutback.cutting.codecs import pictures
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.index import Track
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.mp4.layout import SoundMark
from cutback.cutting.mp4.read import read_index
from cutback.cutting.pictures.splice import RewrittenRun
from cutback.domain.errors import CutbackError

COMPARED = 40
"""Frames that are compared after a rewritten keyframe: enough for 16 references and pyramids between them."""

AFTER = 3
"""Copied samples that are decoded after an encoded run, to check the join."""

MOST = 90
"""Maximum samples that are decoded of one encoded run; of a longer one, only the beginning and the last GOP."""

BEGINNING = 8

_TICK = Fraction(1, 1000)

_SOUND_END = Fraction(1, 20)
"""Seconds by which an audio track's end may differ, because its last packet has a fixed length."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the clip must contain."""

    times: list[int]
    """When each frame is presented, in ticks of its track since the clip's zero."""
    timescale: int
    """Ticks per second."""
    encoded: list[tuple[int, int]]
    """Ranges [first, end) of video samples, in decoding order, that were encoded."""
    rewritten: list[RewrittenRun]
    """Copied runs with rewritten headers."""
    duration: Fraction
    sound: tuple[ExpectedSound, ...] = ()
    """The audio tracks, in the clip's order."""


@dataclass(frozen=True, slots=True)
class ExpectedSound:
    """What an audio track of the clip must contain."""

    start: Fraction
    """When its sound begins, in seconds since the clip's zero."""
    end: Fraction
    marks: Sequence[SoundMark]


class Onlooker(Protocol):
    """Receives what the check reads and decodes, for other uses."""

    def opened(self, track: Track) -> None:
        """Take the clip's video track, from the clip's own index."""
        ...

    def pass_by(self, track: Track, picture: Picture) -> None:
        """Take a decoded picture."""
        ...


def find_fault(clip: ByteSource, expected: Expected, onlooker: Onlooker) -> str | None:
    """Return what is wrong with a clip, or None.

    This checks the number of frames and the time of each, by reading the clip's own index back; the duration; that the
    times of sound never go back, and are right at its start, its end, joins and jumps; and that each encoded run, and
    the beginning of what follows it, decodes to the right number of frames.
    """
    try:
        index = read_index(clip, Limits())
    except CutbackError as error:
        return f"has an unreadable index: {error.detail}"
    if abs(index.end - expected.duration) > Fraction(1, 20):
        return f"lasts {float(index.end):.3f} s instead of {float(expected.duration):.3f} s"
    if (fault := _sound_fault(index.audio, expected.sound)) is not None:
        return fault
    video = index.video
    if video is None:
        return "has no video" if expected.times else None
    onlooker.opened(video)
    if len(video.order) != len(expected.times):
        return f"has {len(video.order)} frames instead of {len(expected.times)}"
    if video.timescale != expected.timescale:
        return f"has {video.timescale} ticks per second instead of {expected.timescale}"
    offset, tolerance = round(video.shift * video.timescale), int(expected.timescale * _TICK)
    times = (video.pts[number] + offset for number in video.order)
    if any(abs(time - wanted) > tolerance for time, wanted in zip(times, expected.times, strict=True)):
        return "has a frame at the wrong time"
    faults = [_decode_run(video, clip, *run, onlooker) for run in expected.encoded]
    faults += [_compare_run(video, clip, run) for run in expected.rewritten]
    return next(filter(None, faults), None)


def _sound_fault(tracks: Sequence[Track], expected: Sequence[ExpectedSound]) -> str | None:
    if len(tracks) != len(expected):
        return f"has {len(tracks)} audio tracks instead of {len(expected)}"
    for track, wanted in zip(tracks, expected, strict=True):
        if not all(map(lt, track.pts, islice(track.pts, 1, None))):
            return "has sound with times that go back"
        if abs(track.start - wanted.start) > _TICK or abs(track.end - wanted.end) > _SOUND_END:
            return (
                f"has sound from {float(track.start):.3f} s to {float(track.end):.3f} s "
                f"instead of from {float(wanted.start):.3f} s to {float(wanted.end):.3f} s"
            )
        for mark in wanted.marks:
            if mark.sample >= len(track.pts):
                return "has missing sound"
            off = track.seconds(track.pts[mark.sample]) - mark.time
            if abs(off) > mark.tolerance:
                return f"has sound that deviates by {float(off):+.3f} s at {float(mark.time):.3f} s"
    return None


def _compare_run(track: Track, clip: ByteSource, run: RewrittenRun) -> str | None:
    """Check that a run with rewritten headers decodes to exactly the same pixels as the recording.

    Compares enough frames to ensure that later ones cannot refer to anything before the keyframe.
    """
    count = min(run.frames, COMPARED)
    first = max(track.pts[run.sample], track.window[0])  # `instant` hides earlier samples
    hidden = sum(pts < first for pts in track.pts[run.sample :])
    samples = range(run.sample, min(run.sample + hidden + count + 16, len(track.pts)))
    try:
        source = [_digest(picture) for picture in run.media.frames(run.first, run.first + count)]
        decoded = pictures.decode(track, clip, samples, lambda pts: pts >= first, Limits())
        copied = [_digest(picture) for picture, _ in zip(decoded, range(count), strict=False)]
    except CutbackError as error:
        return f"cannot be decoded: {error.detail}"
    return None if source == copied else "differs from the recording where copying begins"


def _digest(picture: pictures.Picture) -> bytes:
    digest = hashlib.sha256()
    for plane in picture.frame.planes:
        rows = memoryview(plane)
        for row in range(plane.height):
            digest.update(rows[row * plane.line_size : row * plane.line_size + plane.width])
    return digest.digest()


def _decode_run(track: Track, clip: ByteSource, first: int, end: int, onlooker: Onlooker) -> str | None:
    if not end - first:
        return None
    if end - first <= MOST:
        return _decode_all(track, clip, first, end, onlooker)
    begun = _decode_all(track, clip, first, first + BEGINNING, onlooker)
    return begun or _decode_all(track, clip, max(first, _keyframe(track, end)), end, onlooker)


def _decode_all(track: Track, clip: ByteSource, first: int, end: int, onlooker: Onlooker) -> str | None:
    """Decode samples; `first` is an encoded keyframe."""
    # The copied run that follows begins with an IDR picture, so its first samples decode without anything else.
    stop = min(end + AFTER, len(track.pts))
    got: list[int] = []
    try:
        for picture in pictures.decode(track, clip, range(first, stop), lambda _: True, Limits()):
            if picture.frame.is_corrupt:
                return f"has a damaged frame at {float(track.seconds(picture.frame.pts or 0)):.3f} s"
            got.append(picture.frame.pts or 0)
            onlooker.pass_by(track, picture)
    except CutbackError as error:
        return f"cannot be decoded: {error.detail}"
    missing = {track.pts[number] for number in range(first, end)} - set(got)
    return f"lacks {len(missing)} frames when decoded" if missing else None


def _keyframe(track: Track, end: int) -> int:
    return max((number for number in track.sync if number < end), default=0)
