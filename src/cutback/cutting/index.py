"""The index of a recording: where each coded picture and audio packet is, and when it is presented.

Independent of containers. Ticks are integers of the track's time base; seconds are `Fraction`, counted from the
recording's time zero: the earliest picture or sound that a player presents.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from itertools import islice, repeat
from operator import sub
from typing import Literal, TypeAlias

from cutback.cutting.tags import Tags
from cutback.domain.byte_ranges import coalesced

Kind = Literal["video", "audio", "other"]

TrackName: TypeAlias = int | str
"""Which audio track of a recording: its number from 0, or its language."""

CHAPTERS = "Its chapters are not copied to the clip."
COVER = "Its cover picture is not copied to the clip."


def within_group(lost: int) -> str:
    """Return the note for a recording that begins within a group of pictures."""
    return f"It begins within a group of pictures: {lost} pictures cannot be shown."


_GAP = 65536
"""Maximum bytes between samples that are fetched together."""


@dataclass(frozen=True, slots=True)
class Description:
    """How to decode the samples of a track."""

    codec: str
    """FFmpeg's name of the codec (`h264`, `aac`), or the four-character code if Cutback does not know it."""
    raw: bytes
    """The container's own sample entry, which is copied unchanged to a clip that copies samples."""
    extradata: bytes = b""
    """The decoder's configuration (avcC, AudioSpecificConfig)."""
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
    """Ticks per second."""
    dts: array[int]
    pts: array[int]
    sizes: array[int]
    offsets: array[int]
    """Offsets in bytes from the beginning of the file."""
    last_duration: int
    """Duration of the last sample in decoding order, in ticks."""
    sync: array[int]
    """Numbers of the samples at which the container says decoding may begin, ascending."""
    described: tuple[tuple[int, int], ...]
    """(first sample, number of its description), ascending: from where each description applies."""
    shift: Fraction
    """Seconds to add to pts / timescale to get the time since the recording's time zero."""
    window: tuple[int, int]
    """The media time [first, end) that is presented, in ticks (edit list)."""
    start: Fraction
    """When its first presented sample begins, in seconds from the recording's time zero."""
    end: Fraction
    """When its last presented sample ends."""
    frames: int
    """The total number of presented samples; this track may contain only some of them."""
    first_rank: int = 0
    """How many presented samples precede the first one contained here."""
    partial: bool = False
    """Whether there are samples before the first one contained here."""
    language: str = "und"
    title: str = ""
    handler: bytes = b""
    """The container's handler type, four characters."""
    matrix: bytes = b""
    """The track header's transformation matrix (rotation), 36 bytes."""
    display_size: tuple[int, int] = (0, 0)
    """The track header's width and height, 16.16 fixed point."""
    plain: bool = True
    """Whether a window and a shift completely describe the edit list."""
    hidden: frozenset[int] = frozenset()
    """Pictures that are hidden because others have their times; later pictures may refer to them."""
    order: array[int] = field(default_factory=lambda: array("q"), compare=False)
    """The presented samples in order of presentation."""

    def seconds(self, ticks: int) -> Fraction:
        """Convert a media time in ticks to seconds since the recording's time zero."""
        return Fraction(ticks, self.timescale) + self.shift

    def ticks(self, seconds: Fraction) -> Fraction:
        """Convert seconds since the recording's time zero to a (fractional) media time in ticks."""
        return (seconds - self.shift) * self.timescale

    def end_of(self, sample: int) -> int:
        """Return the media time at which a sample's presentation ends, in ticks."""
        place = self.rank(sample)
        if place + 1 < len(self.order):
            return self.pts[self.order[place + 1]]
        return min(self.pts[sample] + self.duration(sample), self.window[1])

    def duration(self, sample: int) -> int:
        """Return the ticks from this sample to the next one in decoding order."""
        if sample + 1 < len(self.dts):
            return self.dts[sample + 1] - self.dts[sample]
        return self.last_duration

    def rank(self, sample: int) -> int:
        """Return a sample's number in presentation order, counted from the first one contained here."""
        return self.rank_at(self.pts[sample])

    def rank_at(self, ticks: Fraction | int) -> int:
        """Return how many presented samples begin before a media time in ticks."""
        return bisect_left(self.order, ticks, key=self.pts.__getitem__)

    def description_of(self, sample: int) -> int:
        """Return the number of the description that applies to a sample."""
        return self.described[bisect_right(self.described, sample, key=lambda run: run[0]) - 1][1]

    def descriptions_of(self, samples: Iterable[int]) -> Iterable[int]:
        """Yield the same for each sample; endless if one description applies to all."""
        return repeat(self.described[0][1]) if len(self.described) == 1 else map(self.description_of, samples)


@dataclass(frozen=True, slots=True)
class Hull:
    """The part of a recording that is needed: everything between the earliest start and the latest end."""

    start: Fraction
    """Seconds since time zero."""
    end: Fraction
    frames: tuple[int, ...] = ()
    """Frame numbers that must be included too."""


