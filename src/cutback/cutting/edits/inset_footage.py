"""The pictures that insets show: of other cameras and recordings, decoded when they are needed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from cutback.cutting.codecs.codec import WholeIndexNeededError
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.assets import naming
from cutback.cutting.index import Hull, Track, decode_start
from cutback.cutting.job import ByteSource, CutJob, InsetRange
from cutback.cutting.source.footage import MediaSource, open_media
from cutback.domain.errors import EditImpossibleError, MediaUnreadableError
from cutback.domain.times import FRAME_TOLERANCE, MAX_SECONDS

_EARLIER = Fraction(1)
"""Seconds before a range of which the index is read, too: its first picture may have begun there."""


class ShownPicture(NamedTuple):
    """A picture, and the track that it is of."""

    track: Track
    picture: Picture


class InsetFootage:
    """The footage of all insets of a job."""

    def __init__(self, job: CutJob, sources: Sequence[ByteSource]) -> None:
        """Nothing is read yet."""
        self._job, self._sources = job, sources
        self._readers: dict[InsetRange, _RangeReader] = {}

    def check(self, shows: str) -> None:
        """Check that all recordings of a camera, or a recording, have pictures.

        Raises:
            EditImpossibleError: one of them has none, or cannot be read.
        """
        for wanted in self._ranges(shows):
            self._reader(wanted).check()

    def at_moment(self, camera: str, epoch: Fraction) -> ShownPicture | None:
        """Return the picture of a camera at a moment, in seconds since 1970; None if it recorded nothing then."""
        found = None
        for wanted in self._ranges(camera):
            clock = self._job.wall_clock(wanted.source)
            if clock is None:
                continue
            at = (epoch - clock.epoch) * clock.pace
            if wanted.start <= at + FRAME_TOLERANCE and (wanted.end is None or at + FRAME_TOLERANCE < wanted.end):
                found = self._reader(wanted).at(at)
        return found

    def at_time(self, recording: str, seconds: Fraction) -> ShownPicture | None:
        """Return the picture of a recording at a time since its time zero; None if it has none then."""
        return next((self._reader(wanted).at(seconds) for wanted in self._ranges(recording)), None)

    def _ranges(self, shows: str) -> Iterator[InsetRange]:
        return (wanted for wanted in self._job.insets if wanted.shows == shows)

    def _reader(self, wanted: InsetRange) -> _RangeReader:
        if wanted not in self._readers:
            self._readers[wanted] = _RangeReader(self._job, self._sources[wanted.source], wanted)
        return self._readers[wanted]


class _RangeReader:
    """Finds the pictures of one range, mostly one after the other; decodes a group of pictures at a time."""

    def __init__(self, job: CutJob, source: ByteSource, wanted: InsetRange) -> None:
        self._job, self._source, self._wanted = job, source, wanted
        self._media: MediaSource | None = None
        self._whole = False
        self._group: Iterator[Picture] = iter(())
        self._stop = 0
        self._rank = -1
        self._shown: Picture | None = None

    def check(self) -> None:
        with naming(self._wanted.shows):
            self._track(self._opened())

    def at(self, seconds: Fraction) -> ShownPicture | None:
        try:
            return self._at(seconds)
        except WholeIndexNeededError:
            self._whole, self._media, self._rank, self._stop = True, None, -1, 0
            return self._at(seconds)

    def _at(self, seconds: Fraction) -> ShownPicture | None:
        media = self._opened()
        track = self._track(media)
        rank = track.rank_at(track.ticks(seconds + FRAME_TOLERANCE)) - 1
        if rank < 0 or track.seconds(track.end_of(track.order[rank])) <= seconds - FRAME_TOLERANCE:
            return None
        if not self._rank <= rank < self._stop:
            self._stop = _end_of_group(track, rank)
            self._group, self._shown, self._rank = media.frames(rank, self._stop), None, rank
        due = track.pts[track.order[rank]]
        while self._shown is None or (self._shown.frame.pts or 0) < due:
            self._shown = next(self._group, None)
            if self._shown is None:
                raise MediaUnreadableError("A picture that an inset shows cannot be decoded.")
        self._rank = rank
        return ShownPicture(track, self._shown)

    def _opened(self) -> MediaSource:
        if self._media is None:
            wanted, clock = self._wanted, self._job.clock(self._wanted.source)
            hull = None
            if wanted.end is not None and clock is None and not self._whole:
                hull = Hull(max(wanted.start - _EARLIER, Fraction(0)), min(wanted.end, Fraction(MAX_SECONDS)))
            self._media = open_media(self._source, self._job.limits, hull, number=wanted.source)
            if clock is not None:
                self._media.index = self._media.index.counted_from(clock)
        return self._media

    def _track(self, media: MediaSource) -> Track:
        track = media.index.video
        if track is None:
            raise EditImpossibleError(f"inset: {self._wanted.shows} has no pictures.")
        return track


def _end_of_group(track: Track, rank: int) -> int:
    """Return where the group of pictures ends that a frame belongs to."""
    following = bisect_right(track.sync, decode_start(track, track.order[rank]))
    if following == len(track.sync):
        return len(track.order)
    return max(track.rank(track.sync[following]), rank + 1)
