"""The section on many nodes: what users notice while parts of a cluster fail, and what a further node brings."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Self

from deploy.cluster.cluster import Cluster
from deploy.cluster.servers import Server, ServerError, free_ports
from tests.support.mongo_proxy import DROP, PASS, STEPPED_DOWN, between

from bench.cluster_load import ClusterLoad
from bench.meter import processor_seconds
from bench.queueing import wait_until
from cutback.cli.demo.drawing.sea import make_recording
from cutback.client import Client

Say = Callable[[str], None]
Balancer = Literal["nginx", "haproxy"]

RECORDING = "north-point.2026-06-21T05-30-00Z.mp4"
SOURCE: dict[str, Any] = {"recording": RECORDING, "start": 1, "end": 3}
PAUSED_SECONDS = 15.0
STEP_DOWN_SECONDS = 3.0
REFUSED, DROPPED = 20, 5
"""Commands that the database refuses, and connections that it then closes, at least."""
IN_EACH_STAGE = "a worker killed in each stage"
_LOOK_SECONDS = 0.1
_READERS = 2
_THREADS = 8
_READ_SECONDS = 5.0
_READ_PATHS = {"a clip": "/v1/clips/wave", "a frame map": f"/v1/recordings/{RECORDING}/frames"}


def add_recording(cluster: Cluster) -> None:
    """Draw the recording that `SOURCE` is a part of."""
    start = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
    path = cluster.data / "recordings" / RECORDING
    make_recording(path, seconds=4, size=(640, 360), camera="north-point", start=start)


# --- failures --------------------------------------------------------------------------------------


class FailingCluster(Cluster):
    """A cluster whose database can be told to step down, and with one more worker, which is killed in each stage."""

    def __init__(self, folder: Path, *, balancer: Balancer) -> None:
        """Prepare it; entering the context starts everything but the additional worker.

        Raises:
            ServerError: a program is missing.
        """
        (self._primary_port,) = free_ports(1)
        settings = {
            "CUTBACK_RECORDS_URL": f"mongodb://127.0.0.1:{self._primary_port}/cutback?directConnection=true",
            "CUTBACK_MAX_TRIES": "30",  # chance may kill a clip's worker again and again
        }
        super().__init__(folder, balancer=balancer, settings=settings)
        command = [sys.executable, str(Path(__file__).with_name("doomed_worker.py"))]
        self.doomed = Server("doomed", command, self.folder, answers=lambda: True, environment=self.environment)

    def __enter__(self) -> Self:
        """Start everything but the additional worker.

        Raises:
            ServerError: a server does not start.
        """
        context = multiprocessing.get_context("spawn")
        self._primary, theirs = context.Pipe()
        arguments = (theirs, self.records_port, self._primary_port)
        self._proxy = context.Process(target=_play_primary, args=arguments, daemon=True)
        self._proxy.start()
        self.database(PASS)
        return super().__enter__()

    def database(self, answers: str) -> int:
        """Let the database answer everything in one of the ways of `MongoProxy`. Returns how often it did so before."""
        self._primary.send(answers)
        count: int = self._primary.recv()
        return count

    def stop(self) -> None:
        """Stop everything."""
        self.doomed.stop()
        super().stop()
        self._primary.close()
        self._proxy.join()


def _play_primary(orders: Connection, upstream: int, port: int) -> None:
    """Stand between the cluster and its database; runs in its own process, to take no time from the clients."""
    met: Counter[str] = Counter()
    with between(upstream, port) as proxy, suppress(EOFError):
        while True:
            fault = orders.recv()

            def plan(_command: str, fault: str = fault) -> str:
                met[fault] += 1
                return fault

            orders.send(met[fault])
            proxy.plan = plan


Mend = Callable[[], None]


def _restart(server: Server) -> Mend:
    def mend() -> None:
        server.start()
        server.wait_until_ready()

    return mend


def node_killed(cluster: FailingCluster) -> Mend:
    """An API node loses its power."""
    cluster.nodes[0].kill()
    return _restart(cluster.nodes[0])


def node_stopped(cluster: FailingCluster) -> Mend:
    """An API node is stopped by SIGTERM, as for an upgrade."""
    cluster.nodes[1].signal(signal.SIGTERM)
    cluster.nodes[1].wait()
    return _restart(cluster.nodes[1])


def node_paused(cluster: FailingCluster) -> Mend:
    """An API node hangs: its connections stay open, and nothing is answered."""
    cluster.nodes[2].signal(signal.SIGSTOP)
    return lambda: cluster.nodes[2].signal(signal.SIGCONT)


def cache_killed(cluster: FailingCluster) -> Mend:
    """The shared cache is gone."""
    assert cluster.cache is not None
    cluster.cache.kill()
    return _restart(cluster.cache)


def worker_killed(cluster: FailingCluster) -> Mend:
    """A worker loses its power."""
    cluster.workers[0].kill()
    return _restart(cluster.workers[0])


def worker_killed_in_each_stage(cluster: FailingCluster) -> Mend:
    """A worker loses its power whenever it has come one stage further. The first worker stops meanwhile."""
    cluster.workers[0].stop()
    cluster.doomed.start()
    log = cluster.folder / "doomed.log"
    wait_until(lambda: not cluster.doomed.running, _LOOK_SECONDS, moves=lambda: log.read_text().count("killed at="))
    if cluster.doomed.wait():
        raise ServerError("A worker that was to be killed ended by itself.")
    return _restart(cluster.workers[0])


def primary_stepped_down(cluster: FailingCluster) -> Mend:
    """The database's primary steps down: it refuses everything, then closes its connections, and then answers again."""
    refused = cluster.database(STEPPED_DOWN)
    threading.Event().wait(STEP_DOWN_SECONDS)
    wait_until(lambda: cluster.database(STEPPED_DOWN) >= refused + REFUSED, _LOOK_SECONDS)
    dropped = cluster.database(DROP)
    wait_until(lambda: cluster.database(DROP) >= dropped + DROPPED, _LOOK_SECONDS)
    cluster.database(PASS)
    return lambda: None


