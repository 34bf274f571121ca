"""What Prometheus reads from one worker: the outcomes of the clips that it worked on, and what they took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from cutback.domain.clips.event import Answer, Event
from cutback.domain.errors import WrongUsageError
from cutback.services import Services
from cutback.settings.listen_address import ListenAddress

_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_COUNTED = {"ready", "failed", "waiting"}
"""The ends of work on a message."""


class WorkerMetrics:
    """Counts events, as an `Announcer`. Never fails."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self.registry = CollectorRegistry()
        self._clips = Counter(
            "cutback_worker_clips",
            "Events of clips, by the state that they tell of.",
            ("state",),
            registry=self.registry,
        )
        self._failures = Counter(
            "cutback_worker_failures", "Clips that failed, by reason.", ("reason",), registry=self.registry
        )
        self._seconds = Histogram(
            "cutback_worker_clip_seconds",
            "Seconds from the message to the stored clip.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._read = Counter("cutback_worker_read_bytes", "Bytes read of recordings.", registry=self.registry)
        self._stored = Counter("cutback_worker_stored_bytes", "Bytes of finished clips.", registry=self.registry)
        info = Gauge("cutback_worker_info", "The version.", ("version",), registry=self.registry)
        info.labels(version("cutback")).set(1)

    def announce(self, event: Event) -> None:
        """Count an event that this worker announces."""
        state = event.type.removeprefix("clip.")
        if isinstance(event, Answer) or state not in _COUNTED:
            return
        self._clips.labels(state).inc()
        if state == "failed":
            self._failures.labels(str((event.data.get("failure") or {}).get("reason", ""))).inc()
        result = event.data.get("result")
        if state == "ready" and result:
            self._seconds.observe(float(result["seconds"]))
            self._read.inc(int(result["bytes_read"]))
            self._stored.inc(int(result["size"]))

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def measured(services: Services, address: ListenAddress) -> Iterator[Services]:
    """Yield services whose events are counted, while `http://address/metrics` shows the counts.

    Raises:
        WrongUsageError: the address cannot be used.
    """
    metrics = WorkerMetrics()
    try:
        server, thread = start_http_server(address.port, address.host, metrics.registry)
    except OSError as error:
        raise WrongUsageError("--metrics: this address is taken, or is not one of this machine.") from error
    try:
        yield replace(services, announcers=(*services.announcers, metrics))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
