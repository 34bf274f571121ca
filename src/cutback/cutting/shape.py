"""How encoded pictures are made to fit: beside copied ones of the first track, or all of one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import av

from cutback.cutting.h264 import nal as h264
from cutback.cutting.index import Track
from cutback.cutting.mp4.entries import aspect_box, avc_entry, colour_box, with_configuration
from cutback.cutting.pictures import Coded, Picture, PictureEncoder
from cutback.errors import MediaUnreadableError

ENCODED_ID = 31
"""seq_parameter_set_id and pic_parameter_set_id of encoded pictures, unless the source uses it itself."""

_QUALITY = {"preset": "veryfast", "crf": "16"}
_EDGE = "keyint=infinite:scenecut=0:bframes=0:ref=1:rc-lookahead=0:sync-lookahead=0:sps-id={id}"
_WHOLE = "keyint={keyint}:min-keyint=1:bframes=2:rc-lookahead=20:sps-id={id}"
_FITTING = {"yuv420p", "yuvj420p"}


class Shape:
    """Encodes runs of pictures that end up in one track."""

    def __init__(self, track: Track, *, beside_copies: bool) -> None:
        """`track` is the first piece's: its parameters hold for all."""
        description = track.descriptions[0]
        self._entry = description.raw
        self._copied: h264.Configuration | None = None
        self._own: h264.Configuration | None = None
        self._size: tuple[int, int] | None = None
        self._extra = b""
        self._timescale = track.timescale
        self._rate = Fraction(track.timescale, max(1, track.duration(track.order[0])))
        number = ENCODED_ID
        self._params = _WHOLE
        if beside_copies:
            self._copied = h264.parse_configuration(description.extradata)
            number = self._copied.free_id() or ENCODED_ID
            self._params = _EDGE
        self._params = self._params.format(id=number, keyint=max(1, round(2 * self._rate)))

    def encode(self, pictures: Iterator[Picture], ticks: Callable[[int], int], expected: int) -> Iterator[Coded]:
        """Encode pictures as length-prefixed samples; `ticks` turns their PTS into the clip's.

        Raises:
            MediaUnreadableError: there are fewer (or more) pictures than expected.
        """
        encoder: PictureEncoder | None = None
        count = 0
        for picture in pictures:
            count += 1
            frame = self._fit(picture.frame)
            if encoder is None:
                encoder = self._open(frame, picture.aspect)
            frame.pts = ticks(picture.frame.pts or 0)
            yield from _samples(encoder, frame)
        if count != expected or encoder is None:
            raise MediaUnreadableError(f"{expected} pictures should be decoded there; {count} could be.")
        yield from _samples(encoder, None)

    def entry(self) -> bytes:
        """The sample entry that serves copied and encoded samples alike."""
        if self._own is None:
            return self._entry
        if self._copied is not None:
            return with_configuration(self._entry, self._copied.joined(self._own).pack())
        assert self._size is not None
        return avc_entry(*self._size, self._own.pack(), self._extra)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the pictures encoded; None before the first."""
        return self._size

    def _fit(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The size of the clip's first picture, 4:2:0 of 8 bits (what every browser plays)."""
        if self._size is None:
            # 4:2:0 has no odd sizes.
            self._size = (frame.width - frame.width % 2, frame.height - frame.height % 2)
        width, height = self._size
        wanted = frame.format.name if frame.format.name in _FITTING else "yuv420p"
        if (frame.width, frame.height, frame.format.name) == (width, height, wanted):
            return frame
        fitted = frame.reformat(width=width, height=height, format=wanted)
        fitted.color_primaries, fitted.color_trc = frame.color_primaries, frame.color_trc
        return fitted

    def _open(self, frame: av.VideoFrame, aspect: Fraction | None) -> PictureEncoder:
        options = {**_QUALITY, "x264-params": self._params}
        encoder = PictureEncoder(frame, timescale=self._timescale, rate=self._rate, options=options, aspect=aspect)
        own = h264.configuration_of(encoder.header, 4)
        if self._own is not None and self._own != own:
            raise MediaUnreadableError("Its pictures change in a way that one track cannot hold.")
        self._own = own
        colours = (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))
        self._extra = colour_box(*colours, full_range=int(frame.color_range) == 2)
        if aspect and aspect != 1:
            self._extra += aspect_box(aspect.numerator, aspect.denominator)
        return encoder


def _samples(encoder: PictureEncoder, frame: av.VideoFrame | None) -> Iterator[Coded]:
    for coded in encoder.encode(frame):
        units = (unit for unit in h264.split_annex_b(coded.data) if unit[0] & 31 != h264.SEI)
        yield Coded(h264.prefixed(units, 4), coded.pts, coded.keyframe)
