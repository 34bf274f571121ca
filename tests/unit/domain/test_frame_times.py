"""The frames around a frame, found in a frame map."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.errors import RangeOutsideRecordingError
from cutback.domain.frame_times import frames_around

RUNS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), min_size=1, max_size=6)


@given(RUNS, st.integers(0, 10_000), st.fractions(Fraction(1, 100), 10), st.integers(1, 30))
def test_the_frames_around_a_frame_begin_within_half_of_the_seconds(
    runs: list[tuple[int, int]], chosen: int, seconds: Fraction, most: int
) -> None:
    steps = chain.from_iterable(repeat(ticks, count) for ticks, count in runs)
    begins = [0, *accumulate(steps)][:-1]
    frame = chosen % len(begins)
    half = seconds * 10 / 2
    expected = [
        number
        for number, begin in enumerate(begins)
        if begins[frame] - half <= begin < begins[frame] + half and frame - most <= number < frame + most
    ]
    assert list(frames_around(runs, 10, frame, seconds, most=most)) == expected
    assert frame in expected


def test_a_frame_behind_the_last_one_is_refused() -> None:
    with pytest.raises(RangeOutsideRecordingError):
        frames_around([[1, 5]], 10, 5, Fraction(1), most=10)
