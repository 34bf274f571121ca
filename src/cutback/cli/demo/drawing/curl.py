"""The shape of a breaking wave, as functions over its own coordinates.

`along` is pixels right of the curl, in the 1920 x 1080 layout; `height` is 0 at the wave's foot
and 1 at the curl's crest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from cutback.cli.demo.drawing.textures import smooth

Profile: TypeAlias = Callable[[float, float], float]
"""A value 0..1 for each `along` and `height`."""

FACE_TOP, FACE_FOOT = 1.1, -0.36
FACE_LEFT, FACE_RIGHT = -60.0, 2900.0
FOAM_TOP, FOAM_FOOT = 1.56, -0.4
FOAM_LEFT, FOAM_RIGHT = -2000.0, 330.0


@lru_cache(maxsize=8192)
def crest(along: float) -> float:
    """Return the crest's height at `along`: full at the curl, lower on the shoulder."""
    shoulder = 1 - 0.5 * smooth(120, 1500, along)
    waver = 0.035 * math.sin(along / 97) + 0.03 * math.sin(along / 41 + 1.3)
    roll = 0.1 * math.sin(along / 330) * smooth(500, 1200, along)
    return shoulder * (1 + waver * smooth(60, 400, along)) + roll


def _lip_edge(height: float) -> float:
    """Return `along` of the falling lip's edge at a height: it throws right, then drops."""
    drop = 1 - min(1.0, max(0.0, height))
    return 150 - 150 * math.pow(drop, 0.55) - 26 * math.sin(math.pi * drop)


def face_tone(along: float, height: float) -> float:
    """Return the face's tone, 0..1: dark water, green, light shining through, white."""
    rel = height / crest(along)
    steep = smooth(1700, 150, along)
    tone = 0.1 + 0.34 * smooth(0.45, -0.2, rel) + 0.22 * smooth(0.45, 0.95, rel)
    tone += (0.28 + 0.34 * steep) * math.pow(smooth(0.72, 1.0, rel), 1.6)
    if along < 330:
        edge = _lip_edge(height)
        # The hollow under the lip, darkest close to the curtain of falling water.
        hollow = math.exp(-(((along - 105) / 120) ** 2) - (((height - 0.42) / 0.34) ** 2))
        tone *= 1 - 0.72 * hollow * smooth(edge - 6, edge + 14, along)
        curtain = smooth(edge + 6, edge - 10, along) * smooth(0.02, 0.16, height)
        tone = tone * (1 - curtain) + curtain * (0.62 + 0.3 * smooth(0.3, 1.0, height))
        tone = max(tone, 0.97 * math.exp(-(((along - edge) / 9) ** 2)) * smooth(0.0, 0.2, height))
    lip = math.exp(-(((rel - 0.985) / 0.022) ** 2)) * smooth(900, 200, along)
    return max(tone, 0.9 * lip)


def face_cover(along: float, height: float) -> float:
    """Return the face's opacity, 0..1: sharp at the crest, fading into flat water at its foot."""
    rel = height / crest(along)
    return smooth(1.015, 0.985, rel) * smooth(-0.34, 0.22, rel) * smooth(-58, -6, along)


def far_tone(_along: float, height: float) -> float:
    """Return the tone of a swell still far out: a dark front under a softly lit crest."""
    return 0.2 + 0.3 * smooth(0.55, 1.1, height) + 0.2 * smooth(0.35, -0.2, height)


def far_cover(along: float, height: float) -> float:
    """Return the opacity of a far swell: soft all round, and coming and going along its crest."""
    patches = 0.62 + 0.26 * math.sin(along / 143) + 0.22 * math.sin(along / 61 + 2)
    return smooth(1.1, 0.72, height) * smooth(-0.34, 0.5, height) * min(1.0, max(0.12, patches))


def whiteness(along: float, height: float) -> float:
    """Return how surely there is white water, 0..127; noise of 0..126 added to it decides.

    Some 62 is its edge. It is tallest where the lip lands and sinks with the distance from there.
    """
    back = -along
    plume = 0.36 * math.exp(-(((back - 120) / 130) ** 2))
    top = (0.62 + 0.38 * math.exp(-back / 900) if back > 0 else 1.0) + plume
    top *= 0.5 + 0.5 * smooth(2000, 1500, back)
    foot = -0.06 - 0.17 * smooth(0, 500, back)
    front = _lip_edge(height) - 12 if height > 0 else -10.0
    inside = min(
        (top - height) * 120,
        (height - foot) * 290,
        (front - along) * 0.85,
        (2000 - back) * 0.2,
        (128 - along) * 0.9,
    )
    if along > -20:
        feather = 76 * smooth(320, 60, along) - 46 - 210 * abs(height - 1.0)
        inside = max(inside, feather)
    return min(127.0, max(0.0, 62 + inside))
