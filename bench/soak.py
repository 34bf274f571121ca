"""Eight hours' worth of clips in minutes: do memory, descriptors, the write-ahead log and latency stay as they are?"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.cluster.cluster import is_ready
from deploy.cluster.servers import free_ports

from bench.meter import tree
from bench.queueing import QueueStuckError, wait_until
from cutback.client import ApiError, ApiUnreachableError, Client

Say = Callable[[str], None]

CLIPS = 960
"""One every thirty seconds, for eight hours."""
_WARM = 20
_PARTS = 8
_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Hour:
    """What one part of the clips found. Everything is that of the worker and the server together."""

    latency: float
    """Median seconds from before the request until a client hears that the clip is ready."""
    memory: int
    """Bytes after its last clip, without child processes."""
    descriptors: int
    wal: int
    """Bytes of the write-ahead log."""


def measure_soak(recording: Path, cache: Path, *, clips: int, say: Say) -> list[Hour]:
    """Request clips of a recording over the API of a real `cutback up`, one after the other, and look at it meanwhile.

    Raises:
        QueueStuckError: a clip was not made.
    """
    places = random.Random(clips)
    found = []
    with tempfile.TemporaryDirectory(prefix="soak-", dir=cache) as name:
        data = Path(name)
        (data / "recordings").mkdir()
        os.link(recording, data / "recordings" / "sea.mp4")
        with _up(data) as (process, url), Client(url) as client:
            for number in range(_WARM):
                _make(client, f"warm-{number}", places)
            for part in range(_PARTS):
                took = [_make(client, f"clip-{part}-{number}", places) for number in range(clips // _PARTS)]
                found.append(Hour(statistics.median(took), *_held(process.pid), _wal(data)))
                say(f"soak: {found[-1]}")
    return found


@contextmanager
def _up(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    [port] = free_ports(1)
    command = [sys.executable, "-m", "cutback", "up", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    quiet = subprocess.DEVNULL
    environment = {**os.environ, "CUTBACK_RATE_LIMIT": "0"}
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_ready(url), 0.05)
        yield process, url
    finally:
        process.terminate()
        process.wait(60)


def _make(client: Client, clip_id: str, places: random.Random) -> float:
    start = round(places.uniform(0, 3000), 3)
    began = time.monotonic()
    try:
        client.submit({"id": clip_id, "source": {"recording": "sea.mp4", "start": start, "end": start + _SECONDS}})
        clip = client.wait(clip_id, timeout=120)
    except (ApiError, ApiUnreachableError) as error:
        raise QueueStuckError(str(error)) from None
    if clip.state != "ready":
        raise QueueStuckError(f"The clip {clip_id} is {clip.state}.")
    return time.monotonic() - began


def _held(pid: int) -> tuple[int, int]:
    """Return the private memory and the open descriptors of Cutback's own processes, without children that cut."""
    memory = descriptors = 0
    for each in tree(pid):
        try:
            command = Path(f"/proc/{each}/cmdline").read_bytes()
            if b"cutback.sandbox" in command:
                continue
            lines = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii").splitlines()
            memory += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))
            descriptors += sum(1 for _ in Path(f"/proc/{each}/fd").iterdir())
        except OSError:
            continue  # it has ended meanwhile
    return memory, descriptors


def _wal(data: Path) -> int:
    return sum(path.stat().st_size for path in data.rglob("*-wal"))
