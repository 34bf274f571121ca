"""Writes GIFs and animated WebPs from small pictures that are kept in the spool, so that several tries decode once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.outputs.pacing import Paced, in_ticks
from cutback.cutting.outputs.spool_file import SpoolFile
from cutback.cutting.spool import Spool

Dither: TypeAlias = Literal["diffusion", "pattern"]
"""`diffusion` (Sierra 2-4A) looks best; `pattern` (ordered) stays still where the picture does, and is smaller."""

_DITHERS = {"diffusion": {"dither": "sierra2_4a"}, "pattern": {"dither": "bayer", "bayer_scale": "3"}}

_BT601, _LIMITED = Colorspace.ITU601, ColorRange.MPEG
"""The colours of WebP's lossy pictures (RFC 9649, 2.5)."""

GIF_TICKS, WEBP_TICKS = 100, 1000
"""Ticks per second of the two kinds."""


@dataclass(frozen=True, slots=True)
class AnimationFrames:
    """The frames of an animation, in the spool as raw RGB, from left to right and from top to bottom."""

    width: int
    height: int
    offsets: tuple[int, ...]
    paced: tuple[Paced, ...]
    """When each begins."""
    end: Fraction
    """When the last one ends, in seconds."""

    def read(self, spool: Spool, size: tuple[int, int], alive: Callable[[], None]) -> Iterator[av.VideoFrame]:
        """Yield them in a size; call `alive` before each."""
        for offset in self.offsets:
            alive()
            frame = _rgb(self.width, self.height, spool.read_at(offset, 3 * self.width * self.height))
            if size != (self.width, self.height):
                frame = frame.reformat(*size, interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND)
            yield frame

    def slower(self, chosen: Sequence[Paced]) -> AnimationFrames:
        """The animation with some of its frames; `chosen` refers to their numbers here."""
        offsets = tuple(self.offsets[each.frame] for each in chosen)
        return AnimationFrames(self.width, self.height, offsets, tuple(chosen), self.end)


def kept(frame: av.VideoFrame, spool: Spool) -> int:
    """Append a picture in `rgb24` to the spool, without padding; return where it begins."""
    [plane] = frame.planes
    rows = memoryview(plane)
    used = 3 * frame.width
    if plane.line_size == used:
        return spool.append(bytes(rows[: used * frame.height]))
    lines = (rows[row * plane.line_size : row * plane.line_size + used] for row in range(frame.height))
    return spool.append(b"".join(lines))


def write_gif(
    frames: AnimationFrames,
    spool: Spool,
    *,
    size: tuple[int, int],
    colours: int,
    dither: Dither,
    loop: int,
    alive: Callable[[], None],
) -> Extent:
    """Write a GIF whose palette fits all of it. `loop` is how often it is shown; 0: for ever.

    `alive` is called for each frame, when the palette is made and when the frame is written.

    Raises:
        CutbackError: it cannot be encoded.
    """
    begins, lasts = in_ticks(frames.paced, frames.end, GIF_TICKS)
    times = {"loop": str(_repeats(loop)), "final_delay": str(min(lasts[-1], 65_535))}
    try:
        palette = _palette(frames.read(spool, size, alive), size, colours)
        file = SpoolFile(spool)
        with av.open(file, "w", format="gif", container_options=times) as container:
            stream = container.add_stream("gif", Fraction(GIF_TICKS))
            _describe(stream, size, "pal8", GIF_TICKS)
            drawn = _with_palette(frames.read(spool, size, alive), size, palette, dither)
            for frame, at in zip(drawn, begins, strict=True):
                frame.pts, frame.time_base = at, Fraction(1, GIF_TICKS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise media_error("Its pictures cannot be written as GIF", error) from error
    return file.extent


def write_webp(
    frames: AnimationFrames,
    spool: Spool,
    *,
    size: tuple[int, int],
    quality: int,
    loop: int,
    alive: Callable[[], None],
) -> Extent:
    """Write an animated WebP. `quality` is from 0 to 100; `loop` is how often it is shown; 0: for ever.

    `alive` is called for each frame.

    Raises:
        CutbackError: it cannot be encoded.
    """
    begins, lasts = in_ticks(frames.paced, frames.end, WEBP_TICKS)
    try:
        file = SpoolFile(spool)
        with av.open(file, "w", format="webp", container_options={"loop": str(loop)}) as container:
            stream = container.add_stream("libwebp", Fraction(WEBP_TICKS), options={"quality": str(quality)})
            _describe(stream, size, "yuv420p", WEBP_TICKS)
            for frame, at, lasting in zip(frames.read(spool, size, alive), begins, lasts, strict=True):
                shown = frame.reformat(format="yuv420p", dst_colorspace=_BT601, dst_color_range=_LIMITED)
                shown.pts, shown.time_base = at, Fraction(1, WEBP_TICKS)
                for packet in stream.encode(shown):
                    packet.duration = lasting
                    container.mux(packet)
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise media_error("Its pictures cannot be written as WebP", error) from error
    return file.extent


def _repeats(loop: int) -> int:
    """How FFmpeg's writer of GIFs names it: what is shown once has no loop, -1; otherwise, how often again."""
    return -1 if loop == 1 else max(0, loop - 1)


def _describe(stream: VideoStream, size: tuple[int, int], pixels: str, ticks: int) -> None:
    stream.width, stream.height = size
    stream.pix_fmt = pixels
    stream.codec_context.time_base = Fraction(1, ticks)
    stream.codec_context.thread_count = 1


def _rgb(width: int, height: int, data: bytes) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "rgb24")
    [plane] = frame.planes
    used = 3 * width
    padding = bytes(plane.line_size - used)
    plane.update(b"".join(data[row * used : (row + 1) * used] + padding for row in range(height)))
    return frame


def _palette(frames: Iterator[av.VideoFrame], size: tuple[int, int], colours: int) -> av.VideoFrame:
    graph = Graph()
    source, sink = _input(graph, size, "rgb24"), graph.add("buffersink")
    # One colour stays free for what does not change from one frame to the next.
    graph.link_nodes(source, graph.add("palettegen", max_colors=str(colours), reserve_transparent="1"), sink)
    graph.configure()
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, Fraction(1, GIF_TICKS)
        source.push(frame)
    source.push(None)
    made = sink.pull()
    assert isinstance(made, av.VideoFrame)
    return made


def _with_palette(
    frames: Iterator[av.VideoFrame], size: tuple[int, int], palette: av.VideoFrame, dither: Dither
) -> Iterator[av.VideoFrame]:
    graph = Graph()
    source, colours = _input(graph, size, "rgb24"), _input(graph, (16, 16), palette.format.name)
    use, sink = graph.add("paletteuse", **_DITHERS[dither]), graph.add("buffersink")
    source.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    palette.pts, palette.time_base = 0, Fraction(1, GIF_TICKS)
    colours.push(palette)
    colours.push(None)
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, Fraction(1, GIF_TICKS)
        source.push(frame)
        yield from _ready(sink)
    source.push(None)
    yield from _ready(sink)


def _ready(sink: FilterContext) -> Iterator[av.VideoFrame]:
    with suppress(av.error.BlockingIOError, av.error.EOFError):
        while True:
            made = sink.pull()
            assert isinstance(made, av.VideoFrame)
            yield made


def _input(graph: Graph, size: tuple[int, int], pixels: str) -> FilterContext:
    width, height = size
    return graph.add(
        "buffer",
        width=str(width),
        height=str(height),
        pix_fmt=pixels,
        time_base=f"1/{GIF_TICKS}",
        pixel_aspect="1/1",
    )
