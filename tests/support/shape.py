"""The metadata of a recording's pixels that must be copied: rotation, aspect ratio and colours."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.sidedata.sidedata import SideData


@dataclass(frozen=True, slots=True)
class Shape:
    """As a player learns it from a file's first video track."""

    size: tuple[int, int]
    aspect: Fraction
    """Width of a pixel by its height."""
    rotation: int
    """Degrees counter-clockwise."""
    colours: tuple[int, int, int]
    """Primaries, transfer and matrix, by their numbers in ITU-T H.273; 2 is unspecified."""
    full_range: bool
    light: tuple[tuple[str, str], ...]
    """HDR side data at the first frame: kind and content."""


LIGHT = frozenset({"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"})


def shape_of(source: Path | bytes) -> Shape:
    """Decode the first frame of a file."""
    with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r") as container:
        frame = next(container.decode(video=0))
        side_data = cast("Iterable[SideData]", frame.side_data)  # its stub takes it for a mapping alone
        context = container.streams.video[0].codec_context
        return Shape(
            (frame.width, frame.height),
            context.sample_aspect_ratio or Fraction(1),
            frame.rotation,
            (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)),
            int(frame.color_range) == 2,
            tuple(sorted((d.type.name, bytes(d).hex()) for d in side_data if d.type.name in LIGHT)),
        )
