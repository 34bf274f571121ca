"""Small pictures side by side on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import av
from av.video.reformatter import ColorRange

from cutback.cutting.posters.still import Still, encode

COLUMNS = 10
WIDTH = 160
"""Pixels of a tile."""
_BLACK, _GREY = 0, 128


class TileSheet:
    """The tiles, and what is said about each of them. All are as large as the first one."""

    def __init__(self, most: int) -> None:
        """It has room for `most` tiles."""
        self._most = most
        self._pixels: _Pixels | None = None
        self.tiles: list[dict[str, Any]] = []

    def add(self, still: Still, about: dict[str, Any]) -> None:
        """Add a tile.

        Raises:
            av.FFmpegError: the picture cannot be scaled.
        """
        width = WIDTH
        if self._pixels is not None and still.size_within(width)[1] > self._pixels.height:  # of another shape
            width = max(1, WIDTH * self._pixels.height // still.size_within(width)[1])
        shown = still.shown(width)
        if self._pixels is None:
            self._pixels = _Pixels(shown.width, shown.height, self._most)
        self._pixels.put(len(self.tiles), shown)
        self.tiles.append(about)

    def found(self) -> dict[str, Any]:
        """Return the size of a tile in pixels, the tiles in a row, and what was said about each; 0 without tiles."""
        sheet = self._pixels
        width, height = (0, 0) if sheet is None else (sheet.width, sheet.height)
        return {"width": width, "height": height, "columns": COLUMNS, "tiles": self.tiles}

    def jpeg(self) -> bytes:
        """Return the sheet; empty without tiles.

        Raises:
            av.FFmpegError: its size is not possible in JPEG.
        """
        return b"" if self._pixels is None else encode(self._pixels.frame(len(self.tiles)))


class _Pixels:
    """Full-range `yuv420p`, as JPEG has it."""

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
