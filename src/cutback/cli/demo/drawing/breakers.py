"""The waves' faces, near and far.

Their shape is drawn once, in the curl's own coordinates; each frame cuts out what is in view and
squeezes it to the wave's height.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageChops

from cutback.cli.demo.drawing import curl
from cutback.cli.demo.drawing.light import Light, gradient, mix, yuv
from cutback.cli.demo.drawing.textures import cut, field, noise, ridges, signed, smooth, tiled

if TYPE_CHECKING:
    from random import Random

    from cutback.cli.demo.drawing.canvas import Canvas, Stage
    from cutback.cli.demo.drawing.swell import Wave

_FARTHEST = -900.0
_ROWS, _FAR_ROWS = 256, 64
_FADES = [[i * step // 32 for i in range(256)] for step in range(33)]
_RISE = 55.0
"""How fast water is drawn up the face, in pixels a second."""


class _Shape(NamedTuple):
    """A face's tones and opacity, and its colours in the present light, at ever fewer rows."""

    tones: Image.Image
    covers: list[Image.Image]
    luma: list[Image.Image]
    u: list[Image.Image]
    v: list[Image.Image]


class Breakers:
    """Draws the faces of waves."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        """Draw the shapes once."""
        self.stage = stage
        self.left = round(curl.FACE_LEFT * stage.scale)
        self.near = self._shape(curl.face_tone, curl.face_cover, _ROWS, 4)
        self.far = self._shape(curl.far_tone, curl.far_cover, _FAR_ROWS, 12)
        self.streaks_height = round(420 * stage.scale)
        self.streaks = self._draw_streaks(rng)

    def _shape(self, tone: curl.Profile, cover: curl.Profile, rows: int, step: int) -> _Shape:
        scale = self.stage.scale
        size = (round((curl.FACE_RIGHT - curl.FACE_LEFT) * scale), rows)
        drop = (curl.FACE_TOP - curl.FACE_FOOT) / rows

        def draw(profile: curl.Profile) -> Image.Image:
            return field(
                size,
                (step, 2),
                lambda x, y: 255 * profile(curl.FACE_LEFT + x / scale, curl.FACE_TOP - drop * y),
            )

        return _Shape(draw(tone), _halvings(draw(cover)), [], [], [])

    def _draw_streaks(self, rng: Random) -> Image.Image:
        """Return the lines of water sucked up the face: fine, slanting, endless upwards."""
        scale, width, height = self.stage.scale, self.stage.width, self.streaks_height
        fine = noise(rng, (width, height), (150 * scale, 17 * scale), 3, 40)
        # The slant comes to one whole height over the width, so that top and bottom still join.
        slanted = tiled(ridges(fine, 9), (width, 2 * height)).transform(
            (width, height),
            Image.Transform.AFFINE,
            (1, 0, 0, height / width, 1, 0),
            Image.Resampling.BILINEAR,
        )
        return tiled(signed(slanted), (width, 2 * height))

    def relight(self, light: Light) -> None:
        """Take the colours of the next two seconds."""
        ramp = gradient(
            [
                (0.0, light.face_dark),
                (0.34, light.face),
                (0.62, mix(light.face, light.face_glow, 0.6)),
                (0.86, light.face_glow),
                (1.0, light.foam),
            ],
            256,
        )
        luma, u, v = zip(*(yuv(colour) for colour in ramp), strict=True)
        for shape in (self.near, self.far):
            half = shape.tones.reduce(2)
            shape.luma[:] = _halvings(shape.tones.point(luma))
            shape.u[:] = _halvings(half.point(u))
            shape.v[:] = _halvings(half.point(v))

    def draw_near(self, canvas: Canvas, time: float, slow: float, wave: Wave) -> None:
        """Draw a wave's face, if it is near.

        The curl runs on at `time`, while the water moves at `slow`, which may lag a frame: that
        is not to be seen, and spares the encoder much.
        """
        age = wave.age(slow)
        opacity = smooth(-9.0, -3.5, age) * (1 - smooth(9.0, 12.5, age))
        self._draw(canvas, wave, self.near, (time, slow), opacity)

    def draw_far(self, canvas: Canvas, time: float, wave: Wave) -> None:
        """Draw a wave that is still far out, which fades as `draw_near` takes over."""
        age = wave.age(time)
        opacity = (0.35 + 0.5 * smooth(-60, -10, age)) * (1 - smooth(-6.0, -3.0, age))
        self._draw(canvas, wave, self.far, (time, time), opacity)

    def _draw(
        self,
        canvas: Canvas,
        wave: Wave,
        shape: _Shape,
        times: tuple[float, float],
        opacity: float,
    ) -> None:
        time, slow = times
        scale = self.stage.scale
        height = wave.height(slow) * scale
        rows = round(height * (curl.FACE_TOP - curl.FACE_FOOT))
        if rows < 4 or opacity < 0.02:
            return
        front = round(max(_FARTHEST, wave.front(time)) * scale)
        left = max(canvas.window[0], front + self.left)
        left += left % 2  # or the last column would go without its chroma
        size = (canvas.window[1] - left, rows)
        if size[0] < 4:
            return
        half = (size[0] // 2, rows // 2)
        first = left - front - self.left
        mip = 0
        while mip + 1 < len(shape.v) and shape.covers[mip + 1].height >= rows:
            mip += 1
        mask = cut(shape.covers[mip], first, size)
        if opacity < 0.98:
            mask = mask.point(_FADES[round(32 * opacity)])
        luma = cut(shape.luma[mip], first, size)
        if shape is self.near and rows > 30:
            risen = round(slow * _RISE * scale) % self.streaks_height
            lines = self.streaks.crop((left, risen, left + size[0], risen + rows))
            luma = ImageChops.add_modulo(luma, lines)
        u, v = cut(shape.u[mip], first // 2, half), cut(shape.v[mip], first // 2, half)
        top = round(wave.base(slow) * scale - curl.FACE_TOP * height)
        canvas.paste((luma, u, v), (left, top), mask)


def _halvings(image: Image.Image) -> list[Image.Image]:
    """Return `image` and it at half, quarter, ... of its rows, for cheap squeezing."""
    mips = [image]
    while mips[-1].height > 16:
        mips.append(mips[-1].reduce((1, 2)))
    return mips
