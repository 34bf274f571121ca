"""The scene put together: frame number in, finished picture out.

Things change at the pace the eye asks for: sky, land and light with each keyframe, open water and
far swell every fourth frame, near waves every other, and on every frame what moves fast: the curl,
who rides it, the gulls, the clock. Drawing all of it on all frames would take twice as long.
"""

from __future__ import annotations

import math
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from cutback.cli.demo.drawing.breakers import Breakers
from cutback.cli.demo.drawing.canvas import Canvas, Stage
from cutback.cli.demo.drawing.curl import FOAM_RIGHT, crest
from cutback.cli.demo.drawing.figures import gull, sitter, yacht
from cutback.cli.demo.drawing.light import Light, light_at, mix, yuv
from cutback.cli.demo.drawing.overlay import Overlay
from cutback.cli.demo.drawing.ride import draw_ride, reach
from cutback.cli.demo.drawing.shore import Shore
from cutback.cli.demo.drawing.sky import Backdrop
from cutback.cli.demo.drawing.swell import HORIZON, PEEL_SECONDS, Wave, seed_of, swell
from cutback.cli.demo.drawing.water import Water
from cutback.cli.demo.drawing.whitewater import WhiteWater

if TYPE_CHECKING:
    from datetime import datetime

    import av
    from PIL import Image

SLOW_EVERY, CALM_EVERY = 2, 4
STILL_SECONDS = 2
_SITTERS = ((1716.0, 566.0, 27.0), (1800.0, 574.0, 29.0), (1560.0, 548.0, 22.0))
_FLIGHT_EVERY = 26.0
_BEHIND_CURL = 250.0


