"""Which frames an animation shows, and for how long."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.outputs.pacing import Paced, in_ticks, paced

F = Fraction


def test_keeps_all_frames_at_their_times_if_there_are_few() -> None:
    times = [F(0), F(1, 10), F(3, 10)]
    assert paced(times, F(1), F(12)) == [Paced(n, at) for n, at in enumerate(times)]


def test_shows_at_each_tick_the_frame_of_that_time() -> None:
    times = [F(n, 30) for n in range(30)]
    chosen = paced(times, F(1), F(10))
    assert chosen == [Paced(3 * n, F(n, 10)) for n in range(10)]


def test_a_held_frame_is_one_long_frame() -> None:
    times = [*(F(n, 30) for n in range(6)), F(2)]
    chosen = paced(times, F(3), F(10))
    assert [each.frame for each in chosen] == [0, 3, 5, 6]
    assert [each.at for each in chosen] == [0, F(1, 10), F(2, 10), F(2)]


def test_a_clip_shorter_than_a_period_has_its_first_frame() -> None:
    assert paced([F(0), F(1, 60)], F(1, 30), F(10)) == [Paced(0, F(0))]


def test_rounding_never_adds_up() -> None:
    """After an hour at 12 frames a second, no frame is further than half a tick from its time."""
    frames = [Paced(n, F(n, 12)) for n in range(12 * 3600)]
    begins, lasts = in_ticks(frames, F(3600), 100)
    assert all(abs(F(at, 100) - frame.at) <= F(1, 200) for at, frame in zip(begins, frames, strict=True))
    assert sum(lasts) == 360_000
    assert set(lasts) == {8, 9}


def test_every_frame_is_shown() -> None:
    begins, lasts = in_ticks([Paced(0, F(0)), Paced(1, F(1, 1000)), Paced(2, F(2, 1000))], F(3, 1000), 100)
    assert (begins, lasts) == ([0, 1, 2], [1, 1, 1])
