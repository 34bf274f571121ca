"""Puts drawn pictures onto decoded ones, whatever their rotation, shape of pixels and depth."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from cutback.cutting.edits.graph import GraphsInUse, MixGraph, OverlayGraph
from cutback.cutting.turns import Turn, sideways

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class Orientation:
    """How players show the pictures of a track."""

    turns: tuple[Turn, ...] = ()
    aspect: Fraction = Fraction(1)
    """Width of a pixel divided by its height."""

    def size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Return the size in which a picture is shown."""
        width, height = frame.width, frame.height
        if self.aspect > 1:
            width = round(width * self.aspect)
        elif self.aspect < 1:
            height = round(height / self.aspect)
        return (height, width) if sideways(self.turns) else (width, height)

    def coded(
        self, left: Fraction, top: Fraction, right: Fraction, bottom: Fraction, frame: av.VideoFrame
    ) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """Return where a rectangle of the shown picture is in the coded one: its left, top, right and bottom."""
        width, height = self.size(frame)
        for name, how in reversed(self.turns):
            left, top, right, bottom = _before(name, how, (left, top, right, bottom), (width, height))
            if name == "transpose":
                width, height = height, width
        across, down = Fraction(frame.width, width), Fraction(frame.height, height)
        return left * across, top * down, right * across, bottom * down


def _before(
    name: str, how: str | None, box: tuple[Fraction, Fraction, Fraction, Fraction], size: tuple[int, int]
) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Return a rectangle as it was before a turn, given the size after it."""
    left, top, right, bottom = box
    width, height = size
    if name == "hflip" or how in {"1", "3"}:
        left, right = width - right, width - left
    if name == "vflip" or how in {"2", "3"}:
        top, bottom = height - bottom, height - top
    return (top, left, bottom, right) if name == "transpose" else (left, top, right, bottom)


class Overlays:
    """Puts images onto pictures; an image that stays is drawn and converted once."""

    def __init__(self) -> None:
        self._graphs: dict[Hashable, tuple[Hashable, OverlayGraph | None]] = {}
        self._mixing = GraphsInUse()

    def put(
        self,
        frame: av.VideoFrame,
        name: Hashable,
        content: Hashable,
        draw: Callable[[int, int], Image.Image],
        view: Orientation,
        opacity: Fraction = Fraction(1),
    ) -> av.VideoFrame:
        """Return a picture with an image on it. `draw` makes the image in a size; it is called if `content` changes."""
        if opacity <= 0:
            return frame
        key = content, view, frame.width, frame.height, frame.format.name, int(frame.colorspace), int(frame.color_range)
        known = self._graphs.get(name)
        if known is None or known[0] != key:
            known = key, _graph(frame, draw(*view.size(frame)), view)
            self._graphs[name] = known
        if known[1] is None:
            return frame
        painted = known[1].apply(frame)
        if opacity >= 1:
            return painted
        return self._mixing.graph(name, frame, lambda: MixGraph(frame)).apply(painted, frame, opacity)


def _graph(frame: av.VideoFrame, image: Image.Image, view: Orientation) -> OverlayGraph | None:
    from cutback.cutting.edits.overlay_image import as_coded, frame_of

    image = as_coded(image, view.turns, (frame.width, frame.height))
    box = image.getbbox()
    if box is None:
        return None
    # On even pixels, with a colour for every two.
    left, top = box[0] // 2 * 2, box[1] // 2 * 2
    right, bottom = min(-(-box[2] // 2) * 2, image.width), min(-(-box[3] // 2) * 2, image.height)
    return OverlayGraph(frame, frame_of(image.crop((left, top, right, bottom)), frame), left, top)
