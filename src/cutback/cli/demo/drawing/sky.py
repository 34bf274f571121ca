"""Everything that stands still for two seconds: sky, sun, headland, the sea's colours, the sand.

It is redrawn on keyframes only. Between them these parts of the picture cost the encoder nothing,
and a step of two seconds in a change of five minutes is too small to see.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from cutback.cli.demo.drawing.light import RGB, Light, gradient, mix, planes, yuv
from cutback.cli.demo.drawing.swell import HORIZON
from cutback.cli.demo.drawing.textures import field, noise, signed, smooth

if TYPE_CHECKING:
    from random import Random

    from cutback.cli.demo.drawing.canvas import Canvas, Stage

SUN_COLUMN = 1310.0
# Sky and sea are soft: they are painted small, and enlarged.
_SKETCH, _SEA_SKETCH = 2, 6


def sun_row(share: float) -> float:
    """Return the row of the sun's centre at `share` (0..1) of the recording."""
    return HORIZON + 24.0 - 235.0 * math.pow(share, 0.9)


def _ramp(size: tuple[int, int], stops: list[tuple[float, RGB]]) -> Image.Image:
    """Return an RGB image of `size` running from top to bottom through `stops`."""
    column = Image.new("RGB", (1, size[1]))
    column.putdata(gradient(stops, size[1]))
    return column.resize(size, Image.Resampling.NEAREST)


