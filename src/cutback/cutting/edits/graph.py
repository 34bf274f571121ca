"""Graphs of FFmpeg's filters, built from names in this package and from numbers.

No text of a request ever reaches a graph: `Filter` takes only numbers and names that are constants here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias, TypeVar, get_args

import av

from cutback.cutting.ffmpeg_errors import media_error
from cutback.domain.errors import MediaUnsupportedError

FilterName: TypeAlias = Literal[
    "afade", "aresample", "asetrate", "atempo", "ebur128", "volume",
    "atadenoise", "blend", "bwdif", "convolution", "copy", "crop", "field", "gblur", "hflip", "lutyuv", "minterpolate",
    "overlay", "pad", "pixelize", "scale", "transpose", "vflip",
]  # fmt: skip
_HD = 720
"""Pictures with at least this many rows and unspecified colours use the colours of HD television."""

_UNSPECIFIED, _BT709, _SMPTE170M = 2, 1, 6
"""Matrix coefficients in ITU-T H.273."""

FILTER_NAMES: Mapping[str, FilterName] = {name: name for name in get_args(FilterName)}


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Affine:
    """What a pixel's value becomes: a multiple of it and a constant, within limits."""

    factor: float
    constant: float
    low: int
    high: int

    @property
    def text(self) -> str:
        """As FFmpeg reads it."""
        return f"clip(val*{self.factor:.9f}+{self.constant:.9f}+0.5,{self.low},{self.high})"


Value: TypeAlias = float | Affine | tuple[int, ...]
"""What options of filters may be."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter and its options, which are numbers."""

    name: FilterName
    options: Mapping[str, Value] = field(default_factory=dict)

    def texts(self) -> dict[str, str]:
        """Its options as FFmpeg reads them."""
        return {name: text_of(value) for name, value in self.options.items()}


def text_of(value: Value) -> str:
    """Return an option's value as FFmpeg reads it."""
    match value:
        case tuple():
            return " ".join(map(str, value))
        case Affine():
            return value.text
        case int():
            return str(value)
    return f"{value:.9f}"


