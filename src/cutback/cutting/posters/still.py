"""Converts a decoded picture to an image as a player would show it: upright, with square pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from cutback.cutting.codecs.colours import matrix_of, range_of, shows_hdr
from cutback.cutting.codecs.dynamic_range import ToSdr, peak_of
from cutback.cutting.codecs.hdr import hdr_of
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.index import Track
from cutback.cutting.turns import Turn, shape_of_pixels, sideways, turns_of

QUALITY = 3
"""JPEG quality: FFmpeg's quantizer, 2 to 31, lower is better."""


@dataclass(frozen=True, slots=True)
class ImageColours:
    """The pixels of a kind of image."""

    pixels: str
    """FFmpeg's pixel format."""
    matrix: Colorspace = Colorspace.ITU601
    range: ColorRange = ColorRange.JPEG


OF_JPEG = ImageColours("yuv420p")
"""Full range, ITU-R BT.601."""

_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""Otherwise RGB is up to 2 too dark."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A JPEG and its displayed size."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Still:
    """A picture and how to show it."""

    picture: Picture
    width: int
    """The displayed size, never larger than the picture: pixels that are not square shrink in one direction."""
    height: int
    turns: tuple[Turn, ...]

    @property
    def _sideways(self) -> bool:
        return sideways(self.turns)

    def size_within(self, width: int) -> tuple[int, int]:
        """Return its displayed width and height if it is at most `width` pixels wide."""
        wide = min(width, self.width)
        return wide, max(1, round(Fraction(self.height * wide, self.width)))

    def scaled(self, width: int, colours: ImageColours = OF_JPEG) -> av.VideoFrame:
        """Scale to at most `width` pixels."""
        return self._fitted(*self.size_within(width), colours, Interpolation.AREA)

    def exactly(self, width: int, height: int, colours: ImageColours) -> av.VideoFrame:
        """Scale to a displayed size, with exact colours, and turn upright."""
        frame = self.picture.frame
        unscaled = {width, height} == {frame.width, frame.height}
        how = Interpolation.BICUBIC if unscaled else Interpolation.AREA
        return self._turned(self._fitted(width, height, colours, how | _EXACT))

    def _fitted(self, wide: int, high: int, colours: ImageColours, how: int) -> av.VideoFrame:
        if self._sideways:
            wide, high = high, wide
        frame = self._sdr(wide, high)
        return frame.reformat(
            width=wide,
            height=high,
            format=colours.pixels,
            interpolation=how,
            src_colorspace=matrix_of(frame),
            dst_colorspace=colours.matrix,
            src_color_range=range_of(frame),
            dst_color_range=colours.range,
            threads=2,
        )

    def _sdr(self, width: int, height: int) -> av.VideoFrame:
        """Return the picture; if it is HDR, in SDR and in the wanted size, because each pixel takes time."""
        frame = self.picture.frame
        if not shows_hdr(frame):
            return frame
        small = frame.reformat(width=width, height=height, interpolation=Interpolation.AREA, threads=2)
        small.color_trc, small.color_primaries = frame.color_trc, frame.color_primaries
        return ToSdr(peak_of(hdr_of(frame))).apply(small)

    def shown(self, width: int) -> av.VideoFrame:
        """Scale like `scaled`, and turn upright."""
        return self._turned(self.scaled(width))

    def _turned(self, frame: av.VideoFrame) -> av.VideoFrame:
        if not self.turns:
            return frame
        graph = Graph()
        chain = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1))]
        chain += [graph.add(name, how) for name, how in self.turns]
        graph.link_nodes(*chain, graph.add("buffersink")).configure()
        frame.pts = 0
        graph.push(frame)
        turned = graph.pull()
        assert isinstance(turned, av.VideoFrame)
        return turned


def still_of(picture: Picture, track: Track) -> Still:
    """Make a still from a picture of a clip's track."""
    shape = picture.aspect or shape_of_pixels(track, picture.frame.width, picture.frame.height)
    return still_with(picture, Fraction(shape), turns_of(track.matrix))


def still_with(picture: Picture, shape: Fraction, turns: tuple[Turn, ...]) -> Still:
    """Make a still from a picture, given the shape of its pixels and how it is turned."""
    width, height = picture.frame.width, picture.frame.height
    if shape > 1:
        height = max(1, round(height / shape))
    elif shape < 1:
        width = max(1, round(width * shape))
    if sideways(turns):
        width, height = height, width
    return Still(picture, width, height, turns)


def jpeg_of(frame: av.VideoFrame) -> Jpeg:
    """Encode a frame from `Still.shown`. Raises like `encode`."""
    return Jpeg(encode(frame), frame.width, frame.height)


def encode(frame: av.VideoFrame) -> bytes:
    """Encode a full-range `yuv420p` frame as JPEG.

    Raises:
        av.FFmpegError: its size is not possible in JPEG.
    """
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = frame.width, frame.height
    encoder.pix_fmt = "yuv420p"
    encoder.color_range = ColorRange.JPEG
    encoder.time_base = Fraction(1)
    encoder.thread_count = 1
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY), "huffman": "default"}
    frame.pts, frame.time_base = 0, Fraction(1)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
