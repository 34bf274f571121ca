"""Which names are proposed for a camera that nobody knows."""

from __future__ import annotations

import pytest

from cutback.catalogue.known_cameras import nearest_names

KNOWN = ["north", "north-pier", "south", "site1/gate", "site2/gate"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("nroth", ["north", "south"]),
        ("NORTH", ["north", "north-pier", "south"]),
        ("gate", ["site1/gate", "site2/gate"]),
        ("xyz", []),
        ("", []),
    ],
)
def test_the_nearest_names_are_proposed(typed: str, expected: list[str]) -> None:
    assert nearest_names(typed, KNOWN) == expected
