"""Encodes pictures so that they match: the copied ones of the first track, or each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import av
from av.video.reformatter import ColorRange, Interpolation

from cutback.cutting.codecs.codec import Codec
from cutback.cutting.codecs.coding import UNCHANGED, VideoCoding
from cutback.cutting.codecs.colours import BT709, BT2020_NC, SMPTE170M, for_swscale, matrix_of, range_of, shows_hdr
from cutback.cutting.codecs.dynamic_range import ToHdr, ToSdr
from cutback.cutting.codecs.h264.nal import prefixed
from cutback.cutting.codecs.hdr import HdrMetadata, hdr_of
from cutback.cutting.codecs.hdr_levels import is_hdr
from cutback.cutting.codecs.known import codec_for_whole, codec_named, codec_of
from cutback.cutting.codecs.memory import Pixels, effort_for, encoder_needs
from cutback.cutting.codecs.pictures import Coded, Picture, PictureEncoder
from cutback.cutting.index import Track
from cutback.cutting.job import Memory
from cutback.cutting.mp4.entries import aspect_box, colour_box
from cutback.domain.errors import MediaUnreadableError, OutputImpossibleError

_DEPTHS = {"yuv420p": 8, "yuvj420p": 8, "yuv420p10le": 10}
"""Pixel formats that are encoded unchanged; others are converted to the one with their depth."""


_WITHOUT_NAMED_RANGE = frozenset({"libvpx-vp9", "libsvtav1"})
"""Encoders that take pictures of full range only as `yuv420p`, with the range beside it."""

_NEAR = 32
"""Frames at the start of a track that tell its frame rate."""


def usual_rate(track: Track) -> Fraction:
    """Return the usual frames per second of a track."""
    times = [track.pts[sample] for sample in track.order[:_NEAR]]
    steps = sorted(after - before for before, after in pairwise(times))
    step = steps[len(steps) // 2] if steps else track.duration(track.order[0])
    return Fraction(track.timescale, max(1, step))


def format_for(frame: av.VideoFrame) -> str:
    """Return the pixel format in which a picture is encoded: 4:2:0 with 8 or 10 bits."""
    name = frame.format.name
    depth = max(component.bits for component in frame.format.components)
    return name if name in _DEPTHS else "yuv420p10le" if depth > 8 else "yuv420p"


def depth_of(frame: av.VideoFrame) -> int:
    """Return the bits in which a picture is encoded: 8 or 10."""
    return _DEPTHS[format_for(frame)]


def in_encodable_format(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a picture in the pixel format in which it is encoded."""
    name = format_for(frame)
    if frame.format.name == name:
        return frame
    fitted = frame.reformat(format=name)
    fitted.color_primaries, fitted.color_trc = frame.color_primaries, frame.color_trc
    return fitted


_ALIKE = {5: SMPTE170M, 10: BT2020_NC}
"""Matrices with the numbers, or for us the use, of another one (ITU-T H.273)."""

_CONVERTED = {BT709, 4, SMPTE170M, 7, BT2020_NC}
"""Matrices between which pictures are converted."""


