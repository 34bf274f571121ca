"""Decides how an animation is made smaller, to stay within a size: a few tries, each worse than the last. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import sqrt

MOST_TRIES = 8

_SLOWEST = Fraction(5)
"""Frames per second; below, it no longer looks like a movement."""

_NARROWEST = 48
"""Pixels."""

_AIM = 0.93
"""Of the maximum size: what is saved is estimated."""

_FEWER = ((128, 0.85), (64, 0.7))
"""Numbers of colours of a GIF, and which part of its size it then has, together with a pattern instead of noise."""

_COARSER = ((55, 0.75), (30, 0.55))
"""Qualities of a WebP, and which part of its size it then has."""


@dataclass(frozen=True, slots=True)
class AnimationSettings:
    """How an animation is made."""

    width: int
    fps: Fraction
    colours: int = 256
    """Of a GIF's palette; fewer than 256 are dithered with a pattern."""
    quality: int = 75
    """Of a WebP."""


def smaller(settings: AnimationSettings, size: int, most: int, *, palette: bool) -> AnimationSettings | None:
    """Return how to try again, as it has `size` bytes instead of at most `most`; None if nothing more can be done.

    First come fewer colours (a GIF) or a lower quality (a WebP), then a lower rate, then smaller pictures.
    """
    left = _AIM * most / size
    now = settings.colours if palette else settings.quality
    worse = [(value, saved) for value, saved in (_FEWER if palette else _COARSER) if value < now]
    if worse:
        value, saved = next(((value, saved) for value, saved in worse if saved <= left), worse[-1])
        settings = replace(settings, colours=value) if palette else replace(settings, quality=value)
        left /= saved
    if left < 1 and settings.fps > _SLOWEST:
        fps = max(_SLOWEST, Fraction(round(settings.fps * Fraction(left) * 100), 100))
        left *= float(settings.fps / fps)
        settings = replace(settings, fps=fps)
    if left < 1:
        if settings.width <= _NARROWEST:
            return None if not worse else settings
        settings = replace(settings, width=max(_NARROWEST, int(settings.width * sqrt(left))))
    return settings
