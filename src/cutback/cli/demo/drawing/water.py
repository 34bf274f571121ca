"""The sea's surface: ripples that heave, the sun's glitter on them, old foam drifting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from cutback.cli.demo.drawing.light import Light, yuv
from cutback.cli.demo.drawing.sky import SUN_COLUMN
from cutback.cli.demo.drawing.swell import BREAK_DEPTH, HORIZON, SHORE, Wave, waterline
from cutback.cli.demo.drawing.textures import field, noise, ridges, ripples, smooth

if TYPE_CHECKING:
    from random import Random

    from cutback.cli.demo.drawing.canvas import Canvas, Stage

_TURN = 1024
_SINE = [math.sin(2 * math.pi * i / _TURN) for i in range(_TURN)]
_LACE_TOP = 590.0
_CONTROL = 40


class Water:
    """The moving surface between the horizon and the sand."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        """Draw the textures once."""
        self.stage = stage
        self.top = stage.y(HORIZON) // 2 * 2
        self.rows = stage.y(SHORE + 110) - self.top
        self.margin = stage.y(34)
        self.lift = stage.y(6)
        wide = stage.width + 2 * self.margin
        tall = self.rows + 2 * self.lift
        self.near_ripples = memoryview(ripples(rng, (wide, tall), stage.scale).tobytes())
        self.still_ripples = ripples(rng, (wide, tall), stage.scale)
        self.wide = wide
        # Where each row is in the swing of the water, and how far it swings: all but nothing at
        # the horizon, the more the nearer.
        depth = [(row + 1) / self.rows for row in range(self.rows)]
        self.phases = [round(_TURN * (0.9 / (d + 0.12))) for d in depth]
        self.sway = [0.55 * self.margin * min(1.0, 0.15 + d) for d in depth]
        self.heave = [self.lift * min(1.0, 1.6 * d) for d in depth]
        left, right = stage.x(SUN_COLUMN - 340), stage.x(SUN_COLUMN + 340)
        self.glint_left, self.glint_size = left, (right - left, round(self.rows * 0.8))
        self.glint = self._glint_field()
        lace_rows = stage.y(SHORE + 40) - stage.y(_LACE_TOP)
        self.lace_rows = lace_rows
        self.lace = self._draw_lace(rng, (wide, lace_rows))
        self.trail = [math.exp(-1.5 * i / BREAK_DEPTH) * smooth(0, 0.12 * BREAK_DEPTH, i) for i in range(400)]
        self.base: tuple[Image.Image, ...] = ()
        self.glint_alpha: list[int] = []
        self.sparkle = self.foam = 235

    def _glint_field(self) -> Image.Image:
        """Return how readily the water glints: most under the sun, in a widening path."""
        width, height = self.glint_size
        middle = width / 2

        def readiness(x: float, y: float) -> float:
            down = y / height
            reach = width * (0.085 + 0.24 * down)
            across = math.exp(-(((x - middle) / reach) ** 2))
            return 128 + 96 * across * (1 - 0.5 * down) * smooth(1.0, 0.7, down)

        return field(self.glint_size, (4, 4), readiness)

    def _draw_lace(self, rng: Random, size: tuple[int, int]) -> Image.Image:
        """Return the net that foam leaves on the water (0..127), thinner to the right."""
        scale = self.stage.scale
        net = ridges(noise(rng, size, (120 * scale, 24 * scale), 2, 44), 30)
        fine = ridges(noise(rng, size, (44 * scale, 10 * scale), 2, 44), 30)
        patches = noise(rng, size, (420 * scale, 60 * scale), 2, 34)
        lace = Image.blend(Image.blend(net, fine, 0.42), patches, 0.4)
        thin = field(size, (16, 16), lambda x, _: 255 - 100 * smooth(0.25, 1.0, x / size[0]))
        return ImageChops.multiply(lace, thin).point([i // 2 for i in range(256)])

    def relight(self, light: Light, share: float, sea: tuple[Image.Image, ...]) -> None:
        """Take the colours of the next two seconds."""
        self.base = sea
        strength = smooth(-0.02, 0.16, share)
        self.glint_alpha = [
            round(235 * (0.25 + 0.75 * strength) * smooth(196 - 8 * strength, 232, i)) for i in range(256)
        ]
        self.sparkle = yuv(light.sun)[0]
        self.foam = yuv(light.foam)[0]

    def draw(self, canvas: Canvas, time: float, waves: list[Wave]) -> int:
        """Draw the surface at `time` seconds; `waves` have left foam on it.

        Returns the row below the last one drawn.
        """
        width = self.stage.width
        # The sand begins within 28 rows of the waterline, which may move on before the next drawing.
        rows = min(self.rows, self.stage.y(waterline(time, waves) + 40) - self.top) // 2 * 2
        swing, other = int(time * 0.19 * _TURN), int(time * 0.16 * _TURN)
        view, wide, sine, lift = self.near_ripples, self.wide, _SINE, self.lift
        margin = self.margin
        parts = []
        for row, (phase, sway, heave) in enumerate(zip(self.phases[:rows], self.sway, self.heave, strict=False)):
            start = (row + lift + round(heave * sine[(phase + swing) % _TURN])) * wide + (
                margin + round(sway * sine[(phase * 2 + other) % _TURN])
            )
            parts.append(view[start : start + width])
        moving = Image.frombuffer("L", (width, rows), b"".join(parts), "raw", "L", 0, 1)
        across = margin + round(0.55 * margin * math.sin(time * 0.7))
        down = lift + round(0.8 * lift * math.sin(time * 0.7 + 1))
        still = self.still_ripples.crop((across, down, across + width, down + rows))
        surface = ImageChops.add_modulo(moving, still)
        luma = ImageChops.add_modulo(self.base[0].crop((0, 0, width, rows)), surface)
        half = (0, 0, width // 2, rows // 2)
        canvas.paste((luma, self.base[1].crop(half), self.base[2].crop(half)), (0, self.top))
        self._draw_glints(canvas, surface)
        self._draw_lace_on(canvas, time, waves, self.top + rows)
        return self.top + rows

    def _draw_glints(self, canvas: Canvas, surface: Image.Image) -> None:
        """Let the crests of the ripples under the sun flash."""
        width, height = self.glint_size
        part = surface.crop((self.glint_left, 0, self.glint_left + width, height))
        mask = ImageChops.add_modulo(part, self.glint).point(self.glint_alpha)
        # Luma alone: the water there has the light's colour already.
        left, top = self.glint_left, self.top
        canvas.planes[0].paste(self.sparkle, (left, top, left + width, top + height), mask)

    def _draw_lace_on(self, canvas: Canvas, time: float, waves: list[Wave], bottom: int) -> None:
        """Draw the foam that broken waves have left behind them."""
        span = SHORE + 40 - _LACE_TOP
        levels = [0.0] * _CONTROL
        for wave in waves:
            age = wave.age(time)
            fresh = smooth(0.5, 4.0, age) * (1 - smooth(12.0, 24.0, age))
            if fresh < 0.05:
                continue
            behind = wave.base(time) - _LACE_TOP
            for index in range(_CONTROL):
                row = span * index / (_CONTROL - 1)
                if row < behind:
                    levels[index] = max(levels[index], fresh * self.trail[round(behind - row)])
        if max(levels) < 0.1:
            return
        column = Image.frombytes("L", (1, _CONTROL), bytes(round(60 * i) for i in levels))
        rows = column.resize((1, self.lace_rows), Image.Resampling.BILINEAR)
        top, width = self.stage.y(_LACE_TOP), self.stage.width
        seen = [i for i, value in enumerate(levels) if value > 0.08]
        low = self.lace_rows * max(0, seen[0] - 1) // _CONTROL
        high = min(self.lace_rows * (seen[-1] + 2) // _CONTROL, self.lace_rows, bottom - top)
        if high <= low:
            return
        rows = rows.crop((0, low, 1, high))
        cover = rows.resize((width, high - low), Image.Resampling.NEAREST)
        drift = round(self.margin * (1 + math.sin(time * 0.21)))
        lace = self.lace.crop((drift, low, drift + width, high))
        mask = ImageChops.add_modulo(lace, cover).point(_LACE_ALPHA)
        canvas.planes[0].paste(self.foam, (0, top + low, width, top + high), mask)


_LACE_ALPHA = [round(215 * smooth(92, 140, i)) for i in range(256)]
