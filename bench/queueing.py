"""The second section: the cost of a clip except for its cut, from its submission until it is ready."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cutback.adapters.build import build
from cutback.domain.clips.clip import ClipState
from cutback.domain.requests.request import ClipRequest, parse_request
from cutback.lifecycle import accept
from cutback.services import Services
from cutback.settings.settings import Settings

Say = Callable[[str], None]

_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.001
_PAUSES = (0.0, 0.05)
"""Seconds between two clips, as in real use, not synchronous with the worker's polling of the queue."""


class QueueStuckError(Exception):
    """The clips did not become ready in time, or not all of them."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """What all but the cut takes."""

    clips: int
    p50: float
    """Seconds from before the submission until a reader of the records sees `ready`; one clip at a time."""
    p99: float
    workers: int
    """That worked off the burst."""
    accepted_per_second: float
    """While the burst was being submitted, the workers already at it."""
    ready_per_second: float
    """From the burst's first submission until its last clip was ready and its message gone."""


def measure_queue(cache: Path, *, clips: int, workers: int, say: Say) -> Overhead:
    """Real worker processes over SQLite and folders, all on this machine's disk.

    Raises:
        QueueStuckError: they did not do their work.
    """
    with tempfile.TemporaryDirectory(prefix="queue-", dir=cache) as name:
        data = Path(name)
        with build(Settings(data=data)) as services:
            (data / "recordings" / "sea.mp4").write_bytes(bytes(4096))
            with _crew(1, data):
                _one_by_one(services, "warm", 10)
                say(f"queue: {clips} clips, one at a time")
                alone = sorted(_one_by_one(services, "alone", clips))
            with _crew(workers, data):
                _burst(services, "ahead", 10 * workers)
                say(f"queue: {clips} clips at once, {workers} workers")
                submitting, all_ready = _burst(services, "burst", clips)
    return Overhead(
        clips=clips,
        p50=alone[len(alone) // 2],
        p99=alone[min(len(alone) - 1, len(alone) * 99 // 100)],
        workers=workers,
        accepted_per_second=clips / submitting,
        ready_per_second=clips / all_ready,
    )


def _one_by_one(services: Services, name: str, count: int) -> list[float]:
    pauses = random.Random(count)
    took = []
    for number in range(count):
        time.sleep(pauses.uniform(*_PAUSES))
        request = _request(name, number)
        began = time.perf_counter()
        accept.submit(services, request)
        wait_until(lambda clip_id=request.id: _is_ready(services, clip_id), _LOOK_SECONDS)  # type: ignore[misc]
        took.append(time.perf_counter() - began)
    return took


def _burst(services: Services, name: str, count: int) -> tuple[float, float]:
    requests = [_request(name, number) for number in range(count)]
    began = time.perf_counter()
    for request in requests:
        accept.submit(services, request)
    submitted = time.perf_counter()
    wait_until(lambda: _is_empty(services), 0.01)
    finished = time.perf_counter()
    if not all(_is_ready(services, request.id) for request in requests):
        raise QueueStuckError("The queue is empty, but not all clips are ready.")
    return submitted - began, finished - began


def _request(name: str, number: int) -> ClipRequest:
    span = f'{{"recording": "sea.mp4", "start": {number}, "end": {number + 1}}}'
    return parse_request(f'{{"id": "{name}-{number}", "source": [{span}]}}')


def _is_ready(services: Services, clip_id: str) -> bool:
    clip = services.records.get_clip(clip_id)
    if clip is not None and clip.state is ClipState.FAILED:
        raise QueueStuckError(f"The clip {clip_id} failed: {clip.failure}")
    return clip is not None and clip.state is ClipState.READY


def _is_empty(services: Services) -> bool:
    depth = services.queue.depth()
    return not (depth.visible or depth.in_flight or depth.delayed)


def wait_until(done: Callable[[], bool], pause: float, *, moves: Callable[[], object] = lambda: None) -> None:
    """Look again every `pause` seconds, for as long as `moves()` goes on changing.

    Raises:
        QueueStuckError: it was in vain.
    """
    since, seen = time.monotonic(), moves()
    while not done():
        if (now := moves()) != seen:
            since, seen = time.monotonic(), now
        if time.monotonic() - since > _PATIENCE_SECONDS:
            raise QueueStuckError(f"Nothing more came within {_PATIENCE_SECONDS:g} s.")
        time.sleep(pause)


@contextmanager
def _crew(count: int, data: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.queue_worker", str(data)]
    crew = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield
    finally:
        for worker in crew:
            worker.terminate()
        for worker in crew:
            worker.wait(30)
