"""Clips whose recordings and clip store are far away: a real worker, from the message to the announcement."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.far_store import Distance, FarStore, far_store
from bench.meter import processor_seconds, sampling, settle
from bench.queueing import QueueStuckError, wait_until
from cutback.adapters.build import build
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.lifecycle import accept
from cutback.settings.settings import Settings

Say = Callable[[str], None]

STAGES = ["received", "resolved", "rendered", "stored", "announced"]
"""What is shown of a worker's stages; the time until `received` is the queue's."""
HOUR = "instant, all of an hour, copied in the store"
PROMISED = {"exact, cold": 1.6, "exact, warm": 1.2, "instant, warm": 0.7, HOUR: 2.0}
"""Seconds, with a store at the default distance."""
_START, _SECONDS = 101.366667, 30
_STAGE = re.compile(r"stage=(\w+) clip=(\S+) attempt=\d+ seconds=([\d.]+)")
_LOOK_SECONDS = 0.005
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class FarClip:
    """What one clip took."""

    wall: float
    """Seconds from before the request is sent until the worker has announced the clip."""
    stages: Mapping[str, float]
    """Seconds of each of `STAGES`."""
    requests: int
    """Requests that the store answered."""
    moved: int
    """Bytes that they moved."""
    cpu: float
    """Seconds of processor time of the worker and its children, the next child's start included."""


@dataclass(frozen=True, slots=True)
class FarFigures:
    """Medians of one kind of clip."""

    work: str
    runs: int
    wall: float
    stages: Mapping[str, float]
    requests: int
    moved: int
    cpu: float


@dataclass(frozen=True, slots=True)
class FarBurst:
    """Clips that one worker process made of a burst of requests."""

    work: str
    distance: Distance
    jobs: int
    clips: int
    seconds: float
    """From the first request until the last clip was announced."""
    cpu: float
    """Seconds of processor time of the worker and its children for each clip."""
    memory: int
    """Most bytes of the worker and its children together."""

    @property
    def per_minute(self) -> float:
        """Clips a minute."""
        return self.clips / self.seconds * 60


def measure_jobs(
    source: Path, cache: Path, *, jobs: Sequence[int], clips: int, distance: Distance, say: Say
) -> list[FarBurst]:
    """Bursts of clips by one worker process with each of these numbers of jobs.

    Raises:
        QueueStuckError: a clip was not made.
    """
    found = []
    with _far(source, cache, distance) as (folder, far):
        for count in jobs:
            with _worker(folder / f"jobs-{count}", _in_buckets(far), jobs=count) as worker:
                worker.make(far, f"warm-{count}")
                for work, more in (("exact", {}), ("instant", {"output": {"precision": "instant"}})):
                    found.append(worker.make_many(work, count, clips, far, **more))
                    burst = found[-1]
                    say(f"far: {work}, {count} jobs: {burst.per_minute:.0f} clips/min, {burst.cpu:.2f} CPU s each")
    return found


@contextmanager
def _far(source: Path, cache: Path, distance: Distance) -> Iterator[tuple[Path, FarStore]]:
    """A folder to work in, and the store in it that has the recording."""
    with tempfile.TemporaryDirectory(prefix="far-", dir=cache) as name:
        folder = Path(name)
        for bucket in ("recordings", "clips", "near"):
            (folder / "stores" / bucket).mkdir(parents=True)
        os.link(source, folder / "stores" / "recordings" / "sea.mp4")
        with far_store(folder / "stores", distance) as far:
            yield folder, far


def measure_far(source: Path, hour: Path, cache: Path, *, runs: int, distance: Distance, say: Say) -> list[FarFigures]:
    """Clips of 30 s from a far store and, for comparison, from a folder, by workers that take turns.

    And clips that the store copies itself, one of nearly all of `hour`.

    Raises:
        QueueStuckError: a clip was not made.
    """
    found: dict[str, list[FarClip]] = {}
    with _far(source, cache, distance) as (folder, far):
        os.link(hour, folder / "stores" / "recordings" / "hour.mp4")
        whole = {"recording": "hour.mp4", "start": _START, "end": "-00:00:10"}
        for turn in range(runs):
            with _worker(folder / f"far-{turn}", _in_buckets(far)) as worker:
                _one(found, "exact, cold", worker, far, say)
                _one(found, "exact, warm", worker, far, say)
                _one(found, "instant, warm", worker, far, say, output={"precision": "instant"})
            copying = {**_in_buckets(far), "CUTBACK_COPY_IN_STORE": "true"}
            with _worker(folder / f"copying-{turn}", copying) as worker:
                worker.make(far, f"first-{turn}")
                _one(found, "exact, copied in the store", worker, far, say)
                _one(found, "instant, copied in the store", worker, far, say, output={"precision": "instant"})
                worker.make(far, f"hour-{turn}", source=whole, output={"precision": "instant"})
                _one(found, HOUR, worker, far, say, source=whole, output={"precision": "instant"})
            with _worker(folder / f"near-{turn}", _in_folders(folder / "stores")) as worker:
                _one(found, "exact, from and to a folder, cold", worker, far, say)
                _one(found, "exact, from and to a folder, warm", worker, far, say)
    return [_median(work, clips) for work, clips in found.items()]


