"""The section on the API: reads with and without a shared cache, and requests per second until they are durable."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from deploy.cluster.servers import Server, free_ports, memcached, mongodb

from bench.node import processor_of, start_node
from bench.sources import run_ffmpeg
from cutback.adapters.build import build
from cutback.domain.cameras.recording import CameraRecording
from cutback.lifecycle.lookup import get_clip, look_at_clip
from cutback.settings.settings import Settings

Say = Callable[[str], None]

READS = 300
FRAME_MAPS = 10
SUBMISSIONS = 160
CROWD = 16

_CLIP = "/v1/clips/clip-0"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one read or request, in seconds."""

    median: float
    processor: float
    """Processor time of the process that answers."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Reading one thing again and again."""

    what: str
    records: str
    plain: Cost
    cached: Cost | None
    """None: it is never read from the cache."""


@dataclass(frozen=True, slots=True)
class _Node:
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Submissions:
    """Requests for clips until the answer 202."""

    records: str
    clients: int
    rate: float
    """A second."""
    cost: Cost


@dataclass(frozen=True, slots=True)
class ApiTimes:
    """What the section shows."""

    reads: Sequence[Reads]
    submissions: Sequence[Submissions]


def measure_api(cache: Path, *, quick: bool, say: Say) -> ApiTimes:
    """A real `cutback api` on each kind of records, without and with memcached; the clients are in this process.

    Raises:
        ServerError: memcached or a MongoDB is missing, or does not start.
    """
    share = 10 if quick else 1
    reads: list[Reads] = []
    submissions: list[Submissions] = []
    with tempfile.TemporaryDirectory(prefix="api-", dir=cache) as name, ExitStack() as stack:
        root = Path(name)
        ports = free_ports(2)
        for server in (memcached(root, ports[0]), mongodb(root, ports[1])):
            stack.enter_context(_running(server))
        shared = {"CUTBACK_CACHE_URL": f"memcached://127.0.0.1:{ports[0]}"}
        recording = root / "sea.mp4"
        run_ffmpeg(recording, ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=60", "-g", "60"])
        many = READS // share
        data = root / "sqlite"
        (data / "recordings").mkdir(parents=True)
        _enter(data, recording)
        with _node(data, shared) as node:
            submissions += _submit_all("SQLite", node, SUBMISSIONS // share)
            _send(node, [_request("clip-0")])
            [clip] = _read([node], [_CLIP] * many)
            reads.append(Reads("a clip", "SQLite", clip, None))
            paths = [f"/v1/recordings/sea-{number}.mp4/frames" for number in range(FRAME_MAPS)]
            [first], [again] = _read([node], paths), _read([node], paths * (many // FRAME_MAPS))
            reads.append(Reads("the frame map of a minute", "", first, again))
        say("api: measured with SQLite")
        mongo = {"CUTBACK_RECORDS_URL": f"mongodb://127.0.0.1:{ports[1]}/bench"}
        data = root / "mongodb"
        (data / "recordings").mkdir(parents=True)
        with _node(data, mongo) as node, _node(data, mongo | shared) as cached:
            submissions += _submit_all("MongoDB", cached, SUBMISSIONS // share)
            _send(node, [_request("clip-0")])
            reads.append(Reads("a clip", "MongoDB", *_read([node, cached], [_CLIP] * many)))
        settings = Settings(data=data, cache_url=shared["CUTBACK_CACHE_URL"], records_url=mongo["CUTBACK_RECORDS_URL"])
        with build(settings) as services:
            look_ups = (lambda: get_clip(services, "clip-0"), lambda: look_at_clip(services, "clip-0"))
            plain, kept = (_repeat(each, many) for each in look_ups)
        reads.append(Reads("a clip, the look-up alone", "MongoDB", plain, kept))
    return ApiTimes(reads, submissions)


def _enter(data: Path, recording: Path) -> None:
    """Put copies of a recording into the folder and the catalogue."""
    begins = datetime(2026, 6, 21, tzinfo=UTC)
    with build(Settings(data=data)) as services:
        for number in range(FRAME_MAPS):
            key = f"sea-{number}.mp4"
            shutil.copyfile(recording, data / "recordings" / key)
            entry = CameraRecording(
                key=key,
                etag=services.sources.head(key).etag,
                size=recording.stat().st_size,
                camera="sea",
                start=begins + timedelta(minutes=number),
                duration=Fraction(60),
                frame_rate=Fraction(30),
                stored_at=begins + timedelta(minutes=number + 1),
                rules="",
            )
            services.catalogue.put_recording(entry)


@contextmanager
def _running(server: Server) -> Iterator[None]:
    server.start()
    try:
        server.wait_until_ready()
        yield
    finally:
        server.stop()


@contextmanager
def _node(data: Path, settings: Mapping[str, str]) -> Iterator[_Node]:
    node, port = start_node(data, 0, environment={**os.environ, **settings})
    try:
        yield _Node(port, node.pid)
    finally:
        node.terminate()
        node.wait(60)


def _request(clip_id: str) -> dict[str, object]:
    return {"id": clip_id, "source": {"recording": "sea-0.mp4", "start": 0, "end": 1}}


def _repeat(work: Callable[[], object], times: int) -> Cost:
    """Do it in this process."""
    took = []
    before = time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return Cost(statistics.median(took), (time.process_time() - before) / times)


def _read(nodes: Sequence[_Node], paths: Sequence[str]) -> list[Cost]:
    """Read each path from every node, one after the other, over one connection to each."""
    connections = [http.client.HTTPConnection("127.0.0.1", node.port, timeout=300) for node in nodes]
    took: list[list[float]] = [[] for _ in nodes]
    before = [processor_of(node.pid) for node in nodes]
    for path in paths:
        for connection, times in zip(connections, took, strict=True):
            began = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - began)
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"{path}: {answer.status}")
    for connection in connections:
        connection.close()
    return [
        Cost(statistics.median(times), (processor_of(node.pid) - used) / len(paths))
        for node, times, used in zip(nodes, took, before, strict=True)
    ]


def _send(node: _Node, requests: Sequence[Mapping[str, object]]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=300)
    took = []
    for request in requests:
        began = time.perf_counter()
        connection.request("POST", "/v1/clips", json.dumps(request), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - began)
        if answer.status != http.HTTPStatus.ACCEPTED:
            raise OSError(f"POST /v1/clips: {answer.status}")
    connection.close()
    return took


def _submit_all(records: str, node: _Node, count: int) -> list[Submissions]:
    found = []
    for clients in (1, CROWD):
        each = count // clients
        batches = [
            [_request(f"load-{clients}-{client}-{number}") for number in range(each)] for client in range(clients)
        ]
        before, began = processor_of(node.pid), time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            took = [one for batch in pool.map(lambda batch: _send(node, batch), batches) for one in batch]
        seconds = time.perf_counter() - began
        processor = (processor_of(node.pid) - before) / len(took)
        found.append(Submissions(records, clients, len(took) / seconds, Cost(statistics.median(took), processor)))
    return found