class _Colours(NamedTuple):
    """What the numbers of a picture mean."""

    matrix: int
    range: ColorRange
    transfer: int
    tags: tuple[int, int, int, int]
    """As the picture has them: matrix, range, primaries and transfer."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> _Colours:
        """Return those of a picture."""
        tags = frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc
        matrix = matrix_of(frame)
        return cls(_ALIKE.get(matrix, matrix), range_of(frame), int(frame.color_trc), tags)


class Shape:
    """Encodes runs of pictures for one track."""

    def __init__(
        self,
        track: Track,
        timescale: int,
        *,
        beside_copies: bool,
        limit: int,
        memory: Memory | None = None,
        pace: Fraction = Fraction(1),
        height: int | None = None,
        turned: bool = False,
        coding: VideoCoding = UNCHANGED,
        most_ahead: int | None = None,
        like: Shape | None = None,
    ) -> None:
        """`track` is the first range's; its parameters apply to all. PTS are ticks of `timescale`.

        Pictures are shown at most `height` pixels high; `turned` says that players exchange width and height. `coding`
        is for those that are not beside copied ones.

        `limit` is how many bytes the job may use; `memory` tells how many of them are left. `pace` is the frame rate of
        the clip divided by the track's. `most_ahead` limits the pictures that the encoder sees before it decides about
        one: where others are kept as well, they would take too much together. With `like`, pictures are fitted to the
        first one that the other shape has seen: both encode the same ones.
        """
        self._like = like
        self._timescale = timescale
        self._limit, self._memory = limit, memory
        self._most_ahead = most_ahead
        self._track = track
        self._beside = beside_copies
        self._codec: Codec | None = codec_of(track.descriptions[0].codec) if beside_copies else None
        self._opened, self._header = False, b""
        self._interlaced: bool | None = None
        self._size: tuple[int, int] | None = None
        self._height, self._turned = height, turned
        self._coding = UNCHANGED if beside_copies else coding
        self._lowered: tuple[int, int] | None = None
        self.scaled: dict[tuple[int, int], None] = {}
        """Sizes of pictures that were scaled, because a clip has one size, and 4:2:0 has no odd ones."""
        self._format = ""
        self._colours: _Colours | None = None
        self.converted: dict[str, None] = {}
        """What became of the dynamic range of pictures that differ from the first one's."""
        self.becomes_sdr = False
        """Whether the first picture is HDR, which the codec that was asked for does not hold."""
        self._to_sdr = ToSdr()
        self._to_hdr: ToHdr | None = None
        self._boxes = b""
        self._light = HdrMetadata()
        self._rate = usual_rate(track) * pace

    def encode(
        self, pictures: Iterator[Picture], ticks: Callable[[int], int], expected: int, *, held: bool = False
    ) -> Iterator[Coded]:
        """Encode pictures as length-prefixed samples; `ticks` converts their PTS to the clip's.

        If the last one is `held`, it becomes a keyframe: so it is the last one in decoding order, too.

        Raises:
            MediaUnreadableError: there are fewer or more pictures than expected.
        """
        run = RunEncoder(self, ticks, expected, held=held)
        for picture in pictures:
            yield from run.encode(picture)
        yield from run.finish()

    def first_of(self, picture: Picture, frame: av.VideoFrame) -> PictureEncoder:
        """Open the encoder of a run that begins with a picture; `frame` is that picture as it is encoded."""
        self._light = hdr_of(picture.frame) if is_hdr(int(frame.color_trc)) else HdrMetadata()
        return self._open(frame, picture.aspect)

    def prepared(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a picture as it is encoded."""
        return self._without_named_range(self._lower(self.fit(frame)))

    def entries(self) -> tuple[list[bytes], int]:
        """Return the sample entries of copied and encoded samples, and the number of the encoded ones' entry."""
        if self._codec is None or not self._opened:
            return [self._track.descriptions[0].raw], 0
        if self._beside:
            return self._codec.joined_entries(self._track, self._header)
        assert self.size is not None
        return [self._codec.own_entry(*self.size, self._header, self._boxes)], 0

    @property
    def fits(self) -> tuple[tuple[int, int] | None, str]:
        """Size and pixel format of fitted pictures; None and empty before the first one."""
        return self._size, self._format

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the encoded pictures; None before the first one."""
        return self._lowered or self._size

    def _lower(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Scale an edited picture down to the height of the clip, if there is one."""
        if self._height is None:
            return frame
        if self._lowered is None:
            high = frame.width if self._turned else frame.height
            factor = min(Fraction(1), Fraction(self._height, high))
            self._lowered = 2 * round(frame.width * factor / 2), 2 * round(frame.height * factor / 2)
        width, height = self._lowered
        if (frame.width, frame.height) == self._lowered:
            return frame
        lower = frame.reformat(width=width, height=height, interpolation=Interpolation.BICUBIC)
        lower.color_primaries, lower.color_trc = frame.color_primaries, frame.color_trc
        lower.colorspace = matrix_of(frame)  # what players assume of a picture without a name depends on its size
        return lower

    def _without_named_range(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a full-range picture in the format that has no range in its name, if the encoder knows only that."""
        if frame.format.name != "yuvj420p":
            return frame
        codec = self._codec or self._chosen_codec(_DEPTHS[self._format])
        if codec.encoder not in _WITHOUT_NAMED_RANGE:
            return frame
        full = ColorRange.JPEG
        named = frame.reformat(format="yuv420p", src_color_range=full, dst_color_range=full)
        named.color_range, named.colorspace = full, frame.colorspace
        named.color_primaries, named.color_trc = frame.color_primaries, frame.color_trc
        return named

    def fit(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Convert a frame to the size, the depth and the colours of the clip's first picture, 4:2:0."""
        if self._like is not None:
            fitted = self._like.fit(frame)
            self._size, self._format = self._like.fits
            return fitted
        if self._size is None:
            if shows_hdr(frame) and not self._coding.holds(depth_of(frame)):
                self.becomes_sdr, frame = True, self._to_sdr.apply(frame)
            # 4:2:0 has no odd sizes.
            self._size = (frame.width - frame.width % 2, frame.height - frame.height % 2)
            self._format = format_for(frame)
            self._colours = _Colours.of(frame)
        assert self._colours is not None
        frame = self._in_dynamic_range(frame, self._colours.transfer)
        width, height = self._size
        now, wanted = _Colours.of(frame), self._colours
        same = (now.matrix, now.range) == (wanted.matrix, wanted.range) or not {now.matrix, wanted.matrix} <= _CONVERTED
        if same and (frame.width, frame.height, frame.format.name) == (width, height, self._format):
            return frame
        if (frame.width, frame.height) != (width, height):
            self.scaled[frame.width, frame.height] = None
        if same:
            fitted = frame.reformat(width=width, height=height, format=self._format)
            fitted.color_primaries, fitted.color_trc = frame.color_primaries, frame.color_trc
            return fitted
        fitted = frame.reformat(
            width=width,
            height=height,
            format=self._format,
            src_colorspace=for_swscale(now.matrix),
            dst_colorspace=for_swscale(wanted.matrix),
            src_color_range=now.range,
            dst_color_range=wanted.range,
        )
        fitted.colorspace, fitted.color_range, fitted.color_primaries, fitted.color_trc = wanted.tags
        return fitted

    def _in_dynamic_range(self, frame: av.VideoFrame, transfer: int) -> av.VideoFrame:
        """Convert a frame to the clip's transfer characteristic, if one of the two is that of HDR."""
        own = int(frame.color_trc)
        if own == transfer or not (is_hdr(own) or is_hdr(transfer)):
            return frame
        kinds = "HDR" if is_hdr(own) else "SDR", "HDR" if is_hdr(transfer) else "SDR"
        self.converted["{} to {}".format(*kinds)] = None
        sdr = self._to_sdr.apply(frame)
        if not is_hdr(transfer):
            return sdr
        if self._to_hdr is None:
            self._to_hdr = ToHdr(transfer)
        return self._to_hdr.apply(sdr)

    def _open(self, frame: av.VideoFrame, aspect: Fraction | None) -> PictureEncoder:
        if self._codec is None:
            self._codec = self._chosen_codec(_DEPTHS[self._format])
        beside = self._track if self._beside else None
        pixels = Pixels(frame.width, frame.height, _DEPTHS[self._format])
        room = self._memory.room() if self._memory else None
        effort = effort_for(self._codec.encoder, pixels, self._limit, beside_copies=self._beside, room=room)
        if self._most_ahead is not None:
            effort = replace(effort, lookahead=min(effort.lookahead, self._most_ahead))
        if self._memory:
            self._memory.announce(encoder_needs(self._codec.encoder, pixels, effort, beside_copies=self._beside))
        # In 4:2:0, fields share a row of colours for four rows of the frame; scaled pictures may have any even number.
        # The first picture decides, as one track has one header.
        if self._interlaced is None:
            self._interlaced = frame.interlaced_frame and frame.height % 4 == 0
        options = self._codec.options(beside, self._rate, lookahead=effort.lookahead, interlaced=self._interlaced)
        options = self._coding.changed(options, self._codec.encoder)
        encoder = PictureEncoder(
            self._codec.encoder,
            frame,
            timescale=self._timescale,
            rate=self._rate,
            options=options,
            aspect=aspect,
            threads=effort.threads,
        )
        if self._opened and self._header != encoder.header:
            raise MediaUnreadableError("Its pictures change in a way that one track cannot represent.")
        self._opened, self._header = True, encoder.header
        colours = (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))
        self._boxes = colour_box(*colours, full_range=int(frame.color_range) == 2)
        if aspect and aspect != 1:
            self._boxes += aspect_box(aspect.numerator, aspect.denominator)
        self._boxes += self._light.boxes
        return encoder

    def _chosen_codec(self, depth: int) -> Codec:
        if self._coding.codec is None:
            return codec_for_whole(self._track.descriptions[0].codec, depth)
        if not self._coding.holds(depth):
            raise OutputImpossibleError(
                f"{self._coding.codec} holds pictures with 8 bits; the recording has {depth}. Choose hevc or av1."
            )
        return codec_named(self._coding.codec)

    def samples(
        self, encoder: PictureEncoder, frame: av.VideoFrame | None, *, keyframe: bool = False
    ) -> Iterator[Coded]:
        assert self._codec is not None
        messages = self._light.messages
        unit = self._codec.message_unit(messages) if messages else b""
        told = prefixed([unit], 4) if unit else b""
        for coded in encoder.encode(frame, keyframe=keyframe):
            sample = self._codec.sample(coded.data)
            yield Coded(told + sample if coded.keyframe else sample, coded.pts, coded.keyframe)


class RunEncoder:
    """Encodes one run of pictures, one after the other."""

    def __init__(self, shape: Shape, ticks: Callable[[int], int], expected: int, *, held: bool) -> None:
        """See `Shape.encode`."""
        self._shape, self._ticks, self._expected, self._held = shape, ticks, expected, held
        self._encoder: PictureEncoder | None = None
        self._count = 0

    def encode(self, picture: Picture) -> Iterator[Coded]:
        """Encode the next picture; yield the samples that are finished. The picture's time stays as it is."""
        self._count += 1
        number = picture.frame.pts
        frame = self._shape.prepared(picture.frame)
        if self._encoder is None:
            self._encoder = self._shape.first_of(picture, frame)
        frame.pts = self._ticks(number or 0)
        yield from self._shape.samples(self._encoder, frame, keyframe=self._held and self._count == self._expected)
        picture.frame.pts = number

    def finish(self) -> Iterator[Coded]:
        """Yield the remaining samples.

        Raises:
            MediaUnreadableError: there were fewer or more pictures than expected.
        """
        if self._count != self._expected or self._encoder is None:
            raise MediaUnreadableError(f"{self._count} pictures could be decoded instead of {self._expected}.")
        yield from self._shape.samples(self._encoder, None)
