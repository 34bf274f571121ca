"""The section on many nodes: what users notice while parts of a cluster fail, and what a further node brings."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import signal
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from deploy.cluster.cluster import Cluster
from deploy.cluster.servers import Server

from bench.cluster_load import ClusterLoad
from bench.queueing import wait_until
from cutback.cli.demo.drawing.sea import make_recording
from cutback.client import Client

Say = Callable[[str], None]
Balancer = Literal["nginx", "haproxy"]

RECORDING = "sea.mp4"
SOURCE: dict[str, Any] = {"recording": RECORDING, "start": 1, "end": 3}
PAUSED_SECONDS = 15.0
_LOOK_SECONDS = 0.1
_READERS = 2
_THREADS = 8
_READ_SECONDS = 5.0


def add_recording(cluster: Cluster) -> None:
    """Draw the recording that `SOURCE` is a part of."""
    start = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
    path = cluster.data / "recordings" / RECORDING
    make_recording(path, seconds=4, size=(640, 360), camera="north-point", start=start)


# --- failures --------------------------------------------------------------------------------------

Mend = Callable[[], None]


def _restart(server: Server) -> Mend:
    def mend() -> None:
        server.start()
        server.wait_until_ready()

    return mend


def node_killed(cluster: Cluster) -> Mend:
    """An API node loses its power."""
    cluster.nodes[0].kill()
    return _restart(cluster.nodes[0])


def node_stopped(cluster: Cluster) -> Mend:
    """An API node is stopped by SIGTERM, as for an upgrade."""
    cluster.nodes[1].signal(signal.SIGTERM)
    cluster.nodes[1].wait()
    return _restart(cluster.nodes[1])


def node_paused(cluster: Cluster) -> Mend:
    """An API node hangs: its connections stay open, and nothing is answered."""
    cluster.nodes[2].signal(signal.SIGSTOP)
    return lambda: cluster.nodes[2].signal(signal.SIGCONT)


def cache_killed(cluster: Cluster) -> Mend:
    """The shared cache is gone."""
    assert cluster.cache is not None
    cluster.cache.kill()
    return _restart(cluster.cache)


def worker_killed(cluster: Cluster) -> Mend:
    """A worker loses its power."""
    cluster.workers[0].kill()
    return _restart(cluster.workers[0])


def worker_stopped(cluster: Cluster) -> Mend:
    """A worker is stopped by SIGTERM, as for an upgrade."""
    cluster.workers[1].signal(signal.SIGTERM)
    cluster.workers[1].wait()
    return _restart(cluster.workers[1])


def queue_leader_killed(cluster: Cluster) -> Mend:
    """The server that leads the replicated queue loses its power."""
    leader = next(each for each in cluster.nats if each.name == _leader(cluster))
    leader.kill()
    return _restart(leader)


def _leader(cluster: Cluster) -> str:
    """Return the name of the server that leads the queue's stream, as the first server that answers knows it."""
    for port in cluster.nats_monitors:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/jsz?accounts=1&streams=1", timeout=5) as answer:
            state = json.load(answer)
        for account in state.get("account_details", []):
            for stream in account.get("stream_detail", []):
                if (name := stream.get("cluster", {}).get("leader")) and stream["name"] == "clips":
                    return str(name)
    raise LookupError("no stream has a leader")


FAILURES: dict[str, Callable[[Cluster], Mend]] = {
    "an API node killed": node_killed,
    "an API node stopped": node_stopped,
    "an API node paused": node_paused,
    "memcached killed": cache_killed,
    "a worker killed": worker_killed,
    "a worker stopped": worker_stopped,
    "NATS's leader killed": queue_leader_killed,
}
"""What happens to the cluster, one after the other. Each returns what undoes it."""


def endure(cluster: Cluster, load: ClusterLoad, *, requests: int, say: Say = lambda _text: None) -> None:
    """Let everything happen, each for so many requests, and then let all that was accepted be finished."""
    go_on(load, "before", requests)
    for name, happen in FAILURES.items():
        if happen is queue_leader_killed and not cluster.nats:
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
    wait_until(lambda: load.answered >= enough, _LOOK_SECONDS)


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
        cluster = Cluster(Path(name), balancer=balancer)
        add_recording(cluster)
        with cluster, ClusterLoad(cluster.url, SOURCE) as load:
            endure(cluster, load, requests=requests, say=lambda text: say(f"{balancer}: {text}"))
            log = load.everything()
            wait_until(lambda: all(len(each) >= len(log) for each in load.received), _LOOK_SECONDS)
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
    """Reads of a clip through nginx."""

    nodes: int
    cache: bool
    per_second: float
    p99: float


def measure_reads(cache: Path, *, say: Say) -> list[Throughput]:
    """Read one clip again and again, through nginx and one, two and three nodes, with memcached and without."""
    found = []
    for nodes, with_cache in ((1, True), (2, True), (3, True), (3, False)):
        with tempfile.TemporaryDirectory(prefix="cluster-", dir=cache) as name:
            cluster = Cluster(Path(name), nodes=nodes, workers=1, cache=with_cache, nats=False)
            add_recording(cluster)
            with cluster:
                with Client(cluster.url) as client:
                    client.submit({"id": "wave", "source": SOURCE})
                    client.wait("wave", timeout=120)
                took = sorted(_read(cluster.port))
        found.append(Throughput(nodes, with_cache, len(took) / _READ_SECONDS, took[int(len(took) * 0.99)]))
        say(f"{nodes} nodes, memcached {with_cache}: {found[-1].per_second:.0f} reads a second")
    return found


def _read(port: int) -> list[float]:
    with multiprocessing.get_context("spawn").Pool(_READERS) as pool:
        return [each for taken in pool.map(_read_in_threads, [port] * _READERS) for each in taken]


def _read_in_threads(port: int) -> list[float]:
    took: list[float] = []

    def read() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        end = time.monotonic() + _READ_SECONDS
        while (began := time.monotonic()) < end:
            connection.request("GET", "/v1/clips/wave")
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
