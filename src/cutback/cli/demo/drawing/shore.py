"""The sand, the water running up it, and somebody watching."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageChops

from cutback.cli.demo.drawing.canvas import Canvas
from cutback.cli.demo.drawing.figures import watcher
from cutback.cli.demo.drawing.light import Light, gradient, mix, planes, yuv
from cutback.cli.demo.drawing.sky import SUN_COLUMN
from cutback.cli.demo.drawing.swell import REACH, SHORE, Wave, waterline
from cutback.cli.demo.drawing.textures import columns, field, noise, ridges, signed, smooth

if TYPE_CHECKING:
    from random import Random

    from cutback.cli.demo.drawing.canvas import Stage

_TOP = SHORE - 52.0
_STEEP = 1.5  # levels of the threshold per pixel
_SLACK = 200


class _Edge(NamedTuple):
    """The sand around the waterline at one moment, and where it and the foam show."""

    time: float
    top: int
    sand: tuple[Image.Image, Image.Image, Image.Image]
    sand_mask: Image.Image
    foam_mask: Image.Image


class Shore:
    """Draws the lowest part of the picture."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        """Draw the textures once."""
        self.stage = stage
        self.top = stage.y(_TOP) // 2 * 2
        width, rows = stage.width, stage.height - self.top
        self.size = (width, rows)
        self.edge_rows = min(rows, stage.y(SHORE + REACH + 62) - self.top)
        self.grain = signed(noise(rng, self.size, (52 * stage.scale, 7 * stage.scale), 4, 3.6, 0.7))
        wide = (width * 2, self.edge_rows)
        lobes = noise(rng, wide, (330 * stage.scale, 900), 4, 13, 0.45)
        rough = noise(rng, wide, (30 * stage.scale, 12 * stage.scale), 2, 3)
        shape = ImageChops.add(lobes, rough, 1, -128)
        self.lobes = signed(shape.point([min(166, max(90, i)) for i in range(256)]))
        net = noise(rng, (width, self.edge_rows), (90 * stage.scale, 24 * stage.scale), 3, 44)
        calm = ridges(net, 14).point([min(158, max(98, i)) for i in range(256)])
        self.lace = signed(calm)
        self.figure, self.planted = watcher(stage.y(104))
        slack = round(_SLACK * stage.scale)
        steep = _STEEP / stage.scale
        self.slope = columns(
            width,
            [min(196, max(60, round(128 + (row - slack) * steep))) for row in range(self.edge_rows + 2 * slack)],
        )
        middle = SUN_COLUMN / 1920 * width
        self.gloss = field(
            self.size,
            (8, 8),
            lambda x, y: 190 * math.exp(-(((x - middle) / (0.15 * width)) ** 2)) * smooth(0.75, 0.1, y / rows),
        )
        self.still: tuple[Image.Image, ...] = ()
        self.edge: _Edge | None = None
        self.foam = self.rim = self.dark = self.board = self.board_rim = (128, 128, 128)

    def relight(self, light: Light, canvas: Canvas) -> None:
        """Draw the sand on `canvas`, and keep the part that the water may cover."""
        small = (self.size[0] // 4, self.size[1] // 4)
        column = Image.new("RGB", (1, small[1]))
        column.putdata(
            gradient(
                [
                    (0.0, mix(light.sand_wet, light.sea_near, 0.35)),
                    (0.25, mix(light.sand_wet, light.sky, 0.3)),
                    (0.48, light.sand_wet),
                    (0.72, light.sand),
                    (1.0, light.sand),
                ],
                small[1],
            )
        )
        sand = column.resize(small, Image.Resampling.NEAREST)
        sand.paste(light.glow, (0, 0), self.gloss.resize(small).point([i * 6 // 10 for i in range(256)]))
        y, u, v = planes(sand, self.size)
        ground = Canvas(self.size)
        ground.paste((ImageChops.add_modulo(y, self.grain), u, v), (0, 0))
        canvas.paste(ground.planes, (0, self.top))
        half = self.edge_rows // 2
        y, u, v = ground.planes
        self.still = (
            y.crop((0, 0, self.size[0], self.edge_rows)),
            u.crop((0, 0, self.size[0] // 2, half)),
            v.crop((0, 0, self.size[0] // 2, half)),
        )
        self.foam = yuv(light.foam)
        self.rim = yuv(mix(light.glow, light.sand, 0.3))
        self.board = yuv(mix((196, 84, 66), light.land, 0.45))
        self.board_rim = yuv(mix(light.glow, (226, 120, 84), 0.35))
        self.dark = yuv(mix(light.land, (8, 10, 18), 0.5))

    def draw(self, canvas: Canvas, time: float, waves: list[Wave]) -> None:
        """Lay the sand over the water up to the edge of the wash, with foam along it.

        Asked again for the same time, it lays down the same edge without working it out anew.
        """
        if self.edge is None or self.edge.time != time:
            self.edge = self._edge(time, waves)
        edge = self.edge
        canvas.paste(edge.sand, (0, edge.top), edge.sand_mask)
        canvas.paste(self.foam, (0, edge.top), edge.foam_mask)
        at = (self.stage.x(1640), self.stage.bar - self.stage.y(5) - self.figure.height)
        canvas.paste(self.board_rim, (at[0] - 2, at[1] - 1), self.planted)
        canvas.paste(self.board, at, self.planted)
        canvas.paste(self.rim, (at[0] - 2, at[1] - 1), self.figure)
        canvas.paste(self.dark, at, self.figure)

    def _edge(self, time: float, waves: list[Wave]) -> _Edge:
        """Return where water ends and sand begins at `time` seconds."""
        width, rows = self.size[0], self.edge_rows
        edge = waterline(time, waves)
        slack = round(_SLACK * self.stage.scale)
        first = slack + self.top - self.stage.y(edge)
        # Only a band around the edge: above it there is water alone, and below it lies sand that
        # nothing has been drawn on.
        low = max(0, self.stage.y(edge - 52) - self.top) // 2 * 2
        high = min(rows, self.stage.y(max(edge + 46, SHORE + 34)) - self.top) // 2 * 2
        slope = self.slope.crop((0, first + low, width, first + high))
        across = round(self.stage.x(260) * (1 + math.sin(time * 0.043)))
        lobes = self.lobes.crop((across, low, across + width, high))
        total = ImageChops.add_modulo(slope, lobes)
        lace = ImageChops.add_modulo(total, self.lace.crop((0, low, width, high))).point(_LACE)
        y, u, v = self.still
        half = (0, low // 2, width // 2, high // 2)
        return _Edge(
            time,
            self.top + low,
            (y.crop((0, low, width, high)), u.crop(half), v.crop(half)),
            total.point(_SAND),
            ImageChops.lighter(total.point(_FRINGE), lace),
        )


# The threshold sum rises from the water (below 128) to the sand (above).
_SAND = [round(255 * max(smooth(127, 131, i), 0.5 * smooth(66, 128, i))) for i in range(256)]
_FRINGE = [round(235 * math.exp(-(((i - 125) / 3.2) ** 2))) for i in range(256)]
_LACE = [round(150 * smooth(118, 133, i) * smooth(152, 136, i)) for i in range(256)]
