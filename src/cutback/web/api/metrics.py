"""What Prometheus reads: requests of this process, and queues and workers, which all processes show alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

import cutback
from cutback.domain.errors import SurroundingsError
from cutback.services import Services
from cutback.web.api.event_feed import EventFeed
from cutback.worker.metrics import figure_metrics
from cutback.worker.notes import recent_notes

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""All others are counted as one, for the same reason."""
_NO_ROUTE = "none"
"""The label of requests for addresses that do not exist, so that scanners cannot create labels without end."""


class Metrics:
    """The metrics of one app."""

    def __init__(self, services: Services, events: EventFeed) -> None:
        """Nothing is measured yet."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "cutback_http_requests", "Answered requests.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "cutback_http_request_seconds",
            "Seconds until the end of the answer, without event streams.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.in_progress = Gauge(
            "cutback_http_requests_in_progress", "Requests in progress, without event streams.", registry=self._registry
        )
        streams = Gauge("cutback_event_streams", "Open event streams.", registry=self._registry)
        streams.set_function(lambda: float(events.streams))
        Gauge("cutback_info", "The version.", ("version",), registry=self._registry).labels(cutback.__version__).set(1)
        self._registry.register(_Queues(services))
        self._registry.register(_Workers(services))

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answer; status 0 is a client that went away before there was one."""
        route = route_of(scope)
        method = scope["method"] if route != _NO_ROUTE and scope["method"] in _METHODS else "any"
        self._requests.labels(method, route, str(status)).inc()
        if not route.endswith("/events"):
            self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Queues(Collector):
    """The depth of the queues, read when Prometheus asks. A queue that does not answer is missing."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        family = GaugeMetricFamily("cutback_queue_messages", "Messages in the queues.", labels=("queue", "state"))
        queues = {
            "clips": self._services.queue,
            "long": self._services.long_queue,
            "webhooks": self._services.webhooks,
        }
        for name, queue in queues.items():
            if queue is None:
                continue
            try:
                depth = queue.depth()
            except SurroundingsError:
                continue
            for state, count in asdict(depth).items():
                family.add_metric((name, state), count)
        yield family


class _Workers(Collector):
    """The workers of all machines, by their last notes. Nothing while the records do not answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        age = GaugeMetricFamily(
            "cutback_worker_note_seconds", "Seconds since a worker noted its figures.", labels=("worker",)
        )
        busy = GaugeMetricFamily("cutback_worker_busy", "1 while a worker makes a clip.", labels=("worker",))
        figures = {}
        with suppress(SurroundingsError):
            notes, now = recent_notes(self._services), self._services.clock()
            for note in notes:
                age.add_metric((note.name,), note.age(now).total_seconds())
                busy.add_metric((note.name,), note.clip is not None)
                if note.figures is not None:
                    figures[note.name] = note.figures
        yield from (age, busy, *figure_metrics(figures))


def route_of(scope: Scope) -> str:
    """Return the address's pattern, such as `/v1/clips/{clip_id}`; the framework keeps it without its prefix."""
    found = str(getattr(scope.get("route"), "path", ""))
    prefix = "/v1" if scope["path"].startswith("/v1/") and not found.startswith("/v1/") else ""
    return prefix + found if found else _NO_ROUTE
