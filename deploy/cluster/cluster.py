"""A whole cluster on this machine: a balancer, API nodes, workers, a cache, a replicated queue, and records."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from deploy.cluster import servers
from deploy.cluster.servers import Server, free_ports

DRAIN_SECONDS = 5
_SOURCE = Path(__file__).resolve().parents[2] / "src"

Say = Callable[[str], None]


class Cluster:
    """Servers on loopback, in a folder of their own. Entering the context starts them; leaving it stops them by pid."""

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int = 3,
        workers: int = 2,
        port: int = 0,
        balancer: Literal["nginx", "haproxy"] = "nginx",
        cache: bool = True,
        nats: bool = True,
        settings: Mapping[str, str] | None = None,
        say: Say = lambda _text: None,
    ) -> None:
        """Prepare it. `port` is the balancer's, 0 for any. Without `nats`, the queue is in SQLite, as on one machine.

        `settings` are added to those of every node and worker, with their whole names. `say` is told what happens.

        Raises:
            ServerError: a program is missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder = folder.resolve()
        self.data = folder / "data"
        (self.data / "recordings").mkdir(parents=True, exist_ok=True)
        (self.data / "clips").mkdir(exist_ok=True)
        self._say = say
        first, self.records_port, memory, *rest = free_ports(3 + 6 + nodes)
        queue, self.nats_monitors, ports = rest[:3], rest[3:6], rest[6:]
        self.port = port or first
        self.url = f"http://127.0.0.1:{self.port}"
        self.cache = servers.memcached(folder, memory) if cache else None
        self.records = servers.mongodb(folder, self.records_port)
        self.nats = servers.nats(folder, queue, self.nats_monitors) if nats else []
        self.settings = {
            "CUTBACK_DATA": str(self.data),
            "CUTBACK_RECORDS_URL": f"mongodb://127.0.0.1:{self.records_port}/cutback",
            "CUTBACK_PUBLIC_URL": self.url,
            "CUTBACK_DRAIN_SECONDS": str(DRAIN_SECONDS),
            "CUTBACK_TRUSTED_PROXIES": "127.0.0.1",
            "CUTBACK_RATE_LIMIT": "0",
            "CUTBACK_LEASE": "5",
            "CUTBACK_VISIBILITY": "10",
        }
        if balancer == "nginx":
            self.settings["CUTBACK_MEDIA_DELIVERY"] = "accel"
        if self.cache is not None:
            self.settings["CUTBACK_CACHE_URL"] = f"memcached://127.0.0.1:{memory}"
        if nats:
            hosts = ",".join(f"127.0.0.1:{each}" for each in queue)
            self.settings["CUTBACK_QUEUE_URL"] = f"nats://{hosts}/clips"
            self.settings["CUTBACK_WEBHOOK_QUEUE_URL"] = f"nats://{hosts}/webhooks"
            self.settings["CUTBACK_WEBHOOK_SECRET"] = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        self.settings |= settings or {}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CUTBACK_")},
            "PYTHONPATH": os.pathsep.join([str(_SOURCE), os.environ.get("PYTHONPATH", "")]),
            **self.settings,
        }
        """Of nodes and workers."""
        self.ports = ports
        self.nodes = [self._node(number, each) for number, each in enumerate(ports, 1)]
        self.workers = [self._worker(number) for number in range(1, workers + 1)]
        if balancer == "nginx":
            self.balancer = servers.nginx(folder, self.port, ports, self.data / "clips")
        else:
            self.balancer = servers.haproxy(folder, self.port, ports)

    def _node(self, number: int, port: int) -> Server:
        command = [sys.executable, "-m", "cutback", "api", "--listen", f"127.0.0.1:{port}"]
        ready = partial(is_ready, f"http://127.0.0.1:{port}")
        return Server(f"api-{number}", command, self.folder, answers=ready, environment=self.environment)

    def _worker(self, number: int) -> Server:
        command = [sys.executable, "-m", "cutback", "worker"]
        log = self.folder / f"worker-{number}.log"
        started = lambda: log.exists() and b"stage=started" in log.read_bytes()  # noqa: E731
        return Server(f"worker-{number}", command, self.folder, answers=started, environment=self.environment)

    def __enter__(self) -> Self:
        """Start everything, and return once the balancer passes requests on.

        Raises:
            ServerError: a server does not start.
        """
        try:
            foundations = [self.records, *self.nats, *([self.cache] if self.cache is not None else [])]
            for group in (foundations, self.nodes[:1], [*self.nodes[1:], *self.workers], [self.balancer]):
                for each in group:
                    each.start()
                for each in group:
                    each.wait_until_ready()
                self._say(f"{', '.join(each.name for each in group)}: running")
            self._wait_for_the_balancer()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.stop()

    def _wait_for_the_balancer(self) -> None:
        deadline = time.monotonic() + servers.PATIENCE_SECONDS
        while not is_ready(self.url):
            if time.monotonic() > deadline:
                raise servers.ServerError("The balancer finds no node that is ready.")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop everything, what asks before what answers."""
        for each in self.nodes:
            each.signal(signal.SIGTERM)  # they drain side by side
        for each in [*self.nodes, *self.workers, self.balancer, *self.nats, self.records]:
            each.stop()
        if self.cache is not None:
            self.cache.stop()


def is_ready(url: str) -> bool:
    """Whether a node, or one behind a balancer, says that it is ready."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
