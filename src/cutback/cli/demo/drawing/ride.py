"""How a wave is ridden: the line along its face, and the drawing of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cutback.cli.demo.drawing.curl import crest
from cutback.cli.demo.drawing.figures import (
    CARVE,
    LOW,
    TALL,
    TRIM,
    Sketch,
    blend_poses,
    board,
    draw_rider,
    spray,
    wake,
)
from cutback.cli.demo.drawing.light import RGB, Light, mix, yuv
from cutback.cli.demo.drawing.swell import PEEL_SECONDS, Wave
from cutback.cli.demo.drawing.textures import smooth

if TYPE_CHECKING:
    from cutback.cli.demo.drawing.canvas import Canvas, Stage

_BODY = 88.0
RIDE_START, RIDE_END = 0.3, PEEL_SECONDS - 1.3
"""Seconds after a wave begins to break at which a surfer rides it, and no longer does."""
_TURN_EVERY = 2.7
_CUTBACK = 5.6
_WETSUIT: RGB = (16, 18, 26)
_BOARDS: tuple[RGB, ...] = ((244, 238, 222), (240, 196, 92), (226, 104, 84), (120, 196, 200))


def _line(age: float) -> tuple[float, float]:
    """Return the rider's place on the wave: pixels ahead of the curl, and height on the face."""
    swing = 2 * math.pi * (age - 0.4) / _TURN_EVERY
    height = 0.44 + 0.21 * math.cos(swing)
    ahead = 168 + 22 * math.sin(swing)
    # The cutback: out on the shoulder, round, and back towards the white water.
    out = smooth(_CUTBACK - 1.7, _CUTBACK, age) * (1 - smooth(_CUTBACK + 0.1, _CUTBACK + 1.7, age))
    ahead += 175 * out
    height += 0.1 * out
    # The kick-out over the back.
    away = smooth(RIDE_END - 1.1, RIDE_END, age)
    return ahead + 130 * away, height * (1 - away) + 1.02 * away


def reach(time: float, wave: Wave) -> float:
    """Return how far ahead of the curl the rider's picture reaches, in pixels; 0 if none rides."""
    age = wave.age(time)
    return _line(age)[0] + 100 if wave.ridden and RIDE_START < age < RIDE_END else 0.0


def draw_ride(canvas: Canvas, stage: Stage, light: Light, time: float, wave: Wave) -> None:
    """Draw the surfer on `wave` at `time` seconds, if one rides it now."""
    age = wave.age(time)
    if not wave.ridden or not RIDE_START < age < RIDE_END:
        return
    scale = stage.scale
    tall = wave.height(time)

    def place(moment: float) -> tuple[float, float]:
        ahead, high = _line(moment)
        rise = high * crest(ahead) * tall
        return wave.front(wave.breaks_at + moment) + ahead, wave.base(time) - rise

    x, y = place(age)
    before, after = place(age - 0.12), place(age + 0.12)
    run, climb = after[0] - before[0], before[1] - after[1]
    drift = _line(age + 0.12)[0] - _line(age - 0.12)[0]
    mirrored = drift < -21.0
    slope = math.degrees(math.atan2(climb, max(18.0, abs(run))))
    slope = max(-38.0, min(38.0, slope * 0.9))
    swing = math.cos(2 * math.pi * (age - 0.4) / _TURN_EVERY)
    pose = blend_poses(TRIM, TALL, max(0.0, swing) * 0.7)
    pose = blend_poses(pose, LOW, max(0.0, -swing))
    pose = blend_poses(
        pose, CARVE, smooth(_CUTBACK - 0.5, _CUTBACK + 0.1, age) * smooth(_CUTBACK + 1.6, _CUTBACK + 0.9, age)
    )

    unit = _BODY * scale * (0.9 + 0.1 * wave.size)
    foam = yuv(light.foam)
    trail = [place(age - 0.045 * n) for n in range(1, 22) if age - 0.045 * n > 0.1]
    if len(trail) > 2:
        size = (round(unit * 3.2), round(unit * 1.9))
        origin = (size[0] * 0.8, size[1] * 0.5)
        points = [((px - x) * scale / unit, (y - py) * scale / unit - 0.03) for px, py in trail]
        mask = wake(points, unit, size, origin)
        canvas.paste(foam, (round(x * scale - origin[0]), round(y * scale - origin[1])), mask)
    turn_age = (age - 0.4) % _TURN_EVERY
    for began, strength in ((turn_age, 0.8), (age - _CUTBACK, 1.0)):
        if 0 < began < 1.0:
            mask = spray(began, strength, wave.number * 31 + int(age / _TURN_EVERY), unit)
            canvas.paste(
                foam,
                (round(x * scale - mask.width * 0.85 - 20 * scale * began), round(y * scale - mask.height * 0.7)),
                mask,
            )
    size = (round(unit * 1.44), round(unit * 1.0))
    deck = Sketch(size, (size[0] / 2, size[1] / 2), unit, 2)
    deck.turn(slope if not mirrored else -slope * 0.6 - 8, mirrored=mirrored)
    deck.shape(board(1.12))
    corner = (round(x * scale - size[0] / 2), round(y * scale - size[1] / 2))
    colour = mix(light.face_dark, _BOARDS[wave.number % len(_BOARDS)], 0.8)
    canvas.paste(yuv(colour), corner, deck.mask())
    size = (round(unit * 1.3), round(unit * 1.25))
    origin = (size[0] / 2, size[1] * 0.84)
    body = Sketch(size, origin, unit)
    body.turn(slope * 0.55 if not mirrored else -slope * 0.5 - 6, mirrored=mirrored)
    draw_rider(body, pose)
    mask = body.mask()
    corner = (round(x * scale - origin[0]), round(y * scale - origin[1]))
    rim = max(1, round(1.4 * scale))
    canvas.paste(yuv(mix(light.glow, light.face, 0.25)), (corner[0] + rim, corner[1] - rim), mask)
    canvas.paste(yuv(mix(_WETSUIT, light.face_dark, 0.25)), corner, mask)
