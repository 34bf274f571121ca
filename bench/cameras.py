"""The fourth section: clips by wall clock. What seams cost, and how soon after its footage a waiting clip is ready."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.sources import SourcesError, minute_of, run_ffmpeg
from cutback.adapters.build import build
from cutback.catalogue.scan import Scanner
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.requests.request import validate_request
from cutback.lifecycle import accept
from cutback.lifecycle.arrivals import enter_recordings
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.worker.poll import Worker

Say = Callable[[str], None]

_BEGIN = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
_PART = 30
_FIRST = 15.37
_LENGTH = 60
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Cameras:
    """Seconds, medians of the runs."""

    one_file: float
    three_files: float
    arrival: float
    """From a recording's event to `ready` of a clip that waited for it."""
    arrival_worst: float
    runs: int


def measure_cameras(cache: Path, *, runs: int, say: Say) -> Cameras:
    """Cut 60 s out of one recording and over three, in turns; then let footage arrive late.

    Raises:
        SourcesError: there is no ffmpeg to make the recordings with.
    """
    with tempfile.TemporaryDirectory(dir=cache, prefix="cameras-") as folder:
        root = Path(folder)
        _make_recordings(cache, root / "recordings", say)
        settings = Settings(data=root, scan_seconds=0, late_footage=0)
        with build(settings) as services:
            Scanner(services, enter_recordings).scan()
            one, three = [], []
            with _working(services):
                for number in range(runs + 1):
                    taken = [_timed(services, f"{name}-{number}", name) for name in ("one", "three")]
                    say(f"60 s of one file {taken[0]:.2f} s, over three {taken[1]:.2f} s")
                    if number:  # the first of each learns the recordings' indexes
                        one.append(taken[0])
                        three.append(taken[1])
                arrivals = [_arrival(services, root, number) for number in range(runs)]
                say(f"ready {statistics.median(arrivals):.2f} s after the event of its footage")
    return Cameras(statistics.median(one), statistics.median(three), statistics.median(arrivals), max(arrivals), runs)


def _make_recordings(cache: Path, folder: Path, say: Say) -> None:
    minute = minute_of(cache, "g2", say)
    folder.mkdir(parents=True)
    parts = [folder / f"three.{_BEGIN + timedelta(seconds=n * _PART):%Y%m%dT%H%M%S}.mp4" for n in range(3)]
    for number, part in enumerate(parts):
        start = number % 2 * _PART
        run_ffmpeg(part, ["-ss", str(start), "-i", str(minute), "-t", str(_PART), "-c", "copy"])
    playlist = folder.parent / "parts.txt"
    playlist.write_text("".join(f"file '{part}'\n" for part in parts), encoding="utf-8")
    whole = folder / f"one.{_BEGIN:%Y%m%dT%H%M%S}.mp4"
    run_ffmpeg(whole, ["-f", "concat", "-safe", "0", "-i", str(playlist), "-c", "copy"])


@contextmanager
def _working(services: Services) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Worker(services).run, args=[stop])
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _timed(services: Services, clip_id: str, camera: str) -> float:
    begins = _BEGIN + timedelta(seconds=_FIRST)
    span = {"camera": camera, "from": begins.isoformat(), "to": (begins + timedelta(seconds=_LENGTH)).isoformat()}
    accept.submit(services, validate_request({"id": clip_id, "source": span}))
    clip = _settled(services, clip_id)
    if clip.state is not ClipState.READY or clip.result is None:
        raise SourcesError(f"{clip_id} ended as {clip.state}: {clip.failure}")
    if abs(clip.result.duration - _LENGTH) > 0.1:
        raise SourcesError(f"{clip_id} lasts {float(clip.result.duration):.3f} s")
    return clip.result.seconds


def _arrival(services: Services, root: Path, number: int) -> float:
    """A clip waits; then its recording and the event of it arrive, as a store would tell it."""
    begins = _BEGIN + timedelta(days=number + 1)
    span = {"camera": "late", "from": (begins + timedelta(seconds=3)).isoformat()}
    span["to"] = (begins + timedelta(seconds=13)).isoformat()
    clip_id = f"late-{number}"
    accept.submit(services, validate_request({"id": clip_id, "source": span}))
    _until(services, clip_id, lambda clip: clip.state is ClipState.WAITING)
    key = f"late.{begins:%Y%m%dT%H%M%S}.mp4"
    source = next((root / "recordings").glob("three.*.mp4"))
    shutil.copyfile(source, root / "recordings" / f"{key}.part")
    (root / "recordings" / f"{key}.part").rename(root / "recordings" / key)
    event = {
        "eventName": "ObjectCreated:Put",
        "eventTime": datetime.now(UTC).isoformat(),
        "s3": {"bucket": {"name": ""}, "object": {"key": key, "size": 1, "sequencer": f"{number:016X}"}},
    }
    began = time.perf_counter()
    services.queue.send(json.dumps({"Records": [event]}))
    clip = _settled(services, clip_id)
    took = time.perf_counter() - began
    if clip.state is not ClipState.READY:
        raise SourcesError(f"{clip_id} ended as {clip.state}: {clip.failure}")
    return took


def _settled(services: Services, clip_id: str) -> Clip:
    return _until(services, clip_id, lambda clip: clip.state.final)


def _until(services: Services, clip_id: str, wanted: Callable[[Clip], bool]) -> Clip:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        clip = services.records.get_clip(clip_id)
        if clip is not None and wanted(clip):
            return clip
        time.sleep(0.01)
    raise SourcesError(f"{clip_id} never came that far")
