"""Converts pictures from HDR to SDR, and from SDR to HDR."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from cutback.cutting.codecs.colours import BT709, BT2020_NC, matrix_of, range_of, shows_hdr
from cutback.cutting.codecs.hdr import HdrMetadata, hdr_of
from cutback.cutting.codecs.tone_map import SIDE, peak_within, to_hdr_table, to_sdr_table
from cutback.cutting.ffmpeg_errors import media_error
from cutback.domain.errors import MediaUnsupportedError

_TICK = Fraction(1, 90_000)
_PLANAR_RGB = "gbrp10le"

_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020nc"}
"""What FFmpeg calls them; BT.2020's with constant luminance is taken for the other one, which is the usual one."""


class ToSdr:
    """Converts HDR to SDR: 8 bits, 4:2:0, BT.709, limited range. Pictures that are SDR stay as they are."""

    def __init__(self, peak: float | None = None) -> None:
        """`peak` is the brightest light, in nits; None: what the first picture says."""
        self._peak = peak
        self._converter: _Converter | None = None

    def apply(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture as SDR, with the same time.

        Raises:
            CutbackError: a filter fails.
        """
        if not shows_hdr(frame):
            return frame
        if self._peak is None:
            self._peak = peak_of(hdr_of(frame))
        if self._converter is None or not self._converter.takes(frame):
            table = to_sdr_table(int(frame.color_trc), self._peak)
            self._converter = _Converter(frame, table, "yuv420p", BT709)
        made = self._converter.apply(frame)
        made.color_primaries, made.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return made


class ToHdr:
    """Converts SDR to HDR: 10 bits, 4:2:0, BT.2020, limited range. Pictures that are HDR stay as they are."""

    def __init__(self, transfer: int) -> None:
        """`transfer` is that of PQ or HLG."""
        self._transfer = transfer
        self._converter: _Converter | None = None

    def apply(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture as HDR, with the same time.

        Raises:
            CutbackError: a filter fails.
        """
        if shows_hdr(frame):
            return frame
        if self._converter is None or not self._converter.takes(frame):
            self._converter = _Converter(frame, to_hdr_table(self._transfer), "yuv420p10le", BT2020_NC)
        made = self._converter.apply(frame)
        made.color_primaries, made.color_trc = ColorPrimaries.BT2020, ColorTrc(self._transfer)
        return made


def peak_of(told: HdrMetadata) -> float:
    """Return the brightest light of pictures with this metadata, in nits."""
    mastered = struct.unpack(">8HII", told.mastering)[8] / 10_000 if told.mastering else 0.0
    brightest = float(struct.unpack(">HH", told.levels)[0]) if told.levels else 0.0
    return peak_within(mastered, brightest)


class _Converter:
    """Looks colours up in a table, for pictures of one kind."""

    def __init__(self, like: av.VideoFrame, table: tuple[bytes, bytes, bytes], made: str, matrix: int) -> None:
        """`made` is the pixel format of the result, `matrix` its matrix.

        Raises:
            MediaUnsupportedError: there is no way from the picture's format.
        """
        self._like, self._matrix, self._count = _kind_of(like), matrix, 0
        try:
            graph = av.filter.Graph()
            self._source = _buffer(
                graph, like.width, like.height, like.format.name, _matrix_of(like), int(range_of(like))
            )
            colours = _buffer(graph, SIDE, SIDE, _PLANAR_RGB, 0, ColorRange.JPEG)
            as_rgb = graph.add("scale", in_color_matrix=_MATRICES[_matrix_of(like)])
            rgb = graph.add("format", pix_fmts=_PLANAR_RGB)
            look_up = graph.add("haldclut", clut="first", interp="tetrahedral")
            as_yuv = graph.add("scale", out_color_matrix=_MATRICES[matrix], out_range="tv")
            yuv = graph.add("format", pix_fmts=made)
            self._sink = graph.add("buffersink")
            for before, after in ((self._source, as_rgb), (as_rgb, rgb), (rgb, look_up)):
                before.link_to(after)
            colours.link_to(look_up, 0, 1)
            for before, after in ((look_up, as_yuv), (as_yuv, yuv), (yuv, self._sink)):
                before.link_to(after)
            graph.configure()
            colours.push(_picture_of(table))
            colours.push(None)
        except (av.FFmpegError, ValueError) as error:
            raise MediaUnsupportedError("The dynamic range of its pictures cannot be converted.") from error
        self._graph = graph

    def takes(self, frame: av.VideoFrame) -> bool:
        """Whether a picture is of that kind."""
        return self._like == _kind_of(frame)

    def apply(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture in the other range; its primaries and transfer are not tagged yet."""
        pts = frame.pts
        try:
            frame.pts, frame.time_base = self._count, _TICK
            self._count += 1
            self._source.push(frame)
            made = self._sink.pull()
        except av.FFmpegError as error:
            raise media_error("The dynamic range of its pictures cannot be converted", error) from error
        assert isinstance(made, av.VideoFrame)
        frame.pts = made.pts = pts
        made.colorspace, made.color_range = self._matrix, ColorRange.MPEG
        return made


def _picture_of(table: tuple[bytes, bytes, bytes]) -> av.VideoFrame:
    picture = av.VideoFrame(SIDE, SIDE, _PLANAR_RGB)  # PyAV's planes are red, green and blue; FFmpeg's begin with green
    for plane, values in zip(picture.planes, table, strict=True):
        row = 2 * SIDE
        padding = bytes(plane.line_size - row)
        plane.update(b"".join(values[at : at + row] + padding for at in range(0, len(values), row)))
    picture.pts, picture.time_base = 0, _TICK
    return picture


def _buffer(
    graph: av.filter.Graph, width: int, height: int, pixels: str, matrix: int, color_range: int
) -> av.filter.context.FilterContext:
    return graph.add(
        "buffer",
        width=str(width),
        height=str(height),
        pix_fmt=pixels,
        time_base="1/90000",
        pixel_aspect="1/1",
        colorspace=str(matrix),
        range=str(color_range),
    )


def _matrix_of(frame: av.VideoFrame) -> int:
    matrix = matrix_of(frame)
    return matrix if matrix in _MATRICES else BT2020_NC if shows_hdr(frame) else BT709


def _kind_of(frame: av.VideoFrame) -> tuple[int, int, str, int, int, int]:
    return frame.width, frame.height, frame.format.name, _matrix_of(frame), int(range_of(frame)), int(frame.color_trc)
