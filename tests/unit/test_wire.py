"""What a child says is believed only as far as it can be true."""

from __future__ import annotations

import pytest

from cutback.cutting.job import Poster
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.wire import WireError, extents_from_json, posters_from_json


def test_posters_within_the_spool_are_taken() -> None:
    assert posters_from_json([[300, 300, 169, 10, 90]], 100) == (Poster(300, 300, 169, 10, 90),)


@pytest.mark.parametrize(
    "posters",
    [
        [[300, 300, 169, 10, 91]],
        [[300, 300, 169, -1, 10]],
        [[300, 300, 169, 10, 0]],
        [[300, 300, 169, 10]],
        [["wide", 300, 169, 10, 90]],
        [7],
        None,
    ],
)
def test_other_posters_are_refused(posters: object) -> None:
    with pytest.raises(WireError):
        posters_from_json(posters, 100)


def test_extents_within_their_origin_are_taken() -> None:
    assert extents_from_json([[0, 0, 50], [-1, 90, 10]], (50,), 100) == (Extent(0, 0, 50), Extent(-1, 90, 10))


@pytest.mark.parametrize(
    "extents",
    [[[0, 1, 50]], [[-1, 91, 10]], [[-2, 0, 10]], [[1, 0, 10]], [[0, -1, 10]], [[0, 0, 0]], [[0, 0]], [None], 7],
)
def test_other_extents_are_refused(extents: object) -> None:
    with pytest.raises(WireError):
        extents_from_json(extents, (50,), 100)
