"""The index of a recording: where each coded picture and piece of sound lies, and when it is presented.

Neutral of containers. Ticks are integers of the track's time base; seconds are `Fraction`, counted from the
recording's time zero: the earliest picture or sound that a player presents.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from itertools import islice, repeat
from operator import sub
from typing import Literal

from cutback.cutting.tags import Tags
from cutback.domain.byte_ranges import coalesced

Kind = Literal["video", "audio", "other"]

COVER = "Its cover picture is not carried over."

_GAP = 65536
"""Bytes between samples that are fetched together."""


@dataclass(frozen=True, slots=True)
class Description:
    """How the samples of a track are to be decoded."""

    codec: str
    """FFmpeg's name of the codec (`h264`, `aac`), or the four-character code where Cutback knows none."""
    raw: bytes
    """The container's own sample entry, copied as it is into a clip that copies samples."""
    extradata: bytes = b""
    """What a decoder needs beforehand (avcC, AudioSpecificConfig)."""
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """One track's samples, in decoding order."""

    id: int
    kind: Kind
    descriptions: tuple[Description, ...]
    timescale: int
    """Ticks a second."""
    dts: array[int]
    pts: array[int]
    sizes: array[int]
    offsets: array[int]
    """Bytes from the beginning of the file."""
    last_duration: int
    """Ticks that the sample last in decoding order lasts."""
    sync: array[int]
    """Numbers of the samples at which the container says decoding may begin, ascending."""
    described: tuple[tuple[int, int], ...]
    """(first sample, number of its description), ascending: which description holds from where."""
    shift: Fraction
    """Seconds to add to pts / timescale to get the time from the recording's time zero."""
    window: tuple[int, int]
    """The ticks [first, end) of media time that are presented (edit list)."""
    start: Fraction
    """When its first presented sample begins, in seconds from the recording's time zero."""
    end: Fraction
    """When its last presented sample ends."""
    frames: int
    """How many samples are presented in all; this track may hold only some of them."""
    first_rank: int = 0
    """How many samples are presented before the first one held."""
    partial: bool = False
    """Whether there are samples before the first one held."""
    language: str = "und"
    title: str = ""
    handler: bytes = b""
    """The container's own name for the kind of media, four characters."""
    matrix: bytes = b""
    """The track header's transformation matrix (rotation), 36 bytes."""
    display_size: tuple[int, int] = (0, 0)
    """The track header's width and height, 16.16 fixed point."""
    plain: bool = True
    """Whether the edit list is one that a window and a shift describe."""
    order: array[int] = field(default_factory=lambda: array("q"), compare=False)
    """The presented samples in the order of their presentation."""

    def seconds(self, ticks: int) -> Fraction:
        """The time of media time `ticks` from the recording's time zero."""
        return Fraction(ticks, self.timescale) + self.shift

    def ticks(self, seconds: Fraction) -> Fraction:
        """The (fractional) media time of a time from the recording's time zero."""
        return (seconds - self.shift) * self.timescale

    def end_of(self, sample: int) -> int:
        """The media time at which a sample's presentation ends, in ticks."""
        place = self.rank(sample)
        if place + 1 < len(self.order):
            return self.pts[self.order[place + 1]]
        return min(self.pts[sample] + self.duration(sample), self.window[1])

    def duration(self, sample: int) -> int:
        """Ticks from this sample to the one decoded next."""
        if sample + 1 < len(self.dts):
            return self.dts[sample + 1] - self.dts[sample]
        return self.last_duration

    def rank(self, sample: int) -> int:
        """Which presented frame a sample is, counted from the first one held."""
        return self.rank_at(self.pts[sample])

    def rank_at(self, ticks: Fraction | int) -> int:
        """How many presented samples begin before media time `ticks`."""
        return bisect_left(self.order, ticks, key=self.pts.__getitem__)

    def description_of(self, sample: int) -> int:
        """The number of the description that holds for a sample."""
        return self.described[bisect_right(self.described, sample, key=lambda run: run[0]) - 1][1]

    def descriptions_of(self, samples: Iterable[int]) -> Iterable[int]:
        """The same for each of them; without end where one description holds for all."""
        return repeat(self.described[0][1]) if len(self.described) == 1 else map(self.description_of, samples)


