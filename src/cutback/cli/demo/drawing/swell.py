"""When each wave comes and where it is: pure functions of time, shared by picture and sound.

Lengths are pixels of a 1920 x 1080 picture; the drawing scales them. Times are seconds from the
recording's first frame.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from random import Random

from cutback.cli.demo.drawing.textures import smooth

HORIZON = 424.0
SHORE = 884.0
REACH = 66.0
"""How far up the sand a wash of 1 runs."""
BREAK_DEPTH = 226.0
PEEL_SECONDS = 11.5
ASHORE_SECONDS = 15.0
"""After its break a wave reaches the sand in this time."""

_APPROACH = 0.00046
_FIRST_SEEN = -75.0
_LAST_SEEN = 25.0
_RISES = -9.0
_BEFORE_A_LULL = 5.0
"""Seconds before the first frame by which the wash of the last wave has run out."""
_LARGEST = 1.2


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of the swell: it peels from left to right, as waves do along this point."""

    breaks_at: float
    size: float
    ridden: bool
    number: int

    def age(self, time: float) -> float:
        """Return the seconds since the wave began to break (negative before)."""
        return time - self.breaks_at

    def seen(self, time: float) -> bool:
        """Return whether any of the wave is to be drawn."""
        return _FIRST_SEEN < self.age(time) < _LAST_SEEN

    def near(self, time: float) -> bool:
        """Return whether it rises out of the swell, or breaks."""
        return _RISES < self.age(time) < ASHORE_SECONDS + 2

    def base(self, time: float) -> float:
        """Return the picture row of the wave's foot."""
        age = self.age(time)
        if age < 0:
            # Rows below the horizon are as the inverse of the distance, and the distance shrinks
            # evenly: far swells crowd together under the horizon and spread as they come.
            return HORIZON + 1 / (1 / BREAK_DEPTH - _APPROACH * age)
        speed = _APPROACH * BREAK_DEPTH**2
        travelled = speed * age - 0.55 * age * age if age < ASHORE_SECONDS else math.inf
        return min(SHORE + 6.0, HORIZON + BREAK_DEPTH + travelled)

    def height(self, time: float) -> float:
        """Return the height of the unbroken face, foot to crest."""
        age = self.age(time)
        depth = self.base(time) - HORIZON
        shoaling = 0.17 + 0.43 * smooth(-15.0, 2.0, age)
        grown = self.size * depth * shoaling if age < 0 else self.size * BREAK_DEPTH * shoaling
        return grown * (1 - 0.8 * smooth(5.0, ASHORE_SECONDS - 1, age))

    def front(self, time: float) -> float:
        """Return the column of the curl, left of which the wave is broken."""
        age = self.age(time)
        runs = 172.0 * age - 2.1 * age * abs(age)
        return -150.0 + (runs if age < PEEL_SECONDS else 172.0 * PEEL_SECONDS - 2.1 * PEEL_SECONDS**2)

    def foaminess(self, time: float) -> float:
        """Return how much white water is left, 1 while it peels, 0 when it has run out."""
        return 1 - smooth(PEEL_SECONDS - 1.0, ASHORE_SECONDS + 1.5, self.age(time))

    def wash(self, time: float) -> float:
        """Return how far up the sand its wash reaches: 0..about 1."""
        age = self.age(time) - ASHORE_SECONDS + 2.0
        if not 0 < age < 9.5:
            return 0.0
        up = smooth(0.0, 2.6, age)
        return self.size * up * (1 - smooth(2.6, 9.5, age))

    def heard(self, time: float) -> bool:
        """Return whether it makes any sound, breaking or washing up the sand."""
        return -1 < self.age(time) < _LAST_SEEN

    def loudness(self, time: float) -> float:
        """Return how loud its breaking is, 0..about 1."""
        age = self.age(time)
        crash = smooth(-0.8, 1.4, age) * (1 - smooth(3.0, PEEL_SECONDS + 2.0, age))
        return self.size * crash


def waterline(time: float, waves: list[Wave]) -> float:
    """Return the row that the wash reaches at `time` seconds."""
    wash = max([wave.wash(time) for wave in waves] or [0.0])
    return SHORE + REACH * min(1.25, wash) + 3 * math.sin(time * 0.8)


def seed_of(camera: str) -> int:
    """Return the seed of a camera's swell, the same for picture and sound."""
    return zlib.crc32(camera.encode())


def swell(seed: int, seconds: float, only: float | None = None) -> list[Wave]:
    """Return the waves of a recording of so many seconds, farthest future first (drawing order).

    They come in sets: every fifth to seventh is a small one. In a lull, only one breaks, `only` seconds after the first
    frame; it is the largest of the day, and somebody rides it.
    """
    rng = Random(f"swell-{seed}")
    waves: list[Wave] = []
    time, number, left_in_set = -22.0, 0, 4
    while time < seconds - _FIRST_SEEN:
        left_in_set -= 1
        if left_in_set < 0:
            left_in_set = rng.randint(4, 6)
        size = 0.66 if left_in_set == 0 else rng.uniform(0.86, 1.14)
        # Nobody wants a small one, and never do two good ones go by.
        missed = bool(waves) and not waves[-1].ridden
        ridden = size > 0.8 and (missed or rng.random() < 0.7)
        waves.append(Wave(time, size, ridden, number))
        time += rng.uniform(10.5, 13.0)
        number += 1
    if only is not None:
        calm = -ASHORE_SECONDS - _BEFORE_A_LULL, seconds - _RISES
        waves = [wave for wave in waves if not calm[0] < wave.breaks_at < calm[1]]
        waves.append(Wave(only, _LARGEST, True, number))
        waves.sort(key=lambda wave: wave.breaks_at)
    waves.reverse()
    return waves
