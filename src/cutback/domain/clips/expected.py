"""Estimates how long a clip takes to make, from what others took. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

_COMPARED = 5


def expected_seconds(made: Iterable[tuple[int, float]], frames_encoded: int) -> float | None:
    """Return the median of the seconds that the most similar clips took; None if there are none.

    `made` has, for each clip, how many frames were encoded and the seconds that it took: encoding takes most of them.
    """
    nearest = sorted(made, key=lambda each: abs(each[0] - frames_encoded))[:_COMPARED]
    return round(median(seconds for _, seconds in nearest), 3) if nearest else None
