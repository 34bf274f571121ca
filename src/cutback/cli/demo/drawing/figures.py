"""Small dark shapes against the light: a surfer riding, others waiting, gulls, a sail.

Each is drawn large and reduced, which smooths its outline.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from PIL import Image, ImageDraw

from cutback.cli.demo.drawing.textures import smooth

if TYPE_CHECKING:
    from collections.abc import Iterable

Point: TypeAlias = tuple[float, float]
Pose: TypeAlias = dict[str, Point]


# Joints of a rider facing right, in units of body height, y upwards from the board's deck.
TRIM: Pose = {
    "back_foot": (-0.23, 0.03), "back_knee": (-0.13, 0.22), "hip": (-0.09, 0.34),
    "front_knee": (0.21, 0.28), "front_foot": (0.20, 0.03), "neck": (0.08, 0.60),
    "head": (0.15, 0.70), "back_elbow": (-0.11, 0.60), "back_hand": (-0.30, 0.60),
    "front_elbow": (0.26, 0.48), "front_hand": (0.42, 0.46),
}  # fmt: skip
LOW: Pose = {
    "back_foot": (-0.25, 0.03), "back_knee": (-0.18, 0.20), "hip": (-0.16, 0.25),
    "front_knee": (0.17, 0.27), "front_foot": (0.21, 0.03), "neck": (0.11, 0.44),
    "head": (0.21, 0.52), "back_elbow": (-0.07, 0.57), "back_hand": (-0.24, 0.66),
    "front_elbow": (0.28, 0.33), "front_hand": (0.42, 0.22),
}  # fmt: skip
TALL: Pose = {
    "back_foot": (-0.20, 0.03), "back_knee": (-0.12, 0.25), "hip": (-0.05, 0.42),
    "front_knee": (0.19, 0.29), "front_foot": (0.18, 0.03), "neck": (0.06, 0.72),
    "head": (0.11, 0.83), "back_elbow": (-0.14, 0.67), "back_hand": (-0.30, 0.57),
    "front_elbow": (0.23, 0.60), "front_hand": (0.39, 0.63),
}  # fmt: skip
CARVE: Pose = {
    "back_foot": (-0.22, 0.03), "back_knee": (-0.12, 0.26), "hip": (-0.20, 0.33),
    "front_knee": (0.12, 0.28), "front_foot": (0.20, 0.03), "neck": (-0.22, 0.61),
    "head": (-0.18, 0.72), "back_elbow": (-0.40, 0.53), "back_hand": (-0.50, 0.36),
    "front_elbow": (-0.04, 0.62), "front_hand": (0.12, 0.72),
}  # fmt: skip


def blend_poses(first: Pose, second: Pose, share: float) -> Pose:
    """Return the pose `share` (0..1) of the way from `first` to `second`."""
    return {
        joint: (x + (second[joint][0] - x) * share, y + (second[joint][1] - y) * share)
        for joint, (x, y) in first.items()
    }


class Sketch:
    """A mask drawn with y upwards around an origin, in units of `unit` pixels."""

    def __init__(self, size: tuple[int, int], origin: Point, unit: float, finer: int = 3) -> None:
        """Make an empty mask of `size` pixels with its origin `origin` pixels from its corner.

        It is drawn `finer` times as large, and reduced in the end.
        """
        self._finer = finer
        self._image = Image.new("L", (size[0] * finer, size[1] * finer))
        self._draw = ImageDraw.Draw(self._image)
        self._origin = (origin[0] * finer, origin[1] * finer)
        self._unit = unit * finer
        self._turn: tuple[float, float] = (1.0, 0.0)
        self._mirror = 1.0

    def turn(self, degrees: float, *, mirrored: bool = False) -> None:
        """Draw what follows turned (anticlockwise), and facing left if `mirrored`."""
        radians = math.radians(degrees)
        self._turn = (math.cos(radians), math.sin(radians))
        self._mirror = -1.0 if mirrored else 1.0

    def place(self, point: Point) -> Point:
        """Return where on the mask a point is."""
        x, y = point[0] * self._mirror, point[1]
        cos, sin = self._turn
        return (
            self._origin[0] + (x * cos - y * sin) * self._unit,
            self._origin[1] - (x * sin + y * cos) * self._unit,
        )

    def limb(self, points: Iterable[Point], thick: float, shade: int = 255) -> None:
        """Draw a line with round joints and ends."""
        places = [self.place(point) for point in points]
        width = max(1, round(thick * self._unit))
        self._draw.line(places, fill=shade, width=width, joint="curve")
        radius = width / 2
        for x, y in places:
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)

    def taper(self, points: list[Point], widths: list[float], shade: int = 255) -> None:
        """Draw a limb whose thickness changes from point to point."""
        ends = list(zip(points, widths, strict=True))
        for (first, wide), (second, narrow) in pairwise(ends):
            dx, dy = second[0] - first[0], second[1] - first[1]
            length = math.hypot(dx, dy) or 1.0
            nx, ny = -dy / length / 2, dx / length / 2
            self.shape(
                [
                    (first[0] + nx * wide, first[1] + ny * wide),
                    (second[0] + nx * narrow, second[1] + ny * narrow),
                    (second[0] - nx * narrow, second[1] - ny * narrow),
                    (first[0] - nx * wide, first[1] - ny * wide),
                ],
                shade,
            )
        for point, width in ends:
            self.dot(point, width / 2, shade)

    def dot(self, point: Point, radius: float, shade: int = 255) -> None:
        """Draw a disc."""
        x, y = self.place(point)
        r = radius * self._unit
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=shade)

    def shape(self, points: Iterable[Point], shade: int = 255) -> None:
        """Draw a filled polygon."""
        self._draw.polygon([self.place(point) for point in points], fill=shade)

    def mask(self) -> Image.Image:
        """Return the finished mask, its edges smooth."""
        return self._image.reduce(self._finer)


def board(length: float) -> list[Point]:
    """Return a surfboard's outline from the side, its deck at height 0, nose to the right."""
    deck, hull = [], []
    for step in range(17):
        place = step / 16
        x = (place - 0.52) * length
        rocker = 0.08 * max(0.0, place - 0.55) ** 1.6 * 3 + 0.03 * max(0.0, 0.2 - place)
        thick = 0.062 * math.sin(math.pi * min(1.0, max(0.0, place))) ** 0.55
        deck.append((x, rocker * length + 0.012))
        hull.append((x, rocker * length + 0.012 - thick * length))
    return deck + hull[::-1]


