"""Overlays as a subtitle track, which players show and hide: nothing of the pictures is encoded.

The track is timed text as MP4 holds it (`tx3g`, 3GPP TS 26.245).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from cutback.cutting.mp4.boxes import box
from cutback.cutting.mp4.layout import SPOOL, OutTrack
from cutback.cutting.spool import Spool
from cutback.domain.errors import EditImpossibleError

TIMESCALE = 90_000
"""Ticks a second of the track."""

_FONT = b"Sans"
_WHITE = b"\xff\xff\xff\xff"
_CENTER, _BOTTOM = 1, -1
_SIZE = 18

_MOST_BYTES = 65_535
"""Of one subtitle, in UTF-8: the format has two bytes for its length."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A text, and when it is shown, in seconds of the finished clip."""

    start: Fraction
    end: Fraction
    text: str


def stacked(overlays: Sequence[Sequence[Cue]]) -> list[Cue]:
    """Return the cues of several overlays as cues that follow each other. What is shown at once is on several lines.

    Raises:
        EditImpossibleError: too much is shown at once.
    """
    times = sorted({time for cues in overlays for cue in cues for time in (cue.start, cue.end)})
    places = [0] * len(overlays)
    made = []
    for start, end in pairwise(times):
        lines = []
        for number, cues in enumerate(overlays):
            while places[number] < len(cues) and cues[places[number]].end <= start:
                places[number] += 1
            if places[number] < len(cues) and cues[places[number]].start <= start:
                lines.append(cues[places[number]].text)
        if not lines:
            continue
        text = "\n".join(lines)
        if (size := len(text.encode())) > _MOST_BYTES:
            raise EditImpossibleError(
                f"Texts that are subtitles at the same time have {size} bytes; the limit is {_MOST_BYTES}."
            )
        made.append(Cue(start, end, text))
    return made


def subtitle_track(cues: Sequence[Cue], duration: Fraction, spool: Spool) -> OutTrack:
    """Return a track of cues, which follow each other, for a clip of `duration` seconds."""
    track = OutTrack("other", TIMESCALE, [_entry()], handler=b"sbtl", duration=duration)
    at, end = 0, round(duration * TIMESCALE)

    def show(text: str, begins: int) -> None:
        coded = text.encode()
        data = struct.pack(">H", len(coded)) + coded
        track.add(pts=begins, size=len(data), sync=True, origin=SPOOL, offset=spool.append(data))

    for cue in cues:
        begins, ends = round(cue.start * TIMESCALE), min(end, round(cue.end * TIMESCALE))
        if begins > at:
            show("", at)
        if begins < ends:
            show(cue.text, begins)
            at = ends
    if at < end:
        show("", at)
        at = end
    track.last_duration = max(1, at - track.pts[-1])
    return track


def _entry() -> bytes:
    place = struct.pack(">Ibb4x8x", 0, _CENTER, _BOTTOM)
    style = struct.pack(">HHHBB", 0, 0, 1, 0, _SIZE) + _WHITE
    fonts = box(b"ftab", struct.pack(">HHB", 1, 1, len(_FONT)) + _FONT)
    return box(b"tx3g", struct.pack(">6xH", 1), place, style, fonts)
