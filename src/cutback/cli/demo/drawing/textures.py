"""Textures drawn once before the first frame: water, foam and cloud, out of seeded noise."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageStat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

BICUBIC = Image.Resampling.BICUBIC


def smooth(low: float, high: float, value: float) -> float:
    """Return 0 below `low`, 1 above `high` and an S-shaped ramp between (also if high < low)."""
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return share * share * (3 - 2 * share)


def level(image: Image.Image, spread: float, middle: float = 128.0) -> Image.Image:
    """Return `image` with its mean at `middle` and a standard deviation of `spread` levels."""
    stat = ImageStat.Stat(image)
    gain = spread / max(1e-6, stat.stddev[0])
    mean = stat.mean[0]
    return image.point([min(255, max(0, round(middle + (i - mean) * gain))) for i in range(256)])


def noise(
    rng: Random,
    size: tuple[int, int],
    cell: tuple[float, float],
    octaves: int = 3,
    spread: float = 40.0,
    rough: float = 0.5,
) -> Image.Image:
    """Return smooth noise: features of `cell` pixels, and finer ones `rough` times as strong.

    Its left edge continues its right one, and its top its bottom: it may be tiled.
    """
    width, height = size
    total: Image.Image | None = None
    for octave in range(octaves):
        across = max(2, round(width * 2**octave / cell[0]))
        down = max(2, round(height * 2**octave / cell[1]))
        small = Image.frombytes("L", (across, down), rng.randbytes(across * down))
        # Two cells of the other side on each side, for the interpolation to reach.
        around = tiled(small, (across * 3, down * 3))
        around = around.crop((across - 2, down - 2, 2 * across + 2, 2 * down + 2))
        layer = around.resize(size, BICUBIC, box=(2, 2, across + 2, down + 2))
        share = rough**octave / sum(rough**n for n in range(octave + 1))
        total = layer if total is None else Image.blend(total, layer, share)
    if total is None:
        raise ValueError("noise needs at least one octave")
    return level(total, spread)


def tiled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return `image` repeated over `size` pixels."""
    result = Image.new(image.mode, size)
    for left in range(0, size[0], image.width):
        for top in range(0, size[1], image.height):
            result.paste(image, (left, top))
    return result


def cut(image: Image.Image, left: int, size: tuple[int, int]) -> Image.Image:
    """Return `size[0]` columns of `image` from `left` on, squeezed to `size[1]` rows."""
    box = (left, 0, left + size[0], image.height)
    return image.resize(size, Image.Resampling.NEAREST, box)


def ridges(image: Image.Image, spread: float) -> Image.Image:
    """Return noise folded at its middle, which turns soft blobs into thin bright crests."""
    return level(image.point([255 - min(255, abs(2 * i - 255) * 2) for i in range(256)]), spread)


def signed(image: Image.Image) -> Image.Image:
    """Return `image` less 128, modulo 256: what `ImageChops.add_modulo` adds without clipping.

    Nothing else in Pillow adds two images as fast; the sums must stay within 0..255.
    """
    return image.point([(i - 128) % 256 for i in range(256)])


def columns(width: int, values: Sequence[int]) -> Image.Image:
    """Return an image `width` pixels wide whose rows have the grey levels `values`."""
    return Image.frombytes("L", (1, len(values)), bytes(values)).resize((width, len(values)), Image.Resampling.NEAREST)


def field(size: tuple[int, int], step: tuple[int, int], value: Callable[[float, float], float]) -> Image.Image:
    """Return an image of `value(x, y)` (0..255, clipped), computed every `step` pixels."""
    width, height = size
    across, down = math.ceil(width / step[0]), math.ceil(height / step[1])
    places = [(x + 0.5) * step[0] for x in range(across)]
    data = bytearray()
    for row in range(down):
        y = (row + 0.5) * step[1]
        data += bytes(min(255, max(0, round(value(x, y)))) for x in places)
    return Image.frombytes("L", (across, down), bytes(data)).resize(size, BICUBIC)


def ripples(rng: Random, size: tuple[int, int], scale: float) -> Image.Image:
    """Return the water's small waves in perspective, row 0 at the horizon, as signed levels.

    Features grow towards the viewer: layers of ever larger ones fade into each other.
    """
    width, height = size
    total = Image.new("L", size, 128)
    bounds = (0.0, 0.03, 0.09, 0.2, 0.38, 0.62, 1.0)
    for near, far in pairwise(bounds):
        # Rows above `top` are another layer's; those below `far` will be the next one's.
        top, bottom = round(near * 0.55 * height), min(height, round(far * height) + 2)
        band = (width, bottom - top)
        depth = (near + far) / 2 * 480 * scale
        cell = (max(10.0, 0.3 * depth + 12 * scale), max(2.4, 0.05 * depth + 1.6 * scale))
        soft = noise(rng, band, cell, 3, 30, 0.7)
        sharp = ridges(noise(rng, band, (cell[0] * 1.4, cell[1] * 1.4), 3, 42, 0.62), 30)
        layer = level(Image.blend(soft, sharp, 0.6), 4 + 7 * far)
        ramp = [round(255 * smooth(top, near * height + 1, top + y + 1)) for y in range(band[1])]
        total.paste(layer, (0, top), columns(width, ramp))
    return signed(total)


def foam(rng: Random, size: tuple[int, int], scale: float) -> tuple[Image.Image, Image.Image]:
    """Return tumbling white water as a pair: its density (0..63) and its relief (signed).

    The relief is the density less itself a little lower down: lit from above, dark beneath.
    """
    rolls = noise(rng, size, (74 * scale, 44 * scale), 5, 40, 0.58)
    billows = rolls.point([255 - min(255, round(abs(i - 128) * 2.1)) for i in range(256)])
    density = level(Image.blend(rolls, billows, 0.68), 42)
    relief = Image.new("L", size, 128)
    for drop, spread in ((14, 17), (4, 9)):
        lower = ImageChops.offset(density, -round(drop * scale / 2), -max(1, round(drop * scale)))
        edge = level(ImageChops.subtract(density, lower, 1, 128), spread)
        relief = ImageChops.add(relief, edge, 1, -128)
    calm = relief.point([round(128 + 36 * math.tanh((i - 128) / 40)) for i in range(256)])
    return density.point([i // 4 for i in range(256)]), signed(calm)