def draw_rider(sketch: Sketch, pose: Pose) -> None:
    """Draw a rider's body (not the board)."""
    p = pose
    for side in ("back", "front"):
        x, y = p[f"{side}_foot"]
        sketch.taper([p["hip"], p[f"{side}_knee"], (x, y + 0.02)], [0.135, 0.095, 0.05])
        sketch.taper([(x - 0.03, y - 0.005), (x + 0.08, y - 0.012)], [0.05, 0.03])
    # The back is rounded: its middle lies a little behind the line from hip to neck.
    (hip_x, hip_y), (neck_x, neck_y) = p["hip"], p["neck"]
    waist = ((hip_x + neck_x) / 2 - 0.025, (hip_y + neck_y) / 2)
    chest = (hip_x + (neck_x - hip_x) * 0.8, hip_y + (neck_y - hip_y) * 0.8)
    sketch.taper([p["hip"], waist, chest, p["neck"]], [0.15, 0.125, 0.165, 0.09])
    for side in ("back", "front"):
        sketch.taper([chest, p[f"{side}_elbow"], p[f"{side}_hand"]], [0.085, 0.056, 0.034])
    sketch.taper([p["neck"], p["head"]], [0.075, 0.06])
    head_x, head_y = p["head"]
    sketch.dot(p["head"], 0.062)
    sketch.taper([(head_x - 0.015, head_y + 0.02), (head_x - 0.05, head_y - 0.01)], [0.1, 0.07])


def gull(span: float, flap: float) -> Image.Image:
    """Return a gull's mask, `span` pixels wide, its wings at `flap` (-1 down .. 1 up)."""
    size = (round(span * 1.1) + 2, round(span * 0.7) + 2)
    sketch = Sketch(size, (size[0] / 2, size[1] * 0.58), span / 2)
    for side in (False, True):
        sketch.turn(0, mirrored=side)
        lift = 0.28 * flap
        wing = [
            (0.0, 0.06),
            (0.24, 0.14 + lift * 0.9),
            (0.44, 0.17 + lift * 1.1),
            (0.72, 0.10 + lift * 0.9),
            (1.0, -0.02 + lift * 0.35),
            (0.7, 0.03 + lift * 0.75),
            (0.42, 0.06 + lift * 0.9),
            (0.16, -0.01 + lift * 0.4),
            (0.0, -0.05),
        ]
        sketch.shape(wing)
    sketch.turn(0)
    sketch.limb(((-0.13, -0.02), (0.1, 0.015)), 0.085)
    sketch.dot((0.15, 0.03), 0.05)
    return sketch.mask()


def yacht(tall: float) -> tuple[Image.Image, Image.Image]:
    """Return the masks of a sailing boat's hull and of its sails, `tall` pixels high."""
    size = (round(tall * 0.9), round(tall * 1.05))
    hull = Sketch(size, (size[0] * 0.5, size[1] - tall * 0.03), tall)
    hull.shape([(-0.3, 0.08), (0.36, 0.1), (0.27, 0.0), (-0.26, 0.0)])
    hull.limb([(0.0, 0.08), (0.0, 0.98)], 0.014)
    sails = Sketch(size, (size[0] * 0.5, size[1] - tall * 0.03), tall)
    sails.shape([(-0.02, 0.14), (-0.03, 0.97), (-0.14, 0.6), (-0.25, 0.3), (-0.3, 0.15)])
    sails.shape([(0.02, 0.15), (0.015, 0.88), (0.14, 0.46), (0.33, 0.13)])
    return hull.mask(), sails.mask()