def _one(
    found: dict[str, list[FarClip]], work: str, worker: FarWorker, far: FarStore, say: Say, **more: object
) -> None:
    clip = worker.make(far, f"clip-{sum(map(len, found.values()))}", **more)
    found.setdefault(work, []).append(clip)
    told = ", ".join(f"{stage} {seconds:.3f}" for stage, seconds in clip.stages.items())
    say(f"far: {work}: {clip.wall:.3f} s ({told}), {clip.requests} requests, {clip.cpu:.2f} s of processor time")


def _median(work: str, clips: list[FarClip]) -> FarFigures:
    return FarFigures(
        work,
        len(clips),
        statistics.median(each.wall for each in clips),
        {stage: statistics.median(each.stages[stage] for each in clips) for stage in STAGES},
        max(each.requests for each in clips),
        max(each.moved for each in clips),
        statistics.median(each.cpu for each in clips),
    )


def _in_buckets(far: FarStore) -> dict[str, str]:
    options = json.dumps(far.options())
    return {
        "CUTBACK_SOURCE_STORE": "s3://recordings",
        "CUTBACK_SOURCE_OPTIONS": options,
        "CUTBACK_CLIP_STORE": "s3://clips",
        "CUTBACK_CLIP_OPTIONS": options,
    }


def _in_folders(stores: Path) -> dict[str, str]:
    return {"CUTBACK_SOURCE_STORE": str(stores / "recordings"), "CUTBACK_CLIP_STORE": str(stores / "near")}


class FarWorker:
    """A worker process, and what it says."""

    def __init__(self, data: Path, process: subprocess.Popen[str]) -> None:
        """Listen to `process`."""
        self._process = process
        self._heard: list[tuple[float, str, str, float]] = []
        self._changed = threading.Condition()
        self._data = data
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            if found := _STAGE.search(line):
                with self._changed:
                    self._heard.append((time.monotonic(), found[1], found[2], float(found[3])))
                    self._changed.notify_all()

    def make(self, far: FarStore, clip_id: str, **more: object) -> FarClip:
        """Request a clip, and wait until it is announced."""
        settle(self._process.pid)
        cpu, _ = self._processor(), far.taken()
        request = _request(clip_id, more)
        with build(Settings(data=self._data)) as services:
            began = time.monotonic()
            accept.submit(services, request)
        with self._changed:
            if not self._changed.wait_for(lambda: self._moment(clip_id, "announced") is not None, 120):
                raise QueueStuckError(f"The clip {clip_id} was not announced.")
            heard = {stage: (at, seconds) for at, stage, clip, seconds in self._heard if clip == clip_id}
        ended, took = heard["announced"]
        settle(self._process.pid)
        stages, before = {"received": ended - began - took}, 0.0
        for stage in STAGES[1:]:
            stages[stage] = heard[stage][1] - before
            before = heard[stage][1]
        answered = far.taken()
        return FarClip(
            ended - began,
            stages,
            len(answered),
            sum(each.size for each in answered if each.action in {"get", "put", "put_part"}),
            self._processor() - cpu,
        )

    def make_many(self, work: str, jobs: int, count: int, far: FarStore, **more: object) -> FarBurst:
        """Request `count` clips at once, and wait until all are announced."""
        settle(self._process.pid)
        cpu = self._processor()
        ids = [f"{work}-{jobs}-{number}" for number in range(count)]
        with sampling(self._process.pid, enabled=True) as peak:
            with build(Settings(data=self._data)) as services:
                began = time.monotonic()
                for clip_id in ids:
                    accept.submit(services, _request(clip_id, more))
            with self._changed:
                made = self._changed.wait_for(lambda: all(self._moment(each, "announced") for each in ids), 600)
                if not made:
                    raise QueueStuckError(f"Not all of {count} clips were announced.")
            seconds = time.monotonic() - began
        settle(self._process.pid)
        far.taken()
        return FarBurst(work, far.distance, jobs, count, seconds, (self._processor() - cpu) / count, peak.value)

    def _moment(self, clip_id: str, stage: str) -> float | None:
        return next((at for at, each, clip, _ in self._heard if (each, clip) == (stage, clip_id)), None)

    def _processor(self) -> float:
        """Of the worker, its children that live, and those that have ended."""
        pid = self._process.pid
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return processor_seconds(pid) + (int(fields[13]) + int(fields[14])) / _TICKS


def _request(clip_id: str, more: Mapping[str, object]) -> ClipRequest:
    span = {"recording": "sea.mp4", "start": _START, "end": _START + _SECONDS}
    return validate_request({"id": clip_id, "source": span, **more})


@contextmanager
def _worker(data: Path, environment: Mapping[str, str], *, jobs: int = 1) -> Iterator[FarWorker]:
    """A worker that waits for its first message."""
    settings = {"CUTBACK_LOG_LEVEL": "INFO", "CUTBACK_SCAN_SECONDS": "0", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "cutback", "worker", "--jobs", str(jobs), "--data", str(data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **settings},
    )
    try:
        worker = FarWorker(data, process)
        wait_until((data / "cutback.sqlite").exists, 0.05)
        settle(process.pid, quiet=1.0)
        yield worker
    finally:
        process.terminate()
        process.wait(60)
