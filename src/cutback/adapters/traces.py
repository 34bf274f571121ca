"""Traces by OpenTelemetry, to a collector that speaks OTLP over HTTP. Imported only if there is one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind as Kind
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cutback.domain.errors import CutbackError
from cutback.tracing import Span, SpanKind, Value

_KINDS = {
    "internal": Kind.INTERNAL,
    "server": Kind.SERVER,
    "producer": Kind.PRODUCER,
    "consumer": Kind.CONSUMER,
}
_VERSION = version("cutback")
_SEND_SECONDS = 3
"""For one request to the collector, and its repetitions."""
_FLUSH_MILLISECONDS = 3000
_NANO = 1_000_000_000


class _OpenSpan:
    """Implements Span."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, **attributes: Value) -> None:
        self._span.set_attributes(_named(attributes))

    def fail(self, reason: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, reason))
        self._span.set_attribute("error.type", reason)


class OpenTelemetryTracer:
    """Implements Tracer. Spans are sent in the background; if the collector does not answer, they are dropped."""

    is_active = True

    def __init__(self, url: str, instance: str, exporter: SpanExporter | None = None) -> None:
        """`url` is the collector's; if it is empty, the variables OTEL_... of OpenTelemetry have it, and all else.

        `instance` is the name of this process. `exporter` takes the place of the collector, in tests.
        """
        told = {"service.version": _VERSION, "service.instance.id": instance}
        resource = Resource({"service.name": "cutback"}).merge(OTELResourceDetector().detect())
        resource = resource.merge(Resource(told))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        endpoint = f"{url.rstrip('/')}/v1/traces" if url else None
        exporter = exporter or OTLPSpanExporter(endpoint=endpoint, timeout=_SEND_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("cutback", _VERSION)
        self._contexts = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, kind: SpanKind = "internal", *, parent: str | None = None, **attributes: Value
    ) -> Iterator[Span]:
        """See `Tracer.span`."""
        context = None if parent is None else self._contexts.extract({"traceparent": parent})
        with self._tracer.start_as_current_span(
            name,
            context,
            _KINDS[kind],
            _named(attributes),
            record_exception=False,  # messages may contain what belongs to users
            set_status_on_exception=False,
        ) as opened:
            span = _OpenSpan(opened)
            try:
                yield span
            except Exception as error:
                span.fail(error.reason if isinstance(error, CutbackError) else type(error).__name__)
                raise

    def add(
        self, name: str, began: float, ended: float, parts: Sequence[tuple[str, float]] = (), **attributes: Value
    ) -> None:
        """See `Tracer.add`."""
        zero = time.time_ns() - int(time.monotonic() * _NANO)
        span = self._tracer.start_span(name, attributes=_named(attributes), start_time=zero + int(began * _NANO))
        inside = trace.set_span_in_context(span)
        at = ended - sum(seconds for _, seconds in parts)
        for part, seconds in parts:
            child = self._tracer.start_span(part, inside, start_time=zero + int(at * _NANO))
            at += seconds
            child.end(zero + int(at * _NANO))
        span.end(zero + int(ended * _NANO))

    def traceparent(self) -> str | None:
        """See `Tracer.traceparent`."""
        carrier: dict[str, str] = {}
        self._contexts.inject(carrier)
        return carrier.get("traceparent")

    def flush(self) -> None:
        """See `Tracer.flush`."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)

    def close(self) -> None:
        """See `Tracer.close`."""
        # The library's own limits are for each request, of which there may be several.
        ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(_FLUSH_MILLISECONDS / 1000)


def _named(attributes: dict[str, Value]) -> dict[str, Value]:
    """Return attributes by OpenTelemetry's names, which have dots: `http__route` is `http.route`."""
    return {name.replace("__", "."): value for name, value in attributes.items()}
