"""White water: foam that tumbles behind the curl.

Where it shows is a threshold over the wave's shape, which runs with the curl, plus noise, which
stays with the water; so its edges boil.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageChops

from cutback.cli.demo.drawing import curl
from cutback.cli.demo.drawing.light import Light, yuv
from cutback.cli.demo.drawing.textures import columns, cut, field, foam, smooth, tiled

if TYPE_CHECKING:
    from random import Random

    from cutback.cli.demo.drawing.canvas import Canvas, Stage
    from cutback.cli.demo.drawing.swell import Wave

_ROWS = 288
_LEAST = 46.0
_RELIEF_ROOM = 32
_DRIFT = ((38.0, 34.0), (-26.0, 58.0))
"""How fast the two layers of foam slide over each other, right and up, in pixels a second."""
_BIASES = 51
# Making a table of 256 entries costs more than using it: all are made beforehand.
_THRESHOLDS = [[round(255 * smooth(116 + bias, 144 + bias, i)) for i in range(256)] for bias in range(_BIASES)]


class _Churn(NamedTuple):
    """Foam up to the curl at one moment, and the moment."""

    moment: float
    density: Image.Image
    ink: tuple[Image.Image, Image.Image, Image.Image]


class WhiteWater:
    """Draws the foam of breaking waves."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        """Draw the shape and the foam once."""
        self.stage = stage
        scale = stage.scale
        self.left = round(curl.FOAM_LEFT * scale)
        size = (round((curl.FOAM_RIGHT - curl.FOAM_LEFT) * scale), _ROWS)
        drop = (curl.FOAM_TOP - curl.FOAM_FOOT) / _ROWS
        self.shape = field(
            size,
            (5, 2),
            lambda x, y: curl.whiteness(curl.FOAM_LEFT + x / scale, curl.FOAM_TOP - drop * y),
        )
        self.period = (stage.width, round(420 * scale))
        twice = (2 * self.period[0], 2 * self.period[1])
        layers = [foam(rng, self.period, scale) for _ in range(2)]
        self.densities = [tiled(density, twice) for density, _ in layers]
        self.relief = tiled(layers[0][1], twice)
        self.shades: list[Image.Image] = []
        self.churns: dict[int, _Churn] = {}

    def relight(self, light: Light) -> None:
        """Take the colours of the next two seconds."""
        bright, shade = yuv(light.foam), yuv(light.foam_shade)
        # The relief is added to the luma, so its lightest tone leaves room for that.
        bright = (bright[0] - _RELIEF_ROOM, bright[1], bright[2])
        down = [smooth(0.95, 0.1, row / 128) for row in range(128)]
        self.shades = [
            columns(1, [round(low + (high - low) * share) for share in down])
            for low, high in zip(shade, bright, strict=True)
        ]
        self.churns.clear()

    def draw(self, canvas: Canvas, time: float, slow: float, wave: Wave) -> None:
        """Draw a wave's white water: the curl at `time`, the foam at `slow` (see Breakers)."""
        scale = self.stage.scale
        age = wave.age(slow)
        amount = wave.foaminess(slow)
        # White water keeps its height while the wave under it dies.
        height = max(wave.height(slow), _LEAST * wave.size * smooth(-0.5, 3, age)) * scale
        rows = round(height * (curl.FOAM_TOP - curl.FOAM_FOOT))
        if age < -1 or rows < 8 or amount < 0.01:
            return
        front = round(wave.front(time) * scale)
        right = min(canvas.window[1], front + self.left + self.shape.width)
        left = max(canvas.window[0], front + self.left)
        if right - left < 4:
            return
        churn = self._churn(wave, slow, rows)
        right = min(right, churn.density.width) // 2 * 2
        left += left % 2
        box = (left, 0, right, rows)
        white = cut(self.shape, left - front - self.left, (right - left, rows))
        total = ImageChops.add_modulo(white, churn.density.crop(box))
        mask = total.point(_THRESHOLDS[round((_BIASES - 1) * (1 - amount))])
        half = (left // 2, 0, left // 2 + (right - left) // 2, rows // 2)
        luma, u, v = churn.ink
        top = round(wave.base(slow) * scale - curl.FOAM_TOP * height)
        canvas.paste((luma.crop(box), u.crop(half), v.crop(half)), (left, top), mask)

    def _churn(self, wave: Wave, slow: float, rows: int) -> _Churn:
        """Return the foam at `slow`; the last one is kept for each wave."""
        kept = self.churns.get(wave.number)
        if kept is not None and kept.moment == slow:
            return kept
        scale = self.stage.scale
        # As far as the curl may get until the foam moves on.
        width = round(wave.front(slow) * scale) + self.left + self.shape.width + self.stage.x(24)
        width = min(self.stage.width, width // 2 * 2)
        boxes = []
        for across, up in _DRIFT:
            x = round(slow * across * scale + wave.number * 517) % self.period[0]
            y = round(slow * up * scale + wave.number * 131) % self.period[1]
            boxes.append((x, y, x + width, y + rows))
        parts = [layer.crop(box) for layer, box in zip(self.densities, boxes, strict=True)]
        luma, u, v = (
            shade.resize((width // step, rows // step), Image.Resampling.NEAREST)
            for shade, step in zip(self.shades, (1, 2, 2), strict=True)
        )
        luma = ImageChops.add_modulo(luma, self.relief.crop(boxes[0]))
        churn = _Churn(slow, ImageChops.add_modulo(*parts), (luma, u, v))
        self.churns[wave.number] = churn
        return churn
