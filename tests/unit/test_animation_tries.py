"""How an animation becomes smaller."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from cutback.cutting.outputs.animation_tries import MOST_TRIES, AnimationSettings, smaller

START = AnimationSettings(480, Fraction(12))


def test_a_little_less_costs_colours_only() -> None:
    tried = smaller(START, 1_000, 950, palette=True)
    assert tried == AnimationSettings(480, Fraction(12), colours=128)


def test_then_the_rate_and_last_the_size() -> None:
    tried = smaller(START, 1_000, 500, palette=True)
    assert tried is not None
    assert (tried.width, tried.colours) == (480, 64)
    assert Fraction(5) < tried.fps < 12
    tried = smaller(START, 1_000, 50, palette=True)
    assert tried is not None
    assert tried.fps == 5
    assert tried.width < 480


def test_ends_if_nothing_more_can_be_done() -> None:
    assert smaller(AnimationSettings(48, Fraction(5), colours=64), 1_000, 900, palette=True) is None


@pytest.mark.parametrize("palette", [True, False])
def test_a_few_tries_are_enough_whatever_content_does(palette: bool) -> None:  # noqa: FBT001
    """Files whose size falls less than expected still get small enough, or nothing more can be done."""
    chance = random.Random(3)
    for _ in range(200):
        base, reluctance = chance.uniform(5e4, 5e7), chance.uniform(0.7, 1.0)
        most, settings, tries = int(base * chance.uniform(0.02, 0.99)), START, 1

        def size_of(now: AnimationSettings, base: float = base, reluctance: float = reluctance) -> int:
            worse = (now.width / 480) ** 2 * float(now.fps / 12) * (0.9 if now.colours < 256 or now.quality < 75 else 1)
            return int(base * worse**reluctance)

        while size_of(settings) > most:
            tried = smaller(settings, size_of(settings), most, palette=palette)
            if tried is None:
                break
            settings, tries = tried, tries + 1
        assert tries <= MOST_TRIES
        assert size_of(settings) <= most or settings.width == 48
