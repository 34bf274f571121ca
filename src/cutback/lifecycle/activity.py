"""How much moves in the recordings of a camera: from their indexes alone, and kept under each recording's version."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise
from typing import Any

from cutback.cutting.job import Limits
from cutback.domain.cameras.moments import ActivityLine
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.errors import CutbackError, StoppedError, SurroundingsError
from cutback.lifecycle import made_files
from cutback.lifecycle.turn import Turn, at_once
from cutback.reading.index_cache import RememberingReader
from cutback.reading.range_reader import RangeReader
from cutback.services import Services

log = logging.getLogger(__name__)

_NAME = "activity-2.json"
"""Change the number whenever activity is counted in another way."""
_AT_ONCE = 16
_BATCH = 32
"""Recordings that are open at once."""


def activities(
    services: Services,
    recordings: Sequence[CameraRecording],
    *,
    limits: Limits,
    stopped: Callable[[], bool] = lambda: False,
    turn: Turn = at_once,
) -> list[dict[str, Any] | CutbackError]:
    """Return the activity of each recording, in the form of `cutback.cutting.activity`, or why it has none.

    Raises:
        SurroundingsError: a store does not answer.
        StoppedError: `stopped` answered True.
    """
    found: list[dict[str, Any] | CutbackError | None]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cutback-activity") as threads:
        kept = threads.map(lambda each: made_files.find(services, each.key, each.etag, _NAME), recordings)
        found = [None if content is None else json.loads(content) for content in kept]
    missing = [number for number, content in enumerate(found) if content is None]
    for first in range(0, len(missing), _BATCH):
        batch = missing[first : first + _BATCH]
        with turn():
            answers = _look_into(services, [recordings[number] for number in batch], limits, stopped)
        for number, answer in zip(batch, answers, strict=True):
            found[number] = answer
    return [each for each in found if each is not None]


def activity_lines(recording: CameraRecording, found: dict[str, Any]) -> list[ActivityLine]:
    """Return a recording's activity as lines of the camera's clock, one for each kind of pictures. Pure."""
    step, values, kinds = found["step"], found["values"], found["kinds"]
    bounds = [first for first, _ in kinds] + [len(values)]
    return [
        ActivityLine(recording.start + timedelta(seconds=first * step), step, values[first:stop], kind)
        for (first, stop), (_, kind) in zip(pairwise(bounds), kinds, strict=True)
        if first < stop
    ]


def _look_into(
    services: Services, recordings: Sequence[CameraRecording], limits: Limits, stopped: Callable[[], bool]
) -> list[dict[str, Any] | CutbackError]:
    answers: dict[int, dict[str, Any] | CutbackError] = {}
    with ExitStack() as opened:
        readers: dict[int, RememberingReader] = {}
        for number, recording in enumerate(recordings):
            try:
                reader = RangeReader.open(services.sources, recording.key, stopped=stopped)
            except CutbackError as error:
                if isinstance(error, StoppedError | SurroundingsError):
                    raise
                answers[number] = error
                continue
            opened.callback(reader.close)
            readers[number] = RememberingReader(reader, services.cache)
        numbers = list(readers)
        for place, answer in services.prober.activities(list(readers.values()), limits=limits, stopped=stopped):
            number = numbers[place]
            answers[number] = answer
            recording = recordings[number]
            if isinstance(answer, CutbackError):
                log.info("stage=activity key=%r reason=%s", recording.key, answer)
            elif not recording.growing:
                content = json.dumps(answer, separators=(",", ":")).encode()
                made_files.put(services, recording.key, readers[number].info.etag, _NAME, content)
    return [answers[number] for number in range(len(recordings))]
