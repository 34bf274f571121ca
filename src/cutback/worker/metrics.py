"""What Prometheus reads about workers: the outcomes of the clips that they worked on, and what they took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from cutback.domain.errors import WrongUsageError
from cutback.domain.workers import WorkerFigures
from cutback.settings.listen_address import ListenAddress
from cutback.worker.counts import WorkerCounts


def figure_metrics(workers: Mapping[str, WorkerFigures]) -> Iterator[Metric]:
    """Yield the metrics of workers by name.

    A worker has the same names and labels on its own page and on those of the API, so that none counts twice.
    """
    info = GaugeMetricFamily("cutback_worker_info", "The version.", labels=("worker", "version"))
    clips = CounterMetricFamily(
        "cutback_worker_clips", "Events of clips, by the state that they tell of.", labels=("worker", "state")
    )
    failures = CounterMetricFamily(
        "cutback_worker_failures", "Clips that failed, by reason.", labels=("worker", "reason")
    )
    seconds = HistogramMetricFamily(
        "cutback_worker_clip_seconds", "Seconds from the message to the stored clip.", labels=("worker",)
    )
    read = CounterMetricFamily("cutback_worker_read_bytes", "Bytes read of recordings.", labels=("worker",))
    stored = CounterMetricFamily("cutback_worker_stored_bytes", "Bytes of finished clips.", labels=("worker",))
    for name, figures in workers.items():
        info.add_metric((name, figures.version), 1)
        for state, count in figures.clips.items():
            clips.add_metric((name, state), count)
        for reason, count in figures.failures.items():
            failures.add_metric((name, reason), count)
        buckets = [*((str(bound), count) for bound, count in figures.within), ("+Inf", figures.made)]
        seconds.add_metric((name,), buckets, figures.seconds)
        read.add_metric((name,), figures.read_bytes)
        stored.add_metric((name,), figures.stored_bytes)
    yield from (info, clips, failures, seconds, read, stored)


class _OwnWorkers(Collector):
    def __init__(self, counts: Mapping[str, WorkerCounts]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from figure_metrics({name: counts.figures for name, counts in self._counts.items()})


@contextmanager
def own_page(counts: Mapping[str, WorkerCounts], address: ListenAddress) -> Iterator[None]:
    """Show the counts of this process's workers by name at `http://address/metrics`, while the context lasts.

    Raises:
        WrongUsageError: the address cannot be used.
    """
    registry = CollectorRegistry()
    registry.register(_OwnWorkers(counts))
    try:
        server, thread = start_http_server(address.port, address.host, registry)
    except OSError as error:
        raise WrongUsageError("--metrics: this address is taken, or is not one of this machine.") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
