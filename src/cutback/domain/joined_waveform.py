"""Joins the waveforms of recordings to that of a span. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

MOST_PEAKS = 20_000
"""In the finer resolution."""
FEWEST_PEAKS = 1000
"""The coarser resolution has at most so many."""
FINEST = Fraction(1, 100)
"""Seconds of the shortest peak."""


def joined_waveform(
    parts: Sequence[tuple[Fraction, Mapping[str, Any]]], length: Fraction, scale: int
) -> dict[str, Any]:
    """Return the peaks of a span of `length` seconds, in the form of `cutback.cutting.waveform`.

    Each part is a recording's waveform in that form, with the second of the span at which its time zero is, which may
    be negative. What is not heard is 0.
    """
    steps = [Fraction(*found["fine"]["seconds"]) for _, found in parts]
    step = max(FINEST, length / MOST_PEAKS, *steps)
    count = max(1, -(-length // step))
    lows, highs = [0] * count, [0] * count
    for (begin, found), own in zip(parts, steps, strict=True):
        peaks = found["fine"]["peaks"]
        for number, (low, high) in enumerate(zip(peaks[::2], peaks[1::2], strict=True)):
            place = (begin + number * own) // step
            if 0 <= place < count:
                lows[place], highs[place] = min(lows[place], low), max(highs[place], high)
    times = -(-count // FEWEST_PEAKS)
    starts = range(0, count, times)
    return {
        "scale": scale,
        "fine": _peaks(step, lows, highs),
        "coarse": _peaks(
            step * times, [min(lows[at : at + times]) for at in starts], [max(highs[at : at + times]) for at in starts]
        ),
    }


def _peaks(step: Fraction, lows: Sequence[int], highs: Sequence[int]) -> dict[str, Any]:
    together = [value for pair in zip(lows, highs, strict=True) for value in pair]
    return {"seconds": [step.numerator, step.denominator], "peaks": together}
