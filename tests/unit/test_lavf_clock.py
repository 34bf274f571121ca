"""Jumps of a transport stream's clock are taken out of all streams alike; gaps stay."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cutback.cutting.lavf_clock import Clock

STEP = Fraction(1, 25)


def offsets(clock: Clock, times: list[tuple[int, Fraction]]) -> list[Fraction]:
    return [clock.offset(stream, time, STEP) for stream, time in times]


def test_a_clock_that_runs_is_left_alone() -> None:
    clock = Clock()
    assert set(offsets(clock, [(n % 2, 7 + n // 2 * STEP) for n in range(50)])) == {0}
    assert clock.jumps == 0


@pytest.mark.parametrize("gap", [Fraction(1), Fraction(9)])
def test_a_gap_is_no_jump(gap: Fraction) -> None:
    clock = Clock()
    assert offsets(clock, [(0, Fraction(0)), (0, STEP), (0, STEP + gap)]) == [0, 0, 0]
    assert clock.jumps == 0


@pytest.mark.parametrize("jump", [Fraction(5000), Fraction(-600), Fraction(-3, 2)])
def test_a_jump_is_taken_out_of_all_streams_by_the_same_difference(jump: Fraction) -> None:
    clock = Clock()
    before = [(stream, 1000 + n * STEP + stream * STEP / 3) for n in range(10) for stream in (0, 1)]
    after = [(stream, 1000 + n * STEP + stream * STEP / 3 + jump) for n in range(10, 20) for stream in (0, 1)]
    assert set(offsets(clock, before)) == {0}
    assert set(offsets(clock, after)) == {-jump}
    assert clock.jumps == 1


def test_packets_of_the_old_clock_may_come_after_the_first_of_the_new() -> None:
    clock = Clock()
    offsets(clock, [(0, Fraction(10)), (1, Fraction(10))])
    assert clock.offset(0, 5000 + STEP, STEP) == 10 - 5000
    assert clock.offset(1, 10 + STEP, STEP) == 0
    assert clock.offset(1, 5000 + 2 * STEP, STEP) == 10 - 5000
    assert clock.offset(0, 5000 + 2 * STEP, STEP) == 10 - 5000


def test_several_jumps_add_up() -> None:
    clock = Clock()
    offsets(clock, [(0, Fraction(0))])
    assert clock.offset(0, Fraction(100), STEP) == STEP - 100
    assert clock.offset(0, Fraction(3), STEP) == 2 * STEP - 3
    assert clock.jumps == 2
