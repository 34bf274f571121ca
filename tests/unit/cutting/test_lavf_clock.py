"""Clock jumps of a transport stream are removed from all streams equally; gaps stay."""

from __future__ import annotations

import pytest

from cutback.cutting.source.lavf_clock import TICKS, Clock

STEP = TICKS // 25


def offsets(clock: Clock, times: list[tuple[int, int]]) -> list[int]:
    return [clock.offset(stream, time, STEP) for stream, time in times]


def test_a_clock_that_runs_is_left_alone() -> None:
    clock = Clock()
    assert set(offsets(clock, [(n % 2, 7 * TICKS + n // 2 * STEP) for n in range(50)])) == {0}
    assert clock.jumps == 0


@pytest.mark.parametrize("gap", [1, 9])
def test_a_gap_is_no_jump(gap: int) -> None:
    clock = Clock()
    assert offsets(clock, [(0, 0), (0, STEP), (0, STEP + gap * TICKS)]) == [0, 0, 0]
    assert clock.jumps == 0


@pytest.mark.parametrize("jump", [5000 * TICKS, -600 * TICKS, -3 * TICKS // 2])
def test_a_jump_is_removed_from_all_streams_with_the_same_offset(jump: int) -> None:
    clock = Clock()
    before = [(stream, 1000 * TICKS + n * STEP + stream * STEP // 3) for n in range(10) for stream in (0, 1)]
    after = [(stream, 1000 * TICKS + n * STEP + stream * STEP // 3 + jump) for n in range(10, 20) for stream in (0, 1)]
    assert set(offsets(clock, before)) == {0}
    assert set(offsets(clock, after)) == {-jump}
    assert clock.jumps == 1


def test_packets_of_the_old_clock_may_come_after_the_first_of_the_new() -> None:
    clock = Clock()
    offsets(clock, [(0, 10 * TICKS), (1, 10 * TICKS)])
    assert clock.offset(0, 5000 * TICKS + STEP, STEP) == (10 - 5000) * TICKS
    assert clock.offset(1, 10 * TICKS + STEP, STEP) == 0
    assert clock.offset(1, 5000 * TICKS + 2 * STEP, STEP) == (10 - 5000) * TICKS
    assert clock.offset(0, 5000 * TICKS + 2 * STEP, STEP) == (10 - 5000) * TICKS


def test_several_jumps_add_up() -> None:
    clock = Clock()
    offsets(clock, [(0, 0)])
    assert clock.offset(0, 100 * TICKS, STEP) == STEP - 100 * TICKS
    assert clock.offset(0, 3 * TICKS, STEP) == 2 * STEP - 3 * TICKS
    assert clock.jumps == 2
