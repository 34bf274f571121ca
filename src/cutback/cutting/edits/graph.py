"""Graphs of FFmpeg's filters, built from names in this package and from numbers.

No text of a request ever reaches a graph: `Filter` takes only numbers and names that are constants here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

import av

from cutback.cutting.ffmpeg_errors import media_error

FilterName: TypeAlias = Literal[
    "aformat", "afade", "atempo", "ebur128", "volume",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter and its options, which are numbers."""

    name: FilterName
    options: Mapping[str, float] = field(default_factory=dict)

    def texts(self) -> dict[str, str]:
        """Its options as FFmpeg reads them."""
        return {name: str(value) if isinstance(value, int) else f"{value:.9f}" for name, value in self.options.items()}


def sound_through(
    blocks: Iterator[av.AudioFrame], rate: int, layout: str, filters: Sequence[Filter]
) -> Iterator[av.AudioFrame]:
    """Yield what filters make of planar floats; their times are counted from 0.

    Raises:
        CutbackError: a filter fails.
    """
    try:
        graph = av.filter.Graph()
        source = graph.add(
            "abuffer", sample_rate=str(rate), sample_fmt="fltp", channel_layout=layout, time_base=f"1/{rate}"
        )
        nodes = [source, *(graph.add(each.name, **each.texts()) for each in filters), graph.add("abuffersink")]
        graph.link_nodes(*nodes).configure()
        position = 0
        for block in blocks:
            block.pts, block.time_base = position, Fraction(1, rate)
            position += block.samples
            nodes[0].push(block)
            yield from _pulled(nodes[-1])
        nodes[0].push(None)
        yield from _pulled(nodes[-1])
    except av.FFmpegError as error:
        raise media_error("Its sound cannot be edited", error) from error


def _pulled(sink: av.filter.context.FilterContext) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame
