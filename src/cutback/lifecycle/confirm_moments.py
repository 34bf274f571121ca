"""Confirms moments by their pictures: those in which nothing moves are dropped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import NamedTuple

from cutback.cutting.job import CutRange, Limits
from cutback.domain.base import iso
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
) -> tuple[list[CameraMoment], list[str]]:
    """Return the moments in whose pictures something moves, and notes.

    A moment that cannot be confirmed is kept, and a note says why.

    Raises:
        SurroundingsError: catalogue or store do not answer.
        StoppedError: `stopped` answered True.
    """
    kept: list[CameraMoment] = []
    notes: list[str] = []
    for first in range(0, len(moments), _AT_ONCE):
        batch = moments[first : first + _AT_ONCE]
        for moment, found in zip(batch, _looked_into(services, camera, batch, limits, stopped, turn), strict=True):
            if isinstance(found, CutbackError):
                notes.append(f"{iso(moment.peak)}: not confirmed. {found}")
            elif not found.pairs:
                notes.append(f"{iso(moment.peak)}: not confirmed. No two pictures around it can be read.")
            elif not found.moves:
                continue
            kept.append(moment)
    return kept, notes


class _Compared(NamedTuple):
    """The pictures around a moment."""

    pairs: int
    """How many were compared with the one before."""
    moved: int
    """How many differ from it."""

    @property
    def moves(self) -> bool:
        return self.moved >= (2 if self.pairs >= _SEVERAL else 1)


def _looked_into(
    services: Services,
    camera: str,
    moments: Sequence[CameraMoment],
    limits: Limits,
    stopped: Callable[[], bool],
    turn: Turn,
) -> list[_Compared | CutbackError]:
    """Look into moments together; if that fails, into each alone, so that one does not spoil the others."""
    try:
        with turn():
            return [*_compared(services, camera, moments, limits, stopped)]
    except CutbackError as error:
        if isinstance(error, StoppedError | SurroundingsError):
            raise
        log.info("stage=confirm camera=%r moments=%d reason=%s", camera, len(moments), error)
        if len(moments) == 1:
            return [error]
    alone = (_looked_into(services, camera, [moment], limits, stopped, turn) for moment in moments)
    return [found for each in alone for found in each]


def _compared(
    services: Services,
    camera: str,
    moments: Sequence[CameraMoment],
    limits: Limits,
    stopped: Callable[[], bool],
) -> list[_Compared]:
    """Compare the pictures around each moment."""
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
    found = [_Compared(0, 0)] * len(moments)
    for number, (pairs, moved) in zip(owners, looked, strict=True):
        found[number] = _Compared(found[number].pairs + pairs, found[number].moved + moved)
    return found


def _open(services: Services, key: str, stopped: Callable[[], bool]) -> RememberingReader | None:
    try:
        return RememberingReader(RangeReader.open(services.sources, key, stopped=stopped), services.cache)
    except CutbackError as error:
        if isinstance(error, StoppedError | SurroundingsError):
            raise
        return None