class Backdrop:
    """The still parts of the scene."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        """Draw the masks of clouds, glow and land once."""
        self.stage = stage
        top = stage.y(HORIZON) // 2 * 2
        self.sky_size = (stage.width, top)
        self.sea_size = (stage.width, stage.height - top)
        small = (self.sky_size[0] // _SKETCH, self.sky_size[1] // _SKETCH)
        self.clouds = self._draw_clouds(rng, small)
        # A touch of noise keeps the dark gradients from banding in eight bits.
        self.grain = signed(noise(rng, self.sky_size, (2.2, 2.2), 1, 0.5))
        span = small[0] * 2
        self.halo = field(
            (span, span),
            (16, 16),
            lambda x, y: 255 * math.exp(-math.hypot(x / span - 0.5, (y / span - 0.5) * 1.5) * 9.0),
        )
        sea = (self.sea_size[0] // _SEA_SKETCH, self.sea_size[1] // _SEA_SKETCH)
        column = SUN_COLUMN / 1920 * sea[0]
        self.path = field(
            sea,
            (2, 2),
            lambda x, y: (
                255
                * math.exp(-(((x - column) / (sea[0] * (0.05 + 0.13 * y / sea[1]))) ** 2))
                * (1 - 0.75 * smooth(0.0, 0.75, y / sea[1]))
            ),
        )
        self.land, self.land_shadow = self._draw_land(rng)
        mist = field(self.land.size, (4, 4), lambda _, y: 190 * (y / self.land.height) ** 3.2)
        self.haze = ImageChops.multiply(self.land, mist)
        self.far_land = field(self.land.size, (2, 2), self._far_hills)
        self.disc = self._draw_disc(stage.y(31))

    def _draw_clouds(self, rng: Random, size: tuple[int, int]) -> Image.Image:
        """Return a repeating mask of thin streaks low down and broken cloud higher up."""
        width, height = size
        streaks = noise(rng, size, (width * 0.42, height * 0.06), 4, 50, 0.62)
        puffs = noise(rng, size, (width * 0.22, height * 0.17), 6, 50, 0.66)
        weights = field(size, (8, 8), lambda _, y: 255 * smooth(0.75, 0.35, y / height))
        cover = Image.composite(puffs, streaks, weights)
        soft = cover.point([round(235 * smooth(118, 222, i)) for i in range(256)])
        fade = field(size, (8, 8), lambda _, y: 255 * smooth(1.0, 0.86, y / height) * (0.55 + 0.45 * y / height))
        return ImageChops.multiply(soft, fade)

    @staticmethod
    def _draw_disc(radius: int) -> Image.Image:
        """Return the mask of the sun and of the air glowing around it."""
        corona = radius * 3

        def brightness(x: float, y: float) -> float:
            away = math.hypot(x - corona, y - corona)
            glow = 0.6 * math.exp(-2.2 * max(0.0, away / radius - 1)) * smooth(corona, radius, away)
            return 255 * max(smooth(radius + 1.5, radius - 1.5, away), glow)

        return field((corona * 2, corona * 2), (2, 2), brightness)

    def _far_hills(self, column: float, row: float) -> float:
        """Return the mask of the hills behind the headland."""
        x, up = column / self.land.width, 1 - row / self.land.height
        ridge = 0.34 * smooth(1.0, 0.55, x) * (0.8 + 0.12 * math.sin(x * 15) + 0.06 * math.sin(x * 39))
        return 255 * smooth(ridge + 0.006, ridge - 0.006, up)

    def _draw_land(self, rng: Random) -> tuple[Image.Image, Image.Image]:
        """Return the headland's mask, lighthouse and all, and the mask of its reflection."""
        big = 3
        width, height = self.stage.x(760) * big, self.stage.y(170) * big
        image = Image.new("L", (width, height))
        draw = ImageDraw.Draw(image)
        steps = 240
        phases = [rng.uniform(0, 6.3) for _ in range(4)]
        outline: list[tuple[float, float]] = [(0.0, height)]
        for step in range(steps + 1):
            x = step / steps
            body = 0.62 * (1 - smooth(0.1, 1.0, x)) ** 0.8 + 0.1 * smooth(0.99, 0.75, x)
            bumps = sum(math.sin(x * (9 + 17 * n) + phase) / (3 + 5 * n) for n, phase in enumerate(phases))
            scrub = rng.uniform(-0.006, 0.006)
            rise = body * (1 + 0.16 * bumps) + (scrub if body > 0.02 else 0)
            outline.append((x * width, height * (1 - max(0.0, rise * 0.93))))
        outline.append((float(width), float(height)))
        draw.polygon(outline, fill=255)
        bare = image.resize((width // big, height // big))
        # The lighthouse: tower, gallery, lantern, cap, on the brow of the head.
        foot_x = 0.33 * width
        foot_y = next(y for x, y in outline[1:] if x >= foot_x) + 0.02 * height
        tall, wide = 0.36 * height, 0.021 * width
        top = foot_y - tall
        draw.polygon(
            [
                (foot_x - wide / 2, foot_y),
                (foot_x - wide * 0.32, top),
                (foot_x + wide * 0.32, top),
                (foot_x + wide / 2, foot_y),
            ],
            fill=255,
        )
        draw.rectangle((foot_x - wide * 0.5, top - 4 * big, foot_x + wide * 0.5, top), fill=255)
        draw.rectangle((foot_x - wide * 0.26, top - 13 * big, foot_x + wide * 0.26, top), fill=255)
        draw.pieslice(
            (foot_x - wide * 0.36, top - 19 * big, foot_x + wide * 0.36, top - 8 * big),
            180,
            360,
            fill=255,
        )
        draw.rectangle((foot_x + wide * 0.7, foot_y - 0.09 * height, foot_x + wide * 2.3, foot_y), fill=255)
        self.lamp = (round(foot_x / big), self.stage.y(HORIZON) - round((height - top) / big) - 8)
        mask = image.resize((width // big, height // big), Image.Resampling.LANCZOS)
        shadow = bare.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((mask.width, round(mask.height * 0.5)))
        shadow = shadow.filter(ImageFilter.GaussianBlur(7)).point([i * 5 // 8 for i in range(256)])
        return mask, shadow

    def relight(self, light: Light, share: float, canvas: Canvas) -> tuple[Image.Image, ...]:
        """Draw the sky and the land on `canvas` and return the planes of the sea's own colours."""
        stage = self.stage
        width, height = self.sky_size
        small = (width // _SKETCH, height // _SKETCH)
        sky = _ramp(
            small,
            [
                (0.0, light.zenith),
                (0.62, light.sky),
                (0.9, mix(light.sky, light.low, 0.8)),
                (1.0, light.low),
            ],
        )
        sun = (stage.x(SUN_COLUMN), stage.y(sun_row(share)))
        centre = (sun[0] // _SKETCH, sun[1] // _SKETCH)
        half = self.halo.width // 2
        glow = Image.new("L", small)
        glow.paste(self.halo, (centre[0] - half, centre[1] - half))
        sky.paste(light.glow, (0, 0), glow.point([i * 7 // 10 for i in range(256)]))
        lit = Image.new("RGB", small, light.cloud_shade)
        warm = glow.point([min(255, round(40 + i * 1.7)) for i in range(256)])
        lit.paste(light.cloud_lit, (0, 0), warm)
        clouds = ImageChops.offset(self.clouds, round(share * 150 * small[0] / 960), 0)
        sky.paste(lit, (0, 0), clouds)
        y, u, v = planes(sky, self.sky_size)
        canvas.paste((ImageChops.add_modulo(y, self.grain), u, v), (0, 0))
        self._draw_sun(light, sun, canvas)
        land = mix(light.land, light.low, 0.1)
        at = (0, height - self.land.height)
        canvas.paste(yuv(mix(light.land, light.sky, 0.55)), at, self.far_land)
        canvas.paste(yuv(land), at, self.land)
        canvas.paste(yuv(mix(land, light.low, 0.6)), at, self.haze)
        return self._sea(light, land)

    def _draw_sun(self, light: Light, sun: tuple[int, int], canvas: Canvas) -> None:
        """Draw the disc, cut off by the horizon."""
        disc, corona = self.disc, self.disc.width // 2
        visible = min(disc.height, self.sky_size[1] - (sun[1] - corona))
        if visible > 1:
            mask = disc.crop((0, 0, disc.width, visible))
            canvas.paste(yuv(light.sun), (sun[0] - corona, sun[1] - corona), mask)

    def _sea(self, light: Light, land: RGB) -> tuple[Image.Image, ...]:
        """Return the planes of the water's colours below the horizon, without its waves."""
        size = (self.sea_size[0] // _SEA_SKETCH, self.sea_size[1] // _SEA_SKETCH)
        sea = _ramp(
            size,
            [
                (0.0, mix(light.sea_far, light.low, 0.25)),
                (0.05, light.sea_far),
                (0.24, light.sea_mid),
                (0.5, mix(light.sea_mid, light.sea_near, 0.7)),
                (0.75, mix(light.sea_near, light.sand_wet, 0.35)),
                (1.0, light.sand_wet),
            ],
        )
        sea.paste(light.glow, (0, 0), self.path.point([round(i * 0.62) for i in range(256)]))
        shadow = self.land_shadow.resize(
            (self.land_shadow.width // _SEA_SKETCH, self.land_shadow.height // _SEA_SKETCH)
        )
        sea.paste(mix(land, light.sea_mid, 0.25), (0, 0), shadow)
        return planes(sea, self.sea_size)