def sitter(tall: float) -> Image.Image:
    """Return the mask of a surfer sitting on a board, waiting, `tall` pixels from water to head."""
    size = (round(tall * 2.4), round(tall * 1.3))
    sketch = Sketch(size, (size[0] / 2, size[1] - tall * 0.12), tall)
    sketch.limb([(-0.75, 0.02), (0.3, 0.02), (0.98, 0.2)], 0.07)
    sketch.taper([(0.0, 0.06), (-0.03, 0.3), (0.0, 0.58), (0.02, 0.68)], [0.3, 0.24, 0.3, 0.16])
    sketch.taper([(0.0, 0.6), (0.12, 0.36), (0.27, 0.13)], [0.14, 0.1, 0.07])
    sketch.limb([(0.02, 0.66), (0.03, 0.8)], 0.13)
    sketch.dot((0.035, 0.85), 0.12)
    return sketch.mask()


def watcher(tall: float) -> tuple[Image.Image, Image.Image]:
    """Return the masks of somebody on the sand, seen from behind, and of the board held upright."""
    size = (round(tall * 1.2), round(tall * 1.36))
    origin = (size[0] * 0.6, size[1] - tall * 0.03)
    body = Sketch(size, origin, tall)
    body.taper([(-0.05, 0.5), (-0.085, 0.27), (-0.1, 0.035)], [0.13, 0.085, 0.045])
    body.taper([(0.05, 0.5), (0.07, 0.27), (0.075, 0.035)], [0.13, 0.085, 0.045])
    body.taper([(-0.1, 0.02), (-0.125, 0.012)], [0.05, 0.03])
    body.taper([(0.075, 0.02), (0.11, 0.012)], [0.05, 0.03])
    body.taper([(0.0, 0.47), (0.0, 0.58), (0.005, 0.72), (0.01, 0.795)], [0.2, 0.165, 0.23, 0.15])
    body.taper([(-0.085, 0.77), (-0.2, 0.64), (-0.29, 0.72)], [0.085, 0.06, 0.04])
    body.taper([(0.1, 0.77), (0.215, 0.8), (0.09, 0.915)], [0.085, 0.06, 0.035])
    body.taper([(0.01, 0.78), (0.01, 0.9)], [0.085, 0.075])
    body.dot((0.012, 0.91), 0.062)
    body.taper([(0.012, 0.935), (0.012, 0.89)], [0.115, 0.12])
    planted = Sketch(size, origin, tall)
    planted.turn(4)
    outline = []
    for step in range(33):
        place = step / 32
        wide = 0.125 * math.sin(math.pi * place**0.82) ** 0.62
        outline.append((wide, place * 1.26))
    outline += [(-x, y) for x, y in reversed(outline)]
    planted.shape([(x - 0.3, y) for x, y in outline])
    return body.mask(), planted.mask()


def spray(age: float, strength: float, number: int, unit: float) -> Image.Image:
    """Return drops thrown back off a turn, `age` seconds into it (0..0.9): they rise and fall."""
    size = (round(unit * 2.6), round(unit * 2.0))
    sketch = Sketch(size, (size[0] * 0.85, size[1] * 0.7), unit, 2)
    for born, speed, climb, radius in _drops(number):
        flown = age - born
        if flown <= 0:
            continue
        shade = round(255 * strength * smooth(0.75, 0.15, flown) * smooth(0.0, 0.1, flown))
        if shade > 8:
            place = (-speed * flown, climb * flown - 2.6 * flown * flown)
            sketch.dot(place, radius * (1 + flown), shade)
    return sketch.mask()


@lru_cache(maxsize=32)
def _drops(number: int) -> list[tuple[float, float, float, float]]:
    """Return the drops of one spray: when each starts, its two speeds and its radius."""
    rng = Random(f"spray-{number}")
    return [
        (rng.uniform(0, 0.34), rng.uniform(0.5, 2.4), rng.uniform(0.6, 2.1), rng.uniform(0.005, 0.021))
        for _ in range(110)
    ]


def wake(points: list[Point], unit: float, size: tuple[int, int], origin: Point) -> Image.Image:
    """Return the mask of the line a board has drawn: `points` in units, newest first."""
    sketch = Sketch(size, origin, unit, 2)
    count = max(1, len(points) - 1)
    pairs = list(enumerate(pairwise(points)))
    for index, pair in reversed(pairs):
        old = index / count
        sketch.limb(pair, 0.02 + 0.1 * old, round(235 * (1 - old) ** 1.8))
    return sketch.mask()
