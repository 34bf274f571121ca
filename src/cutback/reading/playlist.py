"""HLS media playlists: which parts of which objects make up a recording. Pure.

The library m3u8 parses the text and fetches nothing; libavformat never sees the playlist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from posixpath import dirname
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError, MediaUnsupportedError
from cutback.domain.requests.sources import check_key

if TYPE_CHECKING:
    from m3u8 import M3U8

SUFFIX = ".m3u8"
"""The extension of playlists."""
LARGEST = 8 * 1024 * 1024
"""Maximum bytes of a playlist."""
MOST_SEGMENTS = 50_000
"""Maximum segments of a playlist: more than two days of four-second segments. Parsing them takes about two seconds."""
MOST_LINES = 5 * MOST_SEGMENTS
"""Maximum lines of a playlist."""
_MOST_SECONDS = 24 * 3600
"""Maximum seconds of one segment."""


@dataclass(frozen=True, slots=True)
class ObjectRange:
    """A part of an object: `length` bytes from `offset`; without a length, the whole object."""

    key: str
    offset: int = 0
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of the recording."""

    media: ObjectRange
    init: ObjectRange | None
    """What must precede it: the header of fragmented MP4."""
    start: Fraction
    """Seconds from the playlist's beginning to its first keyframe, according to the playlist."""
    duration: Fraction
    begins: datetime | None
    """The wall-clock time of its first keyframe, if the playlist has times."""
    run: int
    """Segments with the same number are consecutive: they have one header, and no discontinuity or gap."""

    @property
    def end(self) -> Fraction:
        """Seconds from the playlist's beginning to the start of the next segment."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class ContinuousRun:
    """Consecutive segments that form one stream, and the range needed of them."""

    segments: tuple[Segment, ...]
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class Playlist:
    """A recording in segments. Its time zero is the first keyframe of its first segment."""

    segments: tuple[Segment, ...]
    finished: bool
    """Whether the playlist says that it is complete."""

    @property
    def end(self) -> Fraction:
        """Its duration in seconds, according to the playlist."""
        return self.segments[-1].end if self.segments else Fraction(0)

    @property
    def begins(self) -> datetime | None:
        """When it began on the wall clock, if the playlist has times."""
        return self.segments[0].begins if self.segments else None

    def around(self, start: Fraction, end: Fraction) -> list[ContinuousRun]:
        """Return the segments that a range needs, as continuous runs.

        They include one more segment on either side: a segment's sound, and pictures presented before its first
        keyframe, may be in the neighbouring segment.
        """
        made = []
        for _, run in groupby(self.segments, key=lambda segment: segment.run):
            segments = list(run)
            inside = [n for n, segment in enumerate(segments) if segment.start < end and segment.end > start]
            if inside:
                taken = segments[max(0, inside[0] - 1) : inside[-1] + 2]
                last = segments[-1] is self.segments[-1]
                # A range beyond the end stays as it is, so that the clip's record says that it was clamped.
                until = end if last else min(end, segments[-1].end)
                made.append(ContinuousRun(tuple(taken), max(start, segments[0].start), until))
        return made


def parse_playlist(text: str, key: str) -> Playlist:
    """Parse the playlist with this key; its segments are in its folder or below.

    Raises:
        MediaUnreadableError: it is not a playlist, or names objects that are not allowed.
        MediaUnsupportedError: it lists other playlists, or its segments are encrypted.
        MediaTooLargeError: it has too many segments or lines. They are counted before anything is parsed.
    """
    if not text.lstrip("\ufeff").startswith("#EXTM3U"):
        raise MediaUnreadableError("It is not a playlist.")
    if text.count("#EXTINF") > MOST_SEGMENTS:
        raise MediaTooLargeError(f"The playlist has more than {MOST_SEGMENTS} segments.")
    if len(text.splitlines()) > MOST_LINES:
        raise MediaTooLargeError(f"The playlist has more than {MOST_LINES} lines.")
    parsed = _parse(text.lstrip("\ufeff"))
    if parsed.is_variant:
        raise MediaUnsupportedError("It is a master playlist; name one of the playlists that it lists.")
    try:
        return Playlist(tuple(_segments(parsed, dirname(key))), bool(parsed.is_endlist))
    except (ValueError, TypeError, OverflowError) as error:
        raise MediaUnreadableError(f"A line of the playlist is damaged: {str(error)[:100]}.") from error


def _parse(text: str) -> M3U8:
    import m3u8

    try:
        return m3u8.loads(text)
    except Exception as error:  # the library raises many kinds of errors for unexpected lines
        raise MediaUnreadableError("The playlist is damaged.") from error


def _segments(parsed: M3U8, folder: str) -> Iterator[Segment]:
    at, run = Fraction(0), 0
    begins: datetime | None = None
    since = Fraction(0)
    init: ObjectRange | None = None
    ends: dict[str, int] = {}
    for number, item in enumerate(parsed.segments):
        if item.uri is None:
            continue  # parts of an unfinished segment
        if item.key is not None and item.key.method not in {None, "", "NONE"}:
            raise MediaUnsupportedError("Its segments are encrypted.")
        duration = Fraction(str(item.duration))
        if not 0 <= duration <= _MOST_SECONDS:
            raise ValueError(f"a segment of {item.duration} s")
        if item.program_date_time is not None:
            begins, since = _zoned(item.program_date_time), at
        header = None if item.init_section is None else _part(item.init_section, folder, {})
        if number and (item.discontinuity or header != init):
            run += 1
        init = header
        if item.gap_tag:
            run += 1  # a gap: a new run follows
        else:
            moment = None if begins is None else begins + timedelta(microseconds=round((at - since) * 1_000_000))
            yield Segment(_part(item, folder, ends), init, at, duration, moment, run)
        at += duration


def _zoned(moment: datetime) -> datetime:
    """Assume UTC if there is no time zone, although RFC 8216 requires one."""
    from datetime import UTC

    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _part(item: Any, folder: str, ends: dict[str, int]) -> ObjectRange:
    """Return the bytes of a segment or header. `ends` tracks where the previous range of each object ended."""
    key = _key(item.uri, folder)
    if not item.byterange:
        return ObjectRange(key)
    length, _, offset = str(item.byterange).partition("@")
    begin = int(offset) if offset else ends.get(key, 0)
    if begin < 0 or int(length) < 1:
        raise ValueError(f"the range {item.byterange}")
    ends[key] = begin + int(length)
    return ObjectRange(key, begin, int(length))


def _key(uri: str, folder: str) -> str:
    """Return the key of the object in a line, which must be in the playlist's folder or below it.

    Raises:
        ValueError: it has a scheme or a host, begins with a slash or leads out of the folder.
    """
    found = urlsplit(uri)
    path = unquote(found.path)
    if found.scheme or found.netloc or path.startswith("/"):
        raise ValueError("only objects in its folder or below are allowed")
    return check_key(f"{folder}/{path}" if folder else path)
