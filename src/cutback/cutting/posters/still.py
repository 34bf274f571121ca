"""Converts a decoded picture to a JPEG as a player would show it: upright, with square pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.index import Track
from cutback.cutting.turns import Turn, shape_of_pixels, sideways, turns_of

QUALITY = 3
"""JPEG quality: FFmpeg's quantizer, 2 to 31, lower is better."""

_HD = 720
"""Pictures with at least this many rows and unspecified colours use the colours of HD television."""

_UNSPECIFIED = 2
"""The number for unspecified colours in ITU-T H.273."""


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

    def scaled(self, width: int) -> av.VideoFrame:
        """Scale to at most `width` pixels, in the colours of JPEG: full range, ITU-R BT.601."""
        frame = self.picture.frame
        wide = min(width, self.width)
        high = max(1, round(Fraction(self.height * wide, self.width)))
        if self._sideways:
            wide, high = high, wide
        source = int(frame.colorspace)
        if source == _UNSPECIFIED:
            source = int(Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601)
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        return frame.reformat(
            width=wide,
            height=high,
            format="yuv420p",
            interpolation=Interpolation.AREA,
            src_colorspace=source,
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            threads=2,
        )

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