def sound_through(
    blocks: Iterator[av.AudioFrame], rate: int, layout: str, filters: Sequence[Filter], *, to: str = ""
) -> Iterator[av.AudioFrame]:
    """Yield what filters make of planar floats, in the layout `to` if there is one; their times are counted from 0.

    Channels that are mixed are never louder than full scale.

    Raises:
        CutbackError: a filter fails.
    """
    try:
        graph = av.filter.Graph()
        source = graph.add(
            "abuffer", sample_rate=str(rate), sample_fmt="fltp", channel_layout=layout, time_base=f"1/{rate}"
        )
        alike = graph.add("aformat", sample_fmts="fltp", sample_rates=str(rate), channel_layouts=to or layout)
        mixing = [graph.add("aresample", rematrix_maxval="1", out_chlayout=to)] if to else []
        nodes = [
            source,
            *(graph.add(each.name, **each.texts()) for each in filters),
            *mixing,
            alike,
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        position = 0
        for block in blocks:
            block.pts, block.time_base = position, Fraction(1, rate)
            position += block.samples
            nodes[0].push(block)
            yield from _heard(nodes[-1])
        nodes[0].push(None)
        yield from _heard(nodes[-1])
    except av.FFmpegError as error:
        raise media_error("Its sound cannot be edited", error) from error


class PictureGraph:
    """Filters for pictures of one size and format; each picture gives one."""

    def __init__(self, like: av.VideoFrame, filters: Sequence[Filter]) -> None:
        """Build the graph.

        Raises:
            CutbackError: a filter refuses its options.
        """
        self._like = _kind_of(like)
        if any(each.name == "vflip" for each in filters):
            # It only makes rows go backwards in memory, where writing to them would destroy what is before.
            filters = [*filters, Filter("copy")]
        try:
            graph = av.filter.Graph()
            self._source = _buffer(graph, like)
            self._sink = graph.add("buffersink")
            self._filters = [graph.add(each.name, **each.texts()) for each in filters]
            graph.link_nodes(self._source, *self._filters, self._sink).configure()
        except (av.FFmpegError, ValueError) as error:
            raise MediaUnsupportedError("Its pictures cannot be edited.") from error
        self._graph, self._count = graph, 0

    def takes(self, frame: av.VideoFrame) -> bool:
        """Whether a picture has the size and format that this graph was built for."""
        return self._like == _kind_of(frame)

    def change(self, number: int, option: str, value: Value) -> None:
        """Change an option of one of the filters, for the pictures to come.

        Raises:
            CutbackError: the filter refuses it.
        """
        try:
            self._filters[number].process_command(option, text_of(value))
        except av.FFmpegError as error:
            raise media_error("Its pictures cannot be edited", error) from error

    def apply(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the changed picture, with the same time.

        Raises:
            CutbackError: a filter fails.
        """
        pts = frame.pts
        try:
            frame.time_base = _TICK
            self._source.push(frame)
            made = self._sink.pull()
        except av.FFmpegError as error:
            raise media_error("Its pictures cannot be edited", error) from error
        assert isinstance(made, av.VideoFrame)
        made.pts = pts
        return made


def through(frames: Iterator[av.VideoFrame], filters: Sequence[Filter]) -> Iterator[av.VideoFrame]:
    """Yield what filters make of pictures that they compare with each other: as many, of the same kinds, in order.

    Pictures of another size or format begin anew.

    Raises:
        CutbackError: a filter fails.
    """
    graph: _Sequence | None = None
    for frame in frames:
        if graph is None or not graph.takes(frame):
            if graph is not None:
                yield from graph.flush()
            graph = _Sequence(frame, filters)
        yield from graph.push(frame)
    if graph is not None:
        yield from graph.flush()


def deinterlacing(*, fields: bool) -> Filter:
    """Return the filter that makes pictures of the first fields of interlaced frames, or of both."""
    return Filter("bwdif", {"mode": int(fields), "parity": -1, "deint": 1})  # -1: the order that the frame says


def of_fields(frames: Iterator[av.VideoFrame]) -> Iterator[tuple[int, bool, av.VideoFrame]]:
    """Yield pictures of both fields of frames: the number of the frame, whether it is its second field, the picture.

    A frame that is not interlaced yields itself once, as its first field.

    Raises:
        CutbackError: the filter fails.
    """
    graph: _Sequence | None = None
    base = 0
    for count, frame in enumerate(frames):
        if graph is None or not graph.takes(frame):
            if graph is not None:
                yield from _numbered_fields(graph.flush(), base)
            graph, base = _Sequence(frame, [deinterlacing(fields=True)]), count
        yield from _numbered_fields(graph.push(frame), base)
    if graph is not None:
        yield from _numbered_fields(graph.flush(), base)


def _numbered_fields(made: Iterator[av.VideoFrame], base: int) -> Iterator[tuple[int, bool, av.VideoFrame]]:
    for picture in made:
        assert picture.pts is not None
        assert picture.time_base is not None
        number, second = divmod(round(picture.pts * picture.time_base / _TICK * 2), 2)
        yield base + number, bool(second), picture


class _Sequence(PictureGraph):
    """Filters that give pictures later than they take them."""

    def push(self, frame: av.VideoFrame | None, ticks: int | None = None) -> Iterator[av.VideoFrame]:
        """Take a picture, and yield those that are ready; None ends. `ticks` is its time, if that counts."""
        try:
            if frame is not None:
                frame.pts, frame.time_base = self._count if ticks is None else ticks, _TICK
                self._count += 1
            self._source.push(frame)
            for made in _pulled(self._sink):
                assert isinstance(made, av.VideoFrame)
                yield made
        except av.FFmpegError as error:
            raise media_error("Its pictures cannot be edited", error) from error

    def flush(self) -> Iterator[av.VideoFrame]:
        """Yield the remaining pictures."""
        yield from self.push(None)


def interpolated(frames: Iterator[tuple[av.VideoFrame, float]], rate: float) -> Iterator[av.VideoFrame]:
    """Yield pictures at a constant rate, computed by motion; `frames` have their times, in seconds from zero.

    Raises:
        CutbackError: the filter fails.
    """
    graph: _Sequence | None = None
    for frame, at in frames:
        if graph is None:
            graph = _Sequence(frame, [Filter("minterpolate", {"fps": rate})])
        yield from graph.push(frame, round(at / _TICK))
    if graph is not None:
        yield from graph.flush()


class OverlayGraph:
    """Puts one image with transparency onto pictures of one size and format."""

    def __init__(self, like: av.VideoFrame, image: av.VideoFrame, x: int, y: int) -> None:
        """`x` and `y` are even. Raises like `PictureGraph`."""
        deep = int(like.format.components[0].bits > 8)  # 0: 4:2:0 with 8 bits, 1: with 10
        placed = Filter("overlay", {"x": x, "y": y, "format": deep})
        try:
            graph = av.filter.Graph()
            self._inputs = [_buffer(graph, like), _buffer(graph, image)]
            self._sink = graph.add("buffersink")
            overlay = graph.add(placed.name, **placed.texts())
            for number, source in enumerate(self._inputs):
                source.link_to(overlay, 0, number)
            overlay.link_to(self._sink)
            graph.configure()
        except (av.FFmpegError, ValueError) as error:
            raise MediaUnsupportedError("Its pictures cannot be edited.") from error
        self._graph, self._image, self._count = graph, image, 0

    def apply(self, frame: av.VideoFrame, image: av.VideoFrame | None = None) -> av.VideoFrame:
        """Return the picture with the image on it, or with another one of its kind, with the same time.

        Raises:
            CutbackError: the filter fails.
        """
        pts = frame.pts
        try:
            for source, each in zip(self._inputs, (frame, image or self._image), strict=True):
                each.pts, each.time_base = self._count, _TICK
                source.push(each)
            self._count += 1
            made = self._sink.pull()
        except av.FFmpegError as error:
            raise media_error("Its pictures cannot be edited", error) from error
        assert isinstance(made, av.VideoFrame)
        frame.pts = made.pts = pts
        return made


class MixGraph:
    """Mixes two pictures of one size and format."""

    def __init__(self, like: av.VideoFrame) -> None:
        """Build the graph. Raises like `PictureGraph`."""
        mixing = Filter("blend", {"all_mode": 0, "all_opacity": 0})  # 0: normal
        try:
            graph = av.filter.Graph()
            self._inputs = [_buffer(graph, like), _buffer(graph, like)]
            self._sink = graph.add("buffersink")
            self._blend = graph.add(mixing.name, **mixing.texts())
            for number, source in enumerate(self._inputs):
                source.link_to(self._blend, 0, number)
            self._blend.link_to(self._sink)
            graph.configure()
        except (av.FFmpegError, ValueError) as error:
            raise MediaUnsupportedError("Its pictures cannot be edited.") from error
        self._graph, self._count = graph, 0

    def apply(self, above: av.VideoFrame, below: av.VideoFrame, weight: Fraction) -> av.VideoFrame:
        """Return `weight` of one picture, from 0 to below 1, and the rest of another one, with the first one's time.

        Raises:
            CutbackError: the filter fails.
        """
        pts = above.pts
        try:
            self._blend.process_command("all_opacity", f"{float(weight):.9f}")
            for source, each in zip(self._inputs, (above, below), strict=True):
                each.pts, each.time_base = self._count, _TICK
                source.push(each)
            self._count += 1
            made = self._sink.pull()
        except av.FFmpegError as error:
            raise media_error("Its pictures cannot be edited", error) from error
        assert isinstance(made, av.VideoFrame)
        above.pts = made.pts = pts
        return made


class GraphsInUse:
    """The graphs of a clip: each serves until the kind of its pictures changes."""

    def __init__(self) -> None:
        self._graphs: dict[Hashable, tuple[Hashable, Any]] = {}

    def graph(self, name: Hashable, like: av.VideoFrame, make: Callable[[], T]) -> T:
        """Return the graph of this name for pictures such as `like`; `make` builds it when it is needed."""
        kind = _kind_of(like)
        known = self._graphs.get(name)
        if known is None or known[0] != kind:
            known = self._graphs[name] = kind, make()
        found: T = known[1]
        return found


_TICK = Fraction(1, 90_000)


def _buffer(graph: av.filter.Graph, like: av.VideoFrame) -> av.filter.context.FilterContext:
    """The input of a graph; `Graph.add_buffer` tells neither colours nor range."""
    return graph.add(
        "buffer",
        width=str(like.width),
        height=str(like.height),
        pix_fmt=like.format.name,
        time_base="1/90000",
        pixel_aspect="1/1",
        colorspace=str(int(like.colorspace)),
        range=str(int(like.color_range)),
    )


def _kind_of(frame: av.VideoFrame) -> tuple[int, int, str, int, int]:
    return frame.width, frame.height, frame.format.name, int(frame.colorspace), int(frame.color_range)


def _pulled(sink: av.filter.context.FilterContext) -> Iterator[av.VideoFrame | av.AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, av.VideoFrame | av.AudioFrame)
        yield frame


def _heard(sink: av.filter.context.FilterContext) -> Iterator[av.AudioFrame]:
    for frame in _pulled(sink):
        assert isinstance(frame, av.AudioFrame)
        yield frame


def with_named_colours(before: av.VideoFrame, after: av.VideoFrame) -> av.VideoFrame:
    """Name the colours of a picture that had none: what players assume depends on its size, which has changed."""
    if int(before.colorspace) == _UNSPECIFIED and (before.height >= _HD) != (after.height >= _HD):
        after.colorspace = _BT709 if before.height >= _HD else _SMPTE170M
    return after
