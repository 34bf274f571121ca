"""Makes a sheet of small pictures of a recording, for scrubbing: only keyframes are decoded. Runs in the child."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
from av.video.reformatter import ColorRange

from cutback.cutting.index import Track, byte_ranges
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.posters.still import encode, still_of
from cutback.cutting.source.footage import MediaSource, open_media
from cutback.domain.errors import CutbackError, MediaUnreadableError, RangeOutsideRecordingError
from cutback.domain.times import format_seconds

MOST_TILES = 100
COLUMNS = 10
WIDTH = 160
"""Pixels of a tile."""
_LEAST_APART = Fraction(1)
"""Seconds between tiles."""
_FETCHED = 20
"""Keyframes that are fetched together."""
_BLACK, _GREY = 0, 128


def sprites(source: ByteSource, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """Return what the tiles show, and the sheet as a JPEG. `at` and `end` are seconds from the recording's time zero.

    A keyframe that cannot be decoded has no tile.

    Raises:
        RangeOutsideRecordingError: the recording has no pictures.
        CutbackError: like `open_media`.
    """
    media = open_media(source, limits)
    track = media.index.video
    if track is None or not track.order:
        raise RangeOutsideRecordingError("The recording has no pictures.")
    chosen = choose(track)
    sheet: _Sheet | None = None
    tiles: list[dict[str, Any]] = []
    for number, rank in enumerate(chosen):
        if number % _FETCHED == 0:
            wanted = [track.order[each] for each in chosen[number : number + _FETCHED]]
            source.prefetch(byte_ranges(track, sorted(wanted)))
        shown = _picture(media, track, rank)
        if shown is None:
            continue
        if sheet is None:
            sheet = _Sheet(shown.width, shown.height, len(chosen))
        sheet.put(len(tiles), shown)
        tiles.append({"frame": rank, "at": format_seconds(track.seconds(track.pts[track.order[rank]]))})
    if sheet is None:
        raise MediaUnreadableError("None of its keyframes can be decoded.")
    found = {
        "width": sheet.width,
        "height": sheet.height,
        "columns": COLUMNS,
        "end": format_seconds(track.end),
        "tiles": tiles,
    }
    return found, encode(sheet.frame(len(tiles)))


def choose(track: Track) -> list[int]:
    """Return the ranks of up to `MOST_TILES` presented keyframes, evenly spread over the recording. Pure."""
    sync = frozenset(track.sync)
    ranks = [rank for rank, sample in enumerate(track.order) if sample in sync]
    if not ranks:
        return [0]
    least = max(_LEAST_APART, (track.end - track.start) / MOST_TILES)
    chosen: list[int] = []
    due: Fraction | None = None
    for rank in ranks:
        at = track.seconds(track.pts[track.order[rank]])
        if due is None or at >= due:
            chosen.append(rank)
            due = at + least if due is None else due + least * (1 + (at - due) // least)
    return chosen[:MOST_TILES]


def _picture(media: MediaSource, track: Track, rank: int) -> av.VideoFrame | None:
    try:
        for picture in media.frames(rank, rank + 1):
            return still_of(picture, track).shown(WIDTH)
    except (CutbackError, av.FFmpegError):
        return None
    return None


class _Sheet:
    """The tiles side by side: full-range `yuv420p`, as JPEG has it."""

    def __init__(self, width: int, height: int, tiles: int) -> None:
        self.width, self.height = width + width % 2, height + height % 2
        self._across = self.width * COLUMNS
        rows = -(-tiles // COLUMNS)
        pixels = self._across * self.height * rows
        self._planes = (
            bytearray([_BLACK]) * pixels,
            bytearray([_GREY]) * (pixels // 4),
            bytearray([_GREY]) * (pixels // 4),
        )

    def put(self, number: int, frame: av.VideoFrame) -> None:
        row, column = divmod(number, COLUMNS)
        for plane, target, part in zip(frame.planes, self._planes, (1, 2, 2), strict=True):
            across, wide, high = self._across // part, self.width // part, self.height // part
            data, line = memoryview(plane), plane.line_size
            width, height = min(wide, plane.width), min(high, plane.height)
            for y in range(height):
                begin = (row * high + y) * across + column * wide
                target[begin : begin + width] = data[y * line : y * line + width]

    def frame(self, tiles: int) -> av.VideoFrame:
        rows = -(-tiles // COLUMNS)
        frame = av.VideoFrame(self._across, self.height * rows, "yuv420p")
        frame.color_range = ColorRange.JPEG
        for plane, data, part in zip(frame.planes, self._planes, (1, 2, 2), strict=True):
            across, line = self._across // part, plane.line_size
            plane.update(b"".join(_padded(data[y * across : (y + 1) * across], line) for y in range(plane.height)))
        return frame


def _padded(row: Sequence[int], line: int) -> bytes:
    return bytes(row).ljust(line, b"\0")