@dataclass(frozen=True, slots=True)
class Index:
    """A recording's tracks. `video` is the one to cut; None without video."""

    container: str
    tracks: tuple[Track, ...]
    notes: tuple[str, ...] = ()
    created: datetime | None = None
    """The container's creation time: some writers mean the start, some the end, many write nothing."""
    fragmented: bool = False
    """Whether its format allows reading it while it is being written (fragmented MP4)."""
    truncated: bool = False
    """Whether its end is incomplete: it was interrupted or is still being written."""
    open_ended: bool = False
    """Whether nothing in it says that it is complete, so that it may grow."""
    tags: Tags = field(default_factory=Tags)

    @property
    def video(self) -> Track | None:
        """The first video track with samples."""
        return next((track for track in self.tracks if track.kind == "video"), None)

    @property
    def zero(self) -> Fraction:
        """The time of the earliest picture or sound, in seconds."""
        return min(track.start for track in self.tracks if track.kind != "other")

    @property
    def audio(self) -> tuple[Track, ...]:
        """The audio tracks, in the container's order."""
        return tuple(track for track in self.tracks if track.kind == "audio")

    def audio_track(self, name: TrackName) -> Track | None:
        """Return an audio track by its number, or the first one in a language; None if there is none."""
        if isinstance(name, str):
            return next((track for track in self.audio if track.language == name), None)
        return next(iter(self.audio[name:]), None)

    @property
    def end(self) -> Fraction:
        """The end of the last picture or sound, in seconds since time zero: the recording's duration."""
        return max(track.end for track in self.tracks if track.kind != "other")

    def counted_from(self, clock: Fraction) -> Index:
        """Return the same index with all times shifted, so that the first decoded picture (or sound) is at `clock`."""
        video = self.video
        first = min(track.start for track in self.tracks) if video is None else video.seconds(video.pts[0])
        by = clock - first
        moved = (
            replace(track, shift=track.shift + by, start=track.start + by, end=track.end + by) for track in self.tracks
        )
        return replace(self, tracks=tuple(moved))


def presented_order(pts: array[int], window: tuple[int, int]) -> array[int]:
    """Return the samples with a time in the window, sorted by time (those with equal times in decoding order)."""
    first, end = window
    return array("q", sorted((i for i, p in enumerate(pts) if first <= p < end), key=pts.__getitem__))


def heard_order(pts: array[int], window: tuple[int, int], size: int) -> array[int]:
    """Like `presented_order`, for sound, whose times may step back: if two packets overlap, the first one is heard.

    `size` is the duration of a packet in ticks; 0 if they have different durations.
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


def told_apart(
    pts: array[int],
    sync: Iterable[int],
    timescale: int,
    unseen: frozenset[int] = frozenset(),
    *,
    may_step_back: bool,
) -> tuple[array[int], frozenset[int]]:
    """Give every picture a unique time, so that its time determines its position; also return the hidden pictures.

    Of pictures with one time, those decoded later follow a tenth of a millisecond (or a tick) later. If times may step
    back, as where recordings overlap that were appended, what is decoded first is shown; a keyframe earlier than what
    came before it begins the overlap. The pictures hidden by that, and those `unseen`, get times before all others.
    """
    hidden = unseen
    if may_step_back:
        hidden |= frozenset(_overlapping(pts, frozenset(sync)))
    if not hidden and len(set(pts)) == len(pts):
        return pts, hidden
    apart, least = array("q", pts), -(-timescale // 10_000)
    last: int | None = None
    for number in sorted(range(len(pts)), key=pts.__getitem__):
        if number not in hidden:
            apart[number] = last = pts[number] if last is None or pts[number] > last else last + least
    before = min(pts) - len(hidden)
    for place, number in enumerate(sorted(hidden)):
        apart[number] = before + place
    return apart, hidden


def _overlapping(pts: array[int], sync: frozenset[int]) -> Iterator[int]:
    highest: int | None = None
    shown_until: int | None = None
    for number, time in enumerate(pts):
        if number in sync and highest is not None and time < highest:
            shown_until = highest
        if shown_until is not None and time <= shown_until:
            yield number
        else:
            highest = time if highest is None else max(highest, time)


def decode_start(track: Track, sample: int) -> int:
    """Return the keyframe from which a sample can be decoded: the last one before it that is not presented after it."""
    number = bisect_right(track.sync, sample)
    while number and track.pts[track.sync[number - 1]] > track.pts[sample]:
        number -= 1  # a leading picture of an open group
    return track.sync[number - 1] if number else 0


def sound_entry(track: Track, sample: int) -> int:
    """Return the sample from which sound must be decoded to get this sample: nearly always itself."""
    if len(track.sync) in {0, len(track.pts)}:
        return sample
    return track.sync[max(0, bisect_right(track.sync, sample) - 1)]


def byte_ranges(track: Track, samples: Iterable[int]) -> list[tuple[int, int]]:
    """Return samples' (offset, length), in order; close ones are joined, because a request costs more than a gap."""
    sizes, offsets = track.sizes, track.offsets
    ranges = coalesced(((offsets[n], offsets[n] + sizes[n]) for n in samples), _GAP)
    return [(start, end - start) for start, end in ranges]


def layout_of(channels: int) -> str:
    """Return the channel layout with which sound is encoded."""
    return {1: "mono", 6: "5.1"}.get(channels, "stereo")
