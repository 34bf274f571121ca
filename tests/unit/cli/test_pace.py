"""How fast a long command goes, and what is left of it."""

from __future__ import annotations

import pytest

from cutback.cli.views.formatting import pace


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, 4000, 0.0, "0 of 4,000"),
        (120, 4000, 2.0, "120 of 4,000, 60/s, 1 min 5 s left"),
        (1, 3, 2.0, "1 of 3, 0.5/s, 4 s left"),
        (1000, 1_000_000, 10.0, "1,000 of 1,000,000, 100/s, 2 h 46 min left"),
        (7, 7, 1.0, "7 of 7, 7.0/s, 0 s left"),
    ],
)
def test_the_pace_of_a_scan_is_said(done: int, total: int, seconds: float, said: str) -> None:
    assert said == pace(done, total, seconds)
