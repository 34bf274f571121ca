"""Reads which moments of a span a camera covers, by the rules by which clips are cut."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from cutback.domain.cameras.coverage import Coverage, cover
from cutback.ports import Catalogue


def cover_span(catalogue: Catalogue, camera: str, start: datetime, end: datetime, *, drift: Fraction) -> Coverage:
    """Return what a clip of this span would show. `drift` is that of `cutback.domain.cameras.coverage.cover`.

    Raises:
        RecordsUnavailableError: the catalogue does not answer.
    """
    near = (*catalogue.neighbours(camera, start, end), *catalogue.covering(camera, start, end))
    recordings = sorted({each.key: each for each in near}.values(), key=lambda each: (each.start, each.key))
    return cover(recordings, start, end, drift=drift)
