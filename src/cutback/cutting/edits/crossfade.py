"""Mixes the end of what was shown before into the pictures of the range that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import av
from av.video.reformatter import ColorRange

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.graph import GraphsInUse, MixGraph
from cutback.cutting.index import Track
from cutback.cutting.plan.crossfades import Crossfade
from cutback.domain.errors import MediaUnreadableError
from cutback.domain.times import FRAME_TOLERANCE

_HD = 720
"""Pictures with at least this many rows and unspecified colours use the colours of HD television."""

_UNSPECIFIED, _BT709, _SMPTE170M = 2, 1, 6
"""Matrix coefficients in ITU-T H.273."""

Shaping = Callable[[Track, Iterator[Picture], Sequence[Fraction]], Iterator[Picture]]
"""Rotates, crops and scales a recording's pictures, which are shown at these times, in cut time."""


class Mixer:
    """The pictures of one crossfade."""

    def __init__(self, crossfade: Crossfade, shaped: Shaping) -> None:
        """Nothing is decoded yet."""
        self.crossfade = crossfade
        self._shaped = shaped
        self._tail = self._read()
        self._shown: tuple[Fraction, Picture] | None = None
        self._coming: tuple[Fraction, Picture] | None = None

    def covers(self, cut: Fraction) -> bool:
        """Whether a time in cut time is within the crossfade."""
        return self.crossfade.start <= cut + FRAME_TOLERANCE and cut + FRAME_TOLERANCE < self.crossfade.end

    def mixed(self, frame: av.VideoFrame, cut: Fraction, graphs: GraphsInUse) -> av.VideoFrame:
        """Return a picture that begins at a time, in a format that can be encoded, with the one before it mixed in.

        Raises:
            MediaUnreadableError: the picture that is shown before cannot be decoded.
        """
        share = self.crossfade.share(cut)
        if share >= 1:
            return frame
        before = as_like(self._at(cut).frame, frame)
        return graphs.graph(self, frame, lambda: MixGraph(frame)).apply(frame, before, share)

    def _at(self, cut: Fraction) -> Picture:
        """Return the picture of the tail that is shown at a time. Times come in order, but for those that go back."""
        if self._shown is not None and cut + FRAME_TOLERANCE < self._shown[0]:
            self._tail, self._shown, self._coming = self._read(), None, None
        while True:
            if self._coming is None:
                self._coming = next(self._tail, None)
            if self._coming is None or (self._shown is not None and self._coming[0] > cut + FRAME_TOLERANCE):
                break
            self._shown, self._coming = self._coming, None
        if self._shown is None:
            raise MediaUnreadableError("A picture of a crossfade cannot be decoded.")
        return self._shown[1]

    def _read(self) -> Iterator[tuple[Fraction, Picture]]:
        """Yield the pictures of the tail, each with the time at which it begins, in cut time."""
        begins = self.crossfade.start
        for media, _, piece in self.crossfade.tail:
            track = media.index.video
            assert track is not None
            times = [track.seconds(track.pts[sample]) for sample in track.order[piece.first : piece.stop]]
            cuts = [begins + max(time - piece.start, Fraction(0)) for time in times]
            yield from zip(cuts, self._shaped(track, media.frames(piece.first, piece.stop), cuts), strict=False)
            begins += piece.duration


def as_like(frame: av.VideoFrame, like: av.VideoFrame) -> av.VideoFrame:
    """Convert a picture to the size, format, matrix and range of another one."""
    now, wanted = (_matrix(each) for each in (frame, like))
    ranges = tuple(_range(each) for each in (frame, like))
    same = (frame.width, frame.height, frame.format.name) == (like.width, like.height, like.format.name)
    if same and now == wanted and ranges[0] == ranges[1]:
        return frame
    made = frame.reformat(
        width=like.width,
        height=like.height,
        format=like.format.name,
        src_colorspace=now,
        dst_colorspace=wanted,
        src_color_range=ranges[0],
        dst_color_range=ranges[1],
    )
    made.colorspace, made.color_range = like.colorspace, like.color_range
    made.color_primaries, made.color_trc = like.color_primaries, like.color_trc
    return made


def _matrix(frame: av.VideoFrame) -> int:
    matrix = int(frame.colorspace)
    return matrix if matrix != _UNSPECIFIED else _BT709 if frame.height >= _HD else _SMPTE170M


def _range(frame: av.VideoFrame) -> ColorRange:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG
