"""Writes the playlists of HLS (RFC 8216bis). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

VERSION = 7
"""The lowest version that has EXT-X-MAP in all playlists (6) and EXT-X-INDEPENDENT-SEGMENTS in master playlists (7)."""


@dataclass(frozen=True, slots=True)
class ListedSegment:
    """A segment in a media playlist."""

    name: str
    duration: Fraction
    """Seconds."""
    size: int
    """Bytes."""
    recorded: datetime | None = None
    """When its beginning was recorded."""


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """A media playlist, as a master playlist refers to it."""

    playlist: str
    codec: str
    """As in RFC 6381."""
    segments: tuple[ListedSegment, ...]
    target: int
    """Seconds: the target duration of the presentation."""
    width: int = 0
    height: int = 0
    rate: Fraction = Fraction(0)
    """Frames per second."""
    range: str = "SDR"
    """SDR, PQ or HLG."""
    channels: int = 0
    language: str = "und"

    @property
    def peak(self) -> int:
        """Bits per second of the segments that need most, one after the other: half to one and a half target durations.

        RFC 8216bis, 4.4.6.2. Of a track that is shorter than that, its average.
        """
        rates = [self.average]
        for first in range(len(self.segments)):
            bits, lasts = 0, Fraction(0)
            for segment in self.segments[first:]:
                bits, lasts = bits + 8 * segment.size, lasts + segment.duration
                if lasts > Fraction(3, 2) * self.target:
                    break
                if lasts >= Fraction(1, 2) * self.target:
                    rates.append(ceil(bits / lasts))
        return max(rates)

    @property
    def average(self) -> int:
        """Bits per second of all of them."""
        return ceil(8 * sum(segment.size for segment in self.segments) / sum(s.duration for s in self.segments))


def target_duration(durations: Iterable[Fraction]) -> int:
    """Return the seconds that no segment exceeds when it is rounded.

    All media playlists of a presentation must have the same (RFC 8216, 6.2.4).
    """
    return max(1, *(floor(duration + Fraction(1, 2)) for duration in durations))


def ascending(dates: Iterable[datetime | None]) -> bool:
    """Whether the dates that are known go on in time, as players expect of those in a playlist."""
    return all(before < after for before, after in pairwise(date for date in dates if date is not None))


def media_playlist(initialization: str, segments: Sequence[ListedSegment], target: int) -> str:
    """Return the playlist of one track; `target` is the target duration of the presentation, in seconds."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{initialization}"',
    ]
    for segment in segments:
        if segment.recorded is not None:
            moment = segment.recorded.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment}")
        lines += [f"#EXTINF:{float(segment.duration):.6f},", segment.name]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def master_playlist(pictures: Sequence[ListedTrack], sounds: Sequence[ListedTrack]) -> str:
    """Return the playlist that refers to those of the qualities, highest first, and of the sound.

    Without pictures, the first sound is what is played.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    beside = sounds if pictures else ()
    for number, sound in enumerate(beside):
        lines.append("#EXT-X-MEDIA:" + ",".join(_rendition(sound, number)))
    for track in pictures or sounds[:1]:
        lines += ["#EXT-X-STREAM-INF:" + ",".join(_variant(track, beside)), track.playlist]
    return "\n".join([*lines, ""])


def _rendition(sound: ListedTrack, number: int) -> list[str]:
    first = "YES" if not number else "NO"
    named = sound.language if sound.language != "und" else "Sound"
    return [
        "TYPE=AUDIO",
        'GROUP-ID="sound"',
        f'NAME="{named} {number + 1}"' if number else f'NAME="{named}"',
        *([f'LANGUAGE="{sound.language}"'] if sound.language != "und" else []),
        f"DEFAULT={first}",
        "AUTOSELECT=YES",
        f'CHANNELS="{sound.channels}"',
        f'URI="{sound.playlist}"',
    ]


def _variant(track: ListedTrack, beside: Sequence[ListedTrack]) -> list[str]:
    codecs = ",".join(dict.fromkeys([track.codec, *(sound.codec for sound in beside)]))
    peak = track.peak + max((sound.peak for sound in beside), default=0)
    average = track.average + max((sound.average for sound in beside), default=0)
    attributes = [f"BANDWIDTH={peak}", f"AVERAGE-BANDWIDTH={average}", f'CODECS="{codecs}"']
    if track.width:
        attributes += [f"RESOLUTION={track.width}x{track.height}", f"FRAME-RATE={float(track.rate):.3f}"]
        attributes += [f"VIDEO-RANGE={track.range}", "CLOSED-CAPTIONS=NONE"]
    if beside:
        attributes.append('AUDIO="sound"')
    return attributes