def worker_stopped(cluster: FailingCluster) -> Mend:
    """A worker is stopped by SIGTERM, as for an upgrade."""
    cluster.workers[1].signal(signal.SIGTERM)
    cluster.workers[1].wait()
    return _restart(cluster.workers[1])


def queue_leader_killed(cluster: FailingCluster) -> Mend:
    """The server that leads the replicated queue loses its power."""
    leader = next(each for each in cluster.nats if each.name == _leader(cluster))
    leader.kill()
    return _restart(leader)


def _leader(cluster: FailingCluster) -> str:
    """Return the name of the server that leads the queue's stream, as the first server that answers knows it."""
    for port in cluster.nats_monitors:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/jsz?accounts=1&streams=1", timeout=5) as answer:
            state = json.load(answer)
        for account in state.get("account_details", []):
            for stream in account.get("stream_detail", []):
                if (name := stream.get("cluster", {}).get("leader")) and stream["name"] == "clips":
                    return str(name)
    raise LookupError("no stream has a leader")


FAILURES: dict[str, Callable[[FailingCluster], Mend]] = {
    "an API node killed": node_killed,
    "an API node stopped": node_stopped,
    "an API node paused": node_paused,
    "memcached killed": cache_killed,
    "a worker killed": worker_killed,
    "a worker stopped": worker_stopped,
    IN_EACH_STAGE: worker_killed_in_each_stage,
    "NATS's leader killed": queue_leader_killed,
    "the database's primary steps down": primary_stepped_down,
}
"""What happens to the cluster, one after the other. Each returns what undoes it."""


def endure(
    cluster: FailingCluster,
    load: ClusterLoad,
    *,
    requests: int,
    without: Container[str] = (),
    say: Say = lambda _text: None,
) -> None:
    """Let everything happen, each for so many requests, and then let all that was accepted be finished."""
    go_on(load, "before", requests)
    for name, happen in FAILURES.items():
        if name in without:
            continue
        say(name)
        load.phase, began = name, time.monotonic()
        mend = happen(cluster)
        go_on(load, name, requests)
        if happen is node_paused:
            # As long as it takes until balancers give up the requests that hang.
            threading.Event().wait(max(0.0, began + PAUSED_SECONDS - time.monotonic()))
        mend()
    go_on(load, "after", requests)
    load.stop_asking()
    with Client(cluster.url) as client:
        for name in load.accepted:
            client.wait(name, timeout=120)


