"""Confirms moments by their pictures: those in which nothing moves are dropped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta

from cutback.cutting.job import CutRange, Limits
from cutback.domain.cameras.moments import CameraMoment
from cutback.domain.errors import CutbackError, StoppedError, SurroundingsError
from cutback.domain.wallclock import seconds_between
from cutback.lifecycle.turn import Turn
from cutback.reading.index_cache import RememberingReader
from cutback.reading.range_reader import RangeReader
from cutback.services import Services

log = logging.getLogger(__name__)

_AROUND = timedelta(seconds=6)
"""Pictures of so many seconds before and after the peak are compared."""
_AT_ONCE = 4
"""Moments that one child looks into. It must not be silent for long, even if it decodes all pictures."""
_SEVERAL = 4
"""From so many pairs of pictures on, two must differ: one that differs alone is a light that was switched on."""


def confirmed(
    services: Services,
    camera: str,
    moments: Sequence[CameraMoment],
    *,
    limits: Limits,
    stopped: Callable[[], bool],
    turn: Turn,
) -> list[CameraMoment]:
    """Return the moments in whose pictures something moves. A moment whose pictures cannot be read is kept.

    Raises:
        SurroundingsError: catalogue or store do not answer.
        StoppedError: `stopped` answered True.
    """
    kept: list[CameraMoment] = []
    for first in range(0, len(moments), _AT_ONCE):
        batch = moments[first : first + _AT_ONCE]
        with turn():
            try:
                found = _pairs(services, camera, batch, limits, stopped)
            except CutbackError as error:
                if isinstance(error, StoppedError | SurroundingsError):
                    raise
                log.info("stage=confirm camera=%r reason=%s", camera, error)
                kept += batch
                continue
        kept += [moment for moment, (pairs, moved) in zip(batch, found, strict=True) if _moves(pairs, moved)]
    return kept


def _moves(pairs: int, moved: int) -> bool:
    """Whether something moves, or nobody knows. Pure."""
    return not pairs or moved >= (2 if pairs >= _SEVERAL else 1)


def _pairs(
    services: Services,
    camera: str,
    moments: Sequence[CameraMoment],
    limits: Limits,
    stopped: Callable[[], bool],
) -> list[tuple[int, int]]:
    """Return, for each moment, how many pairs of pictures were compared, and how many of them differ."""
    with ExitStack() as opened:
        places: dict[str, int | None] = {}
        sources: list[RememberingReader] = []
        ranges: list[CutRange] = []
        owners: list[int] = []
        for number, moment in enumerate(moments):
            begins, ends = moment.peak - _AROUND, moment.peak + _AROUND
            for recording in services.catalogue.covering(camera, begins, ends):
                if recording.key not in places:
                    reader = _open(services, recording.key, stopped)
                    places[recording.key] = None if reader is None else len(sources)
                    if reader is not None:
                        opened.callback(reader.close)
                        sources.append(reader)
                place = places[recording.key]
                if place is not None:
                    since, until = (
                        seconds_between(recording.start, at)
                        for at in (max(begins, recording.start), min(ends, recording.end))
                    )
                    ranges.append(CutRange(place, since, until))
                    owners.append(number)
        looked = services.prober.motion(sources, ranges, limits=limits, stopped=stopped)["motion"] if ranges else []
    found = [(0, 0)] * len(moments)
    for number, (pairs, moved) in zip(owners, looked, strict=True):
        found[number] = (found[number][0] + pairs, found[number][1] + moved)
    return found


def _open(services: Services, key: str, stopped: Callable[[], bool]) -> RememberingReader | None:
    try:
        return RememberingReader(RangeReader.open(services.sources, key, stopped=stopped), services.cache)
    except CutbackError as error:
        if isinstance(error, StoppedError | SurroundingsError):
            raise
        return None