class Scene:
    """Draws the frames of one recording, one after the other, from the first of any group."""

    def __init__(
        self, size: tuple[int, int], fps: int, seconds: int, camera: str, start: datetime, only: float | None
    ) -> None:
        """Draw everything that is drawn once; the same arguments give the same pictures."""
        self.stage = Stage(*size)
        self.fps, self.seconds = fps, seconds
        rng = Random(f"sea-{camera}")
        self.waves = swell(seed_of(camera), seconds, only)
        self.backdrop = Backdrop(self.stage, rng)
        self.water = Water(self.stage, rng)
        self.breakers = Breakers(self.stage, rng)
        self.white_water = WhiteWater(self.stage, rng)
        self.shore = Shore(self.stage, rng)
        self.overlay = Overlay(self.stage, camera, start, fps)
        self.still = Canvas(size)
        self.calm = Canvas(size)
        self.canvas = Canvas(size)
        self.light: Light = light_at(0)
        self.hull, self.sails = yacht(self.stage.y(58))
        self.sitters = [sitter(self.stage.y(tall)) for _, _, tall in _SITTERS]
        self.gulls_drawn = False
        # Only these rows change from frame to frame: from above the yacht's mast to the last sand
        # that the wash may reach.
        self.sea_top = self.stage.y(HORIZON - 62) // 2 * 2
        self.sea_bottom = min(self.overlay.top, self.stage.y(1014)) // 2 * 2

    def draw(self, number: int) -> av.VideoFrame:
        """Return frame `number`; its pixels are only good until the next call."""
        time = number / self.fps
        slow = number // SLOW_EVERY * SLOW_EVERY / self.fps
        still = number % (STILL_SECONDS * self.fps) == 0
        if still:
            self._relight(time)
        waves = [wave for wave in self.waves if wave.seen(time)]
        if still or number % CALM_EVERY == 0:
            self._draw_calm(time, waves)
        gulls = self._gulls(time)
        if still or gulls or self.gulls_drawn:
            self.canvas.copy_rows(self.still, 0, self.sea_top)
        if still:
            self.canvas.copy_rows(self.still, self.sea_bottom, self.stage.height)
        if number % SLOW_EVERY == 0:
            self.canvas.copy_rows(self.calm, self.sea_top, self.sea_bottom)
            self._draw_surf(time, slow, waves)
        else:
            # Only what is around a curl moves fast enough to need each frame.
            for wave in waves:
                self.canvas.window = self._around_curl(time, wave)
                if self.canvas.window[0] < self.canvas.window[1]:
                    self.canvas.take_window(self.calm, self.sea_top, self.sea_bottom)
                    self._draw_surf(time, slow, waves)
            self.canvas.window = (0, self.stage.width)
        for mask, at in gulls:
            self.canvas.paste(yuv(mix(self.light.land, self.light.sky, 0.12)), at, mask)
        self.gulls_drawn = bool(gulls)
        self.overlay.draw(self.canvas, number)
        return self.canvas.frame

    def _draw_surf(self, time: float, slow: float, waves: list[Wave]) -> None:
        """Draw all that lies over the calm layer below the horizon."""
        for wave in waves:
            if not wave.near(slow):
                continue
            self.breakers.draw_near(self.canvas, time, slow, wave)
            self.white_water.draw(self.canvas, time, slow, wave)
            draw_ride(self.canvas, self.stage, self.light, time, wave)
        self._draw_sitters(slow, waves)
        self.shore.draw(self.canvas, slow, waves)

    def _around_curl(self, time: float, wave: Wave) -> tuple[int, int]:
        """Return the columns around a wave's curl; none if it does not peel."""
        if not -1 < wave.age(time) < PEEL_SECONDS:
            return 0, 0
        front = wave.front(time)
        right = self.stage.x(front + max(FOAM_RIGHT, reach(time, wave)))
        left = self.stage.x(front - _BEHIND_CURL)
        return max(0, left) // 2 * 2, min(self.stage.width, right) // 2 * 2

    def _relight(self, time: float) -> None:
        share = time / self.seconds
        self.light = light_at(share)
        sea = self.backdrop.relight(self.light, share, self.still)
        self.water.relight(self.light, share, sea)
        self.breakers.relight(self.light)
        self.white_water.relight(self.light)
        self.shore.relight(self.light, self.still)
        self.overlay.draw_still(self.still)

    def _draw_calm(self, time: float, waves: list[Wave]) -> None:
        self.calm.copy_rows(self.still, self.sea_top, self.stage.y(HORIZON) // 2 * 2 + 2)
        bottom = self.water.draw(self.calm, time, waves)
        self.calm.copy_rows(self.still, bottom, self.sea_bottom)
        self._draw_yacht(time)
        for wave in waves:
            self.breakers.draw_far(self.calm, time, wave)

    def _draw_yacht(self, time: float) -> None:
        """Let a yacht cross the horizon from right to left."""
        stage, light = self.stage, self.light
        x = stage.x(1730 - 2.2 * time)
        y = stage.y(HORIZON + 5) - self.hull.height
        self.calm.paste(yuv(mix(light.foam, light.low, 0.3)), (x, y), self.sails)
        self.calm.paste(yuv(mix(light.land, light.low, 0.2)), (x, y), self.hull)

    def _draw_sitters(self, time: float, waves: list[Wave]) -> None:
        """Let the surfers who wait rise and sink with each passing swell."""
        dark = yuv(mix(self.light.land, self.light.face_dark, 0.5))
        passing = [
            (wave.base(time), wave.height(time), max(-900.0, wave.front(time)))
            for wave in waves
            if -20 < wave.age(time) < 3
        ]
        for (column, row, _), mask in zip(_SITTERS, self.sitters, strict=True):
            lift = 1.5 * math.sin(time * 1.7 + column)
            for base, tall, front in passing:
                height = tall * crest(float(round(column - front)))
                near = (base - row - 0.4 * height) / max(8.0, 0.7 * height)
                if abs(near) < 3:
                    lift = max(lift, 0.9 * height * math.exp(-near * near))
            at = (self.stage.x(column), self.stage.y(row - lift) - mask.height)
            self.canvas.paste(dark, at, mask)

    def _gulls(self, time: float) -> list[tuple[Image.Image, tuple[int, int]]]:
        """Return the gulls that cross the sky now, each a mask and its place."""
        birds = []
        for bird in _flight(int(time / _FLIGHT_EVERY)):
            since = time - bird.enters
            if not 0 < since < 15:
                continue
            column = -80 + since * 139
            if bird.leftwards:
                column = 1920 - column
            row = bird.height + 26 * math.sin(since * 0.5 + bird.phase) - 3.0 * since
            gliding = math.sin(since * 0.9 + bird.phase * 2) > 0.35
            flap = 0.25 if gliding else math.sin(since * bird.beat * 2 * math.pi)
            mask = gull(bird.span * self.stage.scale, flap)
            at = (self.stage.x(column) - mask.width // 2, self.stage.y(row) - mask.height // 2)
            birds.append((mask, at))
        return birds


class _Gull(NamedTuple):
    """One gull's flight across the picture."""

    enters: float
    leftwards: bool
    height: float
    beat: float
    span: float
    phase: float


@lru_cache(maxsize=2)
def _flight(number: int) -> list[_Gull]:
    """Return the gulls of one flight; there is one every so often."""
    rng = Random(f"gulls-{number}")
    enters = number * _FLIGHT_EVERY + rng.uniform(2, 7)
    leftwards = rng.random() < 0.5
    height = rng.uniform(190, 300)
    return [
        _Gull(
            enters + rng.uniform(0, 2.4) + bird * 0.3,
            leftwards,
            height + rng.uniform(-45, 45),
            rng.uniform(2.1, 2.8),
            rng.uniform(30, 46),
            float(bird),
        )
        for bird in range(rng.randint(2, 4))
    ]