def go_on(load: ClusterLoad, phase: str, requests: int) -> None:
    """Wait until so many more requests are answered in a phase."""
    load.phase = phase
    enough = load.answered + requests
    wait_until(lambda: load.answered >= enough, _LOOK_SECONDS, moves=lambda: load.answered)


@dataclass(frozen=True, slots=True)
class Phase:
    """What clients noticed while something had failed."""

    name: str
    seconds: list[float]
    """For each request, with the client's own retries, sorted."""
    errors: int
    """Requests that failed after the client's retries."""


@dataclass(frozen=True, slots=True)
class Endured:
    """What became of everything behind one balancer."""

    balancer: Balancer
    phases: list[Phase]
    accepted: int
    """Clips that the API accepted."""
    ready: int
    streams: int
    broken_streams: int
    """Event streams with a gap or a repeat, compared with the log."""


def measure_failures(cache: Path, balancer: Balancer, *, requests: int, say: Say) -> Endured:
    """Let parts of a cluster fail under load.

    Raises:
        QueueStuckError: requests, or event streams, no longer go on.
        ServerError: a server is missing, or does not start.
    """
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=cache) as name:
        cluster = FailingCluster(Path(name), balancer=balancer)
        add_recording(cluster)
        with cluster, ClusterLoad(cluster.url, SOURCE) as load:
            endure(cluster, load, requests=requests, say=lambda text: say(f"{balancer}: {text}"))
            log = load.everything()
            wait_until(
                lambda: all(len(each) >= len(log) for each in load.received),
                _LOOK_SECONDS,
                moves=lambda: [*map(len, load.received)],
            )
            with Client(cluster.url) as client:
                ready = sum(client.get(each).state == "ready" for each in load.accepted)
            phases = [
                Phase(name, sorted(took), sum(each.startswith(f"{name}:") for each in load.errors))
                for name, took in load.samples.items()
            ]
            broken = sum(each != log for each in load.received)
            return Endured(balancer, phases, len(load.accepted), ready, len(load.received), broken)


# --- throughput ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Throughput:
    """Reads of one resource through nginx."""

    what: str
    nodes: int
    cache: bool
    per_second: float
    p99: float
    processor: float
    """Seconds that nodes, balancer, database and cache took for one read, whatever else the machine does."""


def measure_reads(cache: Path, *, say: Say) -> list[Throughput]:
    """Read the same again and again, through nginx and one, two and three nodes, with memcached and without."""
    found = []
    for nodes, with_cache in ((1, True), (2, True), (3, True), (3, False)):
        with tempfile.TemporaryDirectory(prefix="cluster-", dir=cache) as name:
            cluster = Cluster(Path(name), nodes=nodes, workers=1, cache=with_cache, nats=False)
            add_recording(cluster)
            with cluster:
                scan = [sys.executable, "-m", "cutback", "scan"]
                subprocess.run(scan, env=cluster.environment, check=True, capture_output=True)
                with Client(cluster.url) as client:
                    client.submit({"id": "wave", "source": SOURCE})
                    client.wait("wave", timeout=120)
                for what, path in _READ_PATHS.items():
                    before = _processor(cluster)
                    took = sorted(_read(cluster.port, path))
                    processor = (_processor(cluster) - before) / len(took)
                    rate = len(took) / _READ_SECONDS
                    found.append(Throughput(what, nodes, with_cache, rate, took[int(len(took) * 0.99)], processor))
                    say(f"{nodes} nodes, memcached {with_cache}: {rate:.0f} reads of {what} a second")
    return found


def _processor(cluster: Cluster) -> float:
    """Return the processor seconds of everything that takes part in a read."""
    servers = [*cluster.nodes, cluster.balancer, cluster.records, *([cluster.cache] if cluster.cache else [])]
    return sum(processor_seconds(server.pid) for server in servers)


def _read(port: int, path: str) -> list[float]:
    with multiprocessing.get_context("spawn").Pool(_READERS) as pool:
        return [each for taken in pool.starmap(_read_in_threads, [(port, path)] * _READERS) for each in taken]


def _read_in_threads(port: int, path: str) -> list[float]:
    took: list[float] = []

    def read() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        end = time.monotonic() + _READ_SECONDS
        while (began := time.monotonic()) < end:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise OSError(f"a read was answered with {answer.status}")
            took.append(time.monotonic() - began)

    threads = [threading.Thread(target=read) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took
