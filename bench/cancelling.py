"""Part of the second section: how soon work on a cancelled clip stops."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.queueing import QueueStuckError, wait_until
from bench.sources import run_ffmpeg
from cutback.adapters.build import build
from cutback.domain.clips.clip import ClipState
from cutback.domain.requests.request import validate_request
from cutback.lifecycle import accept
from cutback.services import Services
from cutback.settings.settings import Settings

Say = Callable[[str], None]

PROMISED_SECONDS = 1.0

_LOOK_SECONDS = 0.002
_PAUSES = (0.0, 0.5)
"""Seconds of encoding before the cancel, not synchronous with the worker's checks of the record."""
_RANGES = 10


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Seconds from the cancel's return until the process that encoded is gone."""

    median: float
    worst: float
    runs: int


def measure_cancel(cache: Path, *, runs: int, say: Say) -> Cancelled:
    """A `cutback worker` in the midst of encoding minutes of 1080p, again and again.

    Raises:
        SourcesError: there is no ffmpeg to make the recording with.
        QueueStuckError: a clip did not begin, did not end, or ended otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="cancel-", dir=cache) as name:
        data = Path(name)
        (data / "recordings").mkdir()
        # MPEG-4 is never copied, so that all of it is encoded.
        picture = ["-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30", "-t", "60", "-c:v", "mpeg4", "-q:v", "5"]
        run_ffmpeg(data / "recordings" / "whole.mp4", picture)
        command = [sys.executable, "-m", "cutback", "worker", "--data", str(data)]
        worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with build(Settings(data=data)) as services:
                pauses = random.Random(runs)
                took = [_cancel(services, worker.pid, f"c{n}", pauses.uniform(*_PAUSES)) for n in range(runs)]
        finally:
            worker.terminate()
            worker.wait(30)
    say(f"queue: a cancelled clip's encoder ends after {statistics.median(took):.2f} s")
    return Cancelled(statistics.median(took), max(took), runs)


def _cancel(services: Services, worker: int, clip_id: str, pause: float) -> float:
    whole = [{"recording": "whole.mp4", "start": 0, "end": 60}] * _RANGES
    accept.submit(services, validate_request({"id": clip_id, "source": whole}))
    wait_until(lambda: _frames(services, clip_id) > 0, 0.01)
    time.sleep(pause)
    encoding = _children(worker)
    if not encoding:
        raise QueueStuckError(f"Nothing encodes {clip_id}.")
    accept.cancel(services, clip_id)
    began = time.perf_counter()
    wait_until(lambda: not encoding & _children(worker), _LOOK_SECONDS)
    took = time.perf_counter() - began
    clip = services.records.get_clip(clip_id)
    if clip is None or clip.state is not ClipState.CANCELLED:
        raise QueueStuckError(f"{clip_id} is not cancelled.")
    return took


def _frames(services: Services, clip_id: str) -> int:
    clip = services.records.get_clip(clip_id)
    return 0 if clip is None or clip.state is not ClipState.PROCESSING else clip.progress.frames


def _children(parent: int) -> set[int]:
    """Processes that this one has begun and not yet seen end, by any of its threads."""
    found: set[int] = set()
    for thread in Path(f"/proc/{parent}/task").iterdir():
        try:
            found |= set(map(int, (thread / "children").read_text("ascii").split()))
        except FileNotFoundError:
            continue  # the thread has ended meanwhile
    return found