@dataclass(frozen=True, slots=True)
class Hull:
    """What of a recording is needed: all that lies between the earliest start and the latest end."""

    start: Fraction
    """Seconds from time zero."""
    end: Fraction
    frames: tuple[int, ...] = ()
    """Frame numbers that have to lie within, too."""


@dataclass(frozen=True, slots=True)
class Index:
    """A recording's tracks. `video` is the one to be cut; None for sound alone."""

    container: str
    tracks: tuple[Track, ...]
    notes: tuple[str, ...] = ()
    created: datetime | None = None
    """When it was made, as its container tells: some writers mean the beginning, some the end, many nothing."""
    fragmented: bool = False
    """Whether it is made so that what is written already can be read (fragmented MP4)."""
    truncated: bool = False
    """Whether its end is not all there: it was broken off, or is still being written."""
    open_ended: bool = False
    """Whether nothing in it says that it is finished, so that it may grow."""
    tags: Tags = field(default_factory=Tags)

    @property
    def video(self) -> Track | None:
        """The first video track that has samples."""
        return next((track for track in self.tracks if track.kind == "video"), None)

    @property
    def zero(self) -> Fraction:
        """Time zero, in seconds: the earliest picture or sound."""
        return min(track.start for track in self.tracks if track.kind != "other")

    @property
    def audio(self) -> tuple[Track, ...]:
        """The sound tracks, in the container's order."""
        return tuple(track for track in self.tracks if track.kind == "audio")

    @property
    def end(self) -> Fraction:
        """When the last picture or sound ends, in seconds from time zero: the recording's duration."""
        return max(track.end for track in self.tracks if track.kind != "other")

    def counted_from(self, clock: Fraction) -> Index:
        """The same with all times moved, so that the picture decoded first (or the first sound) is at `clock`."""
        video = self.video
        first = min(track.start for track in self.tracks) if video is None else video.seconds(video.pts[0])
        by = clock - first
        moved = (
            replace(track, shift=track.shift + by, start=track.start + by, end=track.end + by) for track in self.tracks
        )
        return replace(self, tracks=tuple(moved))


def presented_order(pts: array[int], window: tuple[int, int]) -> array[int]:
    """The samples whose time lies in the window, sorted by time (decoding order where times are equal)."""
    first, end = window
    return array("q", sorted((i for i, p in enumerate(pts) if first <= p < end), key=pts.__getitem__))


def heard_order(pts: array[int], window: tuple[int, int], size: int) -> array[int]:
    """As `presented_order`, of sound, whose times may step back: where two packets would sound at once, the first does.

    `size` is how many ticks a packet lasts; 0 where they are of no common length.
    """
    least = size * 3 // 4
    if min(map(sub, islice(pts, 1, None), pts), default=least) >= least:
        return presented_order(pts, window)
    first, end = window
    kept, due = array("q"), first
    for number, time in enumerate(pts):
        if due <= time < end:
            kept.append(number)
            due = time + least
    return kept


def decode_start(track: Track, sample: int) -> int:
    """The keyframe to begin with so that a sample decodes: the last one not presented after it."""
    number = bisect_right(track.sync, track.pts[sample], key=track.pts.__getitem__)
    return track.sync[number - 1] if number else 0


def byte_ranges(track: Track, samples: Iterable[int]) -> list[tuple[int, int]]:
    """Where samples lie, as (offset, length) in order; near ones together, since a request costs more than a gap."""
    sizes, offsets = track.sizes, track.offsets
    ranges = coalesced(((offsets[n], offsets[n] + sizes[n]) for n in samples), _GAP)
    return [(start, end - start) for start, end in ranges]


def layout_of(channels: int) -> str:
    """The layout that sound of so many channels is encoded in."""
    return {1: "mono", 6: "5.1"}.get(channels, "stereo")
