"""The limit on pictures that are computed by motion."""

from __future__ import annotations

from cutback.cutting.index import Track
from cutback.cutting.plan.retiming import Retiming
from cutback.domain.errors import EditImpossibleError


def check_interpolation(name: str, retiming: Retiming, track: Track, pixels: int) -> None:
    """Refuse to interpolate pictures with more than so many pixels, all of them together. `name` is the edit's.

    Raises:
        EditImpossibleError: there are more.
    """
    count = sum(leg.chosen for leg in retiming.legs if leg.between == "interpolate")
    entry = track.descriptions[0]
    size = max(1, entry.width * entry.height)
    most = pixels // size
    if count > most:
        raise EditImpossibleError(
            f"{name}: interpolating {count} pictures of {entry.width}×{entry.height} takes too long; at most {most} of "
            "this size are possible. Use blend, or a shorter part."
        )
