"""A media playlist of HLS: which pieces of which objects, one after another, are a recording. Pure.

The playlist is parsed by m3u8, which is handed its text and fetches nothing; libavformat never sees it.
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
"""Ends the keys of recordings that are playlists."""
LARGEST = 8 * 1024 * 1024
"""Bytes of a playlist that is read: two weeks of segments of ten seconds, and twice that."""
_MOST_SEGMENTS = 250_000
_MOST_SECONDS = 24 * 3600
"""Of one segment."""


@dataclass(frozen=True, slots=True)
class ObjectRange:
    """A piece of an object: `length` bytes from `offset`, or, without a length, all of it."""

    key: str
    offset: int = 0
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the recording."""

    media: ObjectRange
    init: ObjectRange | None
    """What has to come before it: the header of fragmented MP4."""
    start: Fraction
    """Seconds from the playlist's beginning to its first keyframe, as the playlist says."""
    duration: Fraction
    begins: datetime | None
    """The moment of its first keyframe on the wall clock, where the playlist tells the time."""
    run: int
    """Segments of one number follow upon each other: no discontinuity, no gap, one header."""

    @property
    def end(self) -> Fraction:
        """Seconds from the playlist's beginning to where the next one starts."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class ContinuousRun:
    """Segments that make one stream, and what is wanted of them."""

    segments: tuple[Segment, ...]
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class Playlist:
    """A recording in segments. Its time zero is its first segment's first keyframe."""

    segments: tuple[Segment, ...]
    finished: bool
    """Whether the playlist says that nothing will follow."""

    @property
    def end(self) -> Fraction:
        """Seconds: its duration, as the playlist says."""
        return self.segments[-1].end if self.segments else Fraction(0)

    @property
    def begins(self) -> datetime | None:
        """When it began on the wall clock, where the playlist tells the time."""
        return self.segments[0].begins if self.segments else None

    def around(self, start: Fraction, end: Fraction) -> list[ContinuousRun]:
        """The segments that a range needs, one continuous run after the other.

        One more on either side of the range comes along: sound, and pictures presented before the keyframe
        at which a segment begins, may lie in its neighbour.
        """
        made = []
        for _, run in groupby(self.segments, key=lambda segment: segment.run):
            segments = list(run)
            inside = [n for n, segment in enumerate(segments) if segment.start < end and segment.end > start]
            if inside:
                taken = segments[max(0, inside[0] - 1) : inside[-1] + 2]
                last = segments[-1] is self.segments[-1]
                # Behind the very end the range is left as it is, so that the clip's record says that it was clamped.
                until = end if last else min(end, segments[-1].end)
                made.append(ContinuousRun(tuple(taken), max(start, segments[0].start), until))
        return made


def parse_playlist(text: str, key: str) -> Playlist:
    """Read the playlist that lies under `key`; its segments lie beside it or below.

    Raises:
        MediaUnreadableError: it is no playlist, or names objects in a way that is not allowed.
        MediaUnsupportedError: it lists other playlists, or its segments are encrypted.
        MediaTooLargeError: it has too many segments.
    """
    if not text.lstrip("\ufeff").startswith("#EXTM3U"):
        raise MediaUnreadableError("It is not a playlist.")
    parsed = _parse(text.lstrip("\ufeff"))
    if parsed.is_variant:
        raise MediaUnsupportedError("It lists other playlists (variants); name one of those.")
    if len(parsed.segments) > _MOST_SEGMENTS:
        raise MediaTooLargeError(f"It has more than {_MOST_SEGMENTS} segments.")
    try:
        return Playlist(tuple(_segments(parsed, dirname(key))), bool(parsed.is_endlist))
    except (ValueError, TypeError, OverflowError) as error:
        raise MediaUnreadableError(f"A line of the playlist is damaged: {str(error)[:100]}.") from error


def _parse(text: str) -> M3U8:
    import m3u8

    try:
        return m3u8.loads(text)
    except Exception as error:  # it raises whatever a line that it does not expect leads to
        raise MediaUnreadableError("The playlist is damaged.") from error


def _segments(parsed: M3U8, folder: str) -> Iterator[Segment]:
    at, run = Fraction(0), 0
    begins: datetime | None = None
    since = Fraction(0)
    init: ObjectRange | None = None
    ends: dict[str, int] = {}
    for number, item in enumerate(parsed.segments):
        if item.uri is None:
            continue  # the parts of a segment that is not finished
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
            run += 1  # nothing is there, and what follows is another run
        else:
            moment = None if begins is None else begins + timedelta(microseconds=round((at - since) * 1_000_000))
            yield Segment(_part(item, folder, ends), init, at, duration, moment, run)
        at += duration


def _zoned(moment: datetime) -> datetime:
    """RFC 8216 wants a time zone there; where there is none, UTC is meant."""
    from datetime import UTC

    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _part(item: Any, folder: str, ends: dict[str, int]) -> ObjectRange:
    """The bytes that a segment or a header names. `ends` remembers where the last piece of each object ended."""
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
    """The object that a line names: beside the playlist or below it, and nowhere else.

    Raises:
        ValueError: it has a scheme, a host, begins with a slash or leads upwards.
    """
    found = urlsplit(uri)
    path = unquote(found.path)
    if found.scheme or found.netloc or path.startswith("/"):
        raise ValueError("only objects beside it or below it may be named")
    return check_key(f"{folder}/{path}" if folder else path)
